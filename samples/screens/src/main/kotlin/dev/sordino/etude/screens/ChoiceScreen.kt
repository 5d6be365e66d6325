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
import dev.sordino.etude.ChoiceModel
import dev.sordino.etude.ChoiceState
import dev.sordino.etude.Gate
import dev.sordino.etude.Language
import dev.sordino.etude.words

@Composable
internal fun ChoiceScreen(model: ChoiceModel) {
    val state by model.state.collectAsState()
    val gate = state.gate
    when {
        gate != null -> GateScreen(model, gate)
        state.standing == ConsentState.AWAITING_GUARDIAN -> WaitingScreen(model)
        state.standing == ConsentState.GRANTED -> AnsweredScreen(model, state)
        else -> QuestionScreen(model, state)
    }
}

@Composable
private fun QuestionScreen(model: ChoiceModel, state: ChoiceState) {
    Screen("Your choice", "${state.standing.words} The app works the same, whatever you say.", model) {
        LanguageChooser(state.language, model::read)
        val notice = state.notice
        if (notice == null) Notice("There is no plan yet that says what to ask.", Colors.warm, Colors.warmSoft)
        else {
            NoticeCard(notice, state.isFullShown, model::showFull)
            Purposes(model, state, notice)
            AgeQuestion(state.age, model::answerAge)
            Agree(state.missing, model)
            if (state.receipt != null) Receipt("The receipt of your last answer", model)
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun LanguageChooser(chosen: Language, onChoose: (Language) -> Unit) {
    var isOpen by remember { mutableStateOf(false) }
    FlowRow(horizontalArrangement = Arrangement.spacedBy(8.dp), verticalArrangement = Arrangement.spacedBy(8.dp)) {
        if (!isOpen) Button("Language: ${chosen.words}", { isOpen = true })
        else for (language in Language.entries) {
            Answer(language.words, language == chosen, { onChoose(language); isOpen = false })
        }
    }
}

/** The notice in layers: the question, a few sentences, and the whole below a button. */
@Composable
private fun NoticeCard(notice: BundledNotice, isFullShown: Boolean, onShow: (Boolean) -> Unit) = Card {
    Heading(notice.title)
    BasicText(notice.short, style = Type.body)
    Button(if (isFullShown) "Show less" else "Read all of it", { onShow(!isFullShown) })
    if (isFullShown) for (section in notice.full) {
        Column(verticalArrangement = Arrangement.spacedBy(Space.small)) {
            BasicText(section.heading, style = Type.strong)
            for (paragraph in section.paragraphs) BasicText(paragraph, style = Type.body)
        }
    }
}

@Composable
private fun Purposes(model: ChoiceModel, state: ChoiceState, notice: BundledNotice) = Card {
    Heading("What may your moments be used for?")
    for (purpose in state.asked) {
        val use = Use.of(notice.purposes.getValue(purpose))
        SwitchRow(use.name, use.meaning, purpose in state.chosen) { model.switch(purpose, it) }
    }
}

/** A purpose in the notice's words, which begin with its name and a colon. */
private class Use(val name: String, val meaning: String) {
    companion object {
        fun of(words: String): Use {
            val meaning = words.substringAfter(':').trim().replaceFirstChar(Char::titlecase)
            return Use(words.substringBefore(':').trim(), meaning)
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun AgeQuestion(age: AgeBand?, onAnswer: (AgeBand) -> Unit) = Card {
    Heading("Who is playing?")
    BasicText("For a child, a parent or guardian has to say yes too. We never ask for a birthday.", style = Type.quiet)
    FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        for (band in AgeBand.entries) Answer(band.words, band == age, { onAnswer(band) })
    }
}

@Composable
private fun Agree(missing: String?, model: ChoiceModel) {
    Column(verticalArrangement = Arrangement.spacedBy(Space.small)) {
        Button("Yes, to what is switched on", { model.agree() }, weight = Weight.MAIN, isEnabled = missing == null)
        if (missing != null) BasicText(missing, style = Type.small)
    }
}

/** What the child sees until the guardian has answered. */
@Composable
private fun WaitingScreen(model: ChoiceModel) {
    Screen("Your choice", "You said yes. One more yes is needed.", model) {
        Card {
            Heading("We are waiting for your parent")
            BasicText(
                "A parent or guardian has to say yes too. Until then nothing is kept and nothing is sent. " +
                    "You can play as always.",
                style = Type.body,
            )
            Button("I am the parent or guardian", model::openGate)
        }
        Receipt("The receipt of your answer", model)
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun GateScreen(model: ChoiceModel, gate: Gate) {
    Screen("For the parent or guardian", "A child who plays here said yes. It counts only with yours.", model) {
        Card {
            Heading("How do you show that it is you?")
            BoxWithConstraints {
                val columns = if (maxWidth > TWO_COLUMNS) 2 else 1
                FlowRow(Modifier, Arrangement.spacedBy(Space.small), Arrangement.spacedBy(Space.small), columns) {
                    for (method in GuardianMethod.entries) {
                        Answer(method.words, method == gate.method, { model.choose(method) }, Modifier.weight(1f))
                    }
                }
            }
        }
        Card {
            Field("The reference of that check", gate.evidence, model::enterEvidence)
            BasicText(
                "It stands on the confirmation that you got. Only a fingerprint of it is kept, so that it can be shown " +
                    "later that you said yes; who you are is not kept.",
                style = Type.small,
            )
        }
        Column(verticalArrangement = Arrangement.spacedBy(Space.small)) {
            FlowRow(Modifier, Arrangement.spacedBy(12.dp), Arrangement.spacedBy(12.dp)) {
                Button("Yes, my child may take part", { model.approve() }, weight = Weight.MAIN, isEnabled = gate.missing == null)
                Button("Not now", model::closeGate)
            }
            gate.missing?.let { BasicText(it, style = Type.small) }
        }
    }
}

@Composable
private fun AnsweredScreen(model: ChoiceModel, state: ChoiceState) {
    Screen("Your choice", "You said yes, and can take it back at any time under “Take it back”.", model) {
        Card {
            Heading("Your moments may be used for")
            for (purpose in state.agreed) {
                val use = state.notice?.purposes?.get(purpose)?.let(Use::of) ?: Use(purpose.words, "")
                Column {
                    BasicText(use.name, style = Type.strong)
                    BasicText(use.meaning, style = Type.quiet)
                }
            }
        }
        Receipt("Your receipt", model)
        LanguageChooser(state.language, model::read)
        state.notice?.let { NoticeCard(it, state.isFullShown, model::showFull) }
    }
}

@Composable
private fun Receipt(title: String, model: ChoiceModel) = Card {
    Heading(title)
    BasicText("It says what was agreed to and when, in a signed form. It names nobody.", style = Type.quiet)
    Button("Save the receipt", { model.saveReceipt() })
}

private val TWO_COLUMNS = 560.dp
