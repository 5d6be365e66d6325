package dev.sordino.etude.screens

import androidx.compose.foundation.background
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.BasicText
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import dev.sordino.etude.Etude

private enum class Tab(val label: String) {
    PRACTICE("Practice"),
    CONSENT("Consent"),
    REVIEW("Review"),
    SAMPLES("Samples"),
    WITHDRAWAL("Withdraw"),
}

/** The app: five screens with tabs, at the side of a window and at the bottom of a phone. */
@Composable
fun EtudeApp(etude: Etude) {
    var isKeyboardUsed by remember { mutableStateOf(false) }
    CompositionLocalProvider(LocalKeyboardUse provides isKeyboardUsed) {
        Tabs(etude, Modifier.fillMaxSize().background(Colors.paper).observeKeyboardUse { isKeyboardUsed = it })
    }
}

@Composable
private fun Tabs(etude: Etude, modifier: Modifier) {
    var selected by remember { mutableStateOf(Tab.PRACTICE) }
    val waiting = etude.review.state.collectAsState().value.clips.size
    BoxWithConstraints(modifier) {
        if (maxWidth >= WIDE) Row {
            Column(Modifier.width(208.dp).fillMaxHeight().background(Colors.card).padding(Space.medium), Arrangement.spacedBy(Space.hair)) {
                BasicText("Etude", Modifier.padding(12.dp, Space.medium), Type.heading.copy(color = Colors.accent))
                for (tab in Tab.entries) TabButton(tab, tab == selected, waiting, Modifier.fillMaxWidth()) { selected = tab }
            }
            Box(Modifier.weight(1f).fillMaxHeight(), Alignment.TopCenter) { TabContent(selected, etude) }
        } else Column {
            Box(Modifier.weight(1f).fillMaxWidth()) { TabContent(selected, etude) }
            Row(Modifier.fillMaxWidth().background(Colors.card).padding(Space.hair)) {
                for (tab in Tab.entries) TabButton(tab, tab == selected, waiting, Modifier.weight(1f), isNarrow = true) { selected = tab }
            }
        }
    }
}

@Composable
private fun TabContent(tab: Tab, etude: Etude) = key(tab) {
    val model = when (tab) {
        Tab.PRACTICE -> etude.practice.also { PracticeScreen(it) }
        Tab.CONSENT -> etude.consent.also { ConsentScreen(it) }
        Tab.REVIEW -> etude.review.also { ReviewScreen(it) }
        Tab.SAMPLES -> etude.samples.also { SamplesScreen(it) }
        Tab.WITHDRAWAL -> etude.withdrawal.also { WithdrawalScreen(it) }
    }
    DisposableEffect(model) { onDispose(model::clearMessage) }
}

@Composable
private fun TabButton(tab: Tab, isSelected: Boolean, waiting: Int, modifier: Modifier, isNarrow: Boolean = false, onSelect: () -> Unit) {
    val interaction = remember { MutableInteractionSource() }
    val count = waiting.takeIf { tab == Tab.REVIEW && it > 0 }
    val shape = RoundedCornerShape(Space.corner)
    Row(
        modifier.heightIn(min = Space.touch).background(if (isSelected) Colors.accentSoft else Colors.card, shape)
            .focusRing(interaction).selectable(isSelected, interaction, null, role = Role.Tab, onClick = onSelect)
            .semantics { contentDescription = tab.label + (count?.let { ", $it waiting" } ?: "") }
            .padding(if (isNarrow) Space.hair else 12.dp, Space.small),
        Arrangement.SpaceBetween,
        Alignment.CenterVertically,
    ) {
        val style = if (isNarrow) Type.small.copy(textAlign = TextAlign.Center) else Type.body
        val color = if (isSelected) Colors.accent else Colors.ink
        BasicText(tab.label, Modifier.weight(1f), style.copy(color = color))
        if (count != null) Tag("$count", Colors.onAccent, Colors.accent)
    }
}

private val WIDE = 700.dp
