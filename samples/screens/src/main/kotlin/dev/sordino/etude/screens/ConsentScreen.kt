package dev.sordino.etude.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.text.BasicText
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import dev.sordino.AgeBand
import dev.sordino.BundledNotice
import dev.sordino.ConsentState
import dev.sordino.GuardianMethod
import dev.sordino.etude.ConsentModel
import dev.sordino.etude.ConsentScreenState
import dev.sordino.etude.GuardianForm
import dev.sordino.etude.Language
import dev.sordino.etude.label

@Composable
internal fun ConsentScreen(model: ConsentModel) {
    val state by model.state.collectAsState()
    val form = state.guardian
    when {
        form != null -> GuardianScreen(model, form)
        state.consent == ConsentState.AWAITING_GUARDIAN -> WaitingScreen(model)
        state.consent == ConsentState.GRANTED -> GrantedScreen(model, state)
        else -> QuestionScreen(model, state)
    }
}

@Composable
private fun QuestionScreen(model: ConsentModel, state: ConsentScreenState) {
    Screen("Consent", "${state.consent.label} The app works the same, whatever you answer.", model) {
        LanguageSelector(state.language, model::selectLanguage)
        val notice = state.notice
        if (notice == null) Notice("No plan is installed yet.", Colors.warm, Colors.warmSoft)
        else {
            NoticeCard(notice, state.isFullShown, model::showFull)
            Purposes(model, state, notice)
            AgeQuestion(state.age, model::selectAge)
            AgreeButton(state.missing, model)
            if (state.receipt != null) Receipt("Receipt of your last answer", model)
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun LanguageSelector(selected: Language, onSelect: (Language) -> Unit) {
    var isOpen by remember { mutableStateOf(false) }
    FlowRow(horizontalArrangement = Arrangement.spacedBy(8.dp), verticalArrangement = Arrangement.spacedBy(8.dp)) {
        if (!isOpen) Button("Language: ${selected.label}", { isOpen = true })
        else for (language in Language.entries) {
            Option(language.label, language == selected, { onSelect(language); isOpen = false })
        }
    }
}

/** The notice in layers: the question, a short text, and the full text below a button. */
@Composable
private fun NoticeCard(notice: BundledNotice, isFullShown: Boolean, onShow: (Boolean) -> Unit) = Card {
    Heading(notice.title)
    BasicText(notice.short, style = Type.body)
    Button(if (isFullShown) "Show less" else "Read the full notice", { onShow(!isFullShown) })
    if (isFullShown) for (section in notice.full) {
        Column(verticalArrangement = Arrangement.spacedBy(Space.small)) {
            BasicText(section.heading, style = Type.strong)
            for (paragraph in section.paragraphs) BasicText(paragraph, style = Type.body)
        }
    }
}

@Composable
private fun Purposes(model: ConsentModel, state: ConsentScreenState, notice: BundledNotice) = Card {
    Heading("What may your moments be used for?")
    for (purpose in state.requested) {
        SwitchRow(notice.purposes.getValue(purpose), purpose in state.selected) { model.selectPurpose(purpose, it) }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun AgeQuestion(age: AgeBand?, onSelect: (AgeBand) -> Unit) = Card {
    Heading("Who is playing?")
    BasicText("For a child, a parent or guardian has to agree too. We never ask for a date of birth.", style = Type.quiet)
    FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        for (band in AgeBand.entries) Option(band.label, band == age, { onSelect(band) })
    }
}

@Composable
private fun AgreeButton(missing: String?, model: ConsentModel) {
    Column(verticalArrangement = Arrangement.spacedBy(Space.small)) {
        Button("I agree to the selected uses", { model.giveConsent() }, emphasis = Emphasis.MAIN, isEnabled = missing == null)
        if (missing != null) BasicText(missing, style = Type.small)
    }
}

/** Shown until the guardian has answered. */
@Composable
private fun WaitingScreen(model: ConsentModel) {
    Screen("Consent", "You agreed. A parent or guardian has to agree too.", model) {
        Card {
            Heading("Waiting for your parent")
            BasicText(
                "Until a parent or guardian agrees, nothing is recorded and nothing is sent. You can play as usual.",
                style = Type.body,
            )
            Button("I am the parent or guardian", model::openGuardianForm)
        }
        Receipt("Receipt of your answer", model)
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun GuardianScreen(model: ConsentModel, form: GuardianForm) {
    Screen("For the parent or guardian", "A child who plays here agreed. It is valid only if you agree too.", model) {
        Card {
            Heading("How were you verified?")
            BoxWithConstraints {
                val columns = if (maxWidth > TWO_COLUMNS) 2 else 1
                FlowRow(Modifier, Arrangement.spacedBy(Space.small), Arrangement.spacedBy(Space.small), columns) {
                    for (method in GuardianMethod.entries) {
                        Option(method.label, method == form.method, { model.selectMethod(method) }, Modifier.weight(1f))
                    }
                }
            }
        }
        Card {
            Field("Reference number of the verification", form.evidence, model::enterEvidence)
            BasicText(
                "It is on the confirmation that you received. Only a hash of it is stored, as evidence of your approval; " +
                    "your name is not stored.",
                style = Type.small,
            )
        }
        Column(verticalArrangement = Arrangement.spacedBy(Space.small)) {
            FlowRow(Modifier, Arrangement.spacedBy(12.dp), Arrangement.spacedBy(12.dp)) {
                Button("I agree for my child", { model.approve() }, emphasis = Emphasis.MAIN, isEnabled = form.missing == null)
                Button("Not now", model::closeGuardianForm)
            }
            form.missing?.let { BasicText(it, style = Type.small) }
        }
    }
}

@Composable
private fun GrantedScreen(model: ConsentModel, state: ConsentScreenState) {
    Screen("Consent", "You agreed, and can withdraw at any time under “Withdraw”.", model) {
        Card {
            Heading("Your moments may be used for")
            for (purpose in state.agreed) {
                BasicText(state.notice?.purposes?.get(purpose) ?: purpose.label, style = Type.body)
            }
        }
        Receipt("Your receipt", model)
        LanguageSelector(state.language, model::selectLanguage)
        state.notice?.let { NoticeCard(it, state.isFullShown, model::showFull) }
    }
}

@Composable
private fun Receipt(title: String, model: ConsentModel) = Card {
    Heading(title)
    BasicText("A signed record of what you agreed to, and when. It contains no name.", style = Type.quiet)
    Button("Save the receipt", { model.saveReceipt() })
}

private val TWO_COLUMNS = 560.dp
