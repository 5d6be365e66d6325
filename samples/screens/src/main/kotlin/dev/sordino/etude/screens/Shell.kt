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

private enum class Place(val words: String) {
    PRACTICE("Practice"),
    CHOICE("Your choice"),
    REVIEW("To hear first"),
    SENT("What was sent"),
    WITHDRAWAL("Take it back"),
}

/** The app: five screens, and the way between them, at the side of a window and at the foot of a phone. */
@Composable
fun EtudeApp(etude: Etude) {
    var isKeyboardUsed by remember { mutableStateOf(false) }
    CompositionLocalProvider(LocalKeyboardUse provides isKeyboardUsed) {
        Places(etude, Modifier.fillMaxSize().background(Colors.paper).noteKeyboardUse { isKeyboardUsed = it })
    }
}

@Composable
private fun Places(etude: Etude, modifier: Modifier) {
    var place by remember { mutableStateOf(Place.PRACTICE) }
    val waiting = etude.review.state.collectAsState().value.clips.size
    BoxWithConstraints(modifier) {
        if (maxWidth >= WIDE) Row {
            Column(Modifier.width(208.dp).fillMaxHeight().background(Colors.card).padding(Space.medium), Arrangement.spacedBy(Space.hair)) {
                BasicText("Etude", Modifier.padding(12.dp, Space.medium), Type.heading.copy(color = Colors.accent))
                for (each in Place.entries) Way(each, each == place, waiting, Modifier.fillMaxWidth()) { place = each }
            }
            Box(Modifier.weight(1f).fillMaxHeight(), Alignment.TopCenter) { Shown(place, etude) }
        } else Column {
            Box(Modifier.weight(1f).fillMaxWidth()) { Shown(place, etude) }
            Row(Modifier.fillMaxWidth().background(Colors.card).padding(Space.hair)) {
                for (each in Place.entries) Way(each, each == place, waiting, Modifier.weight(1f), isNarrow = true) { place = each }
            }
        }
    }
}

@Composable
private fun Shown(place: Place, etude: Etude) = key(place) {
    val model = when (place) {
        Place.PRACTICE -> etude.practice.also { PracticeScreen(it) }
        Place.CHOICE -> etude.choice.also { ChoiceScreen(it) }
        Place.REVIEW -> etude.review.also { ReviewScreen(it) }
        Place.SENT -> etude.sent.also { SentScreen(it) }
        Place.WITHDRAWAL -> etude.withdrawal.also { WithdrawalScreen(it) }
    }
    DisposableEffect(model) { onDispose(model::forget) }
}

@Composable
private fun Way(place: Place, isShown: Boolean, waiting: Int, modifier: Modifier, isNarrow: Boolean = false, onGo: () -> Unit) {
    val interaction = remember { MutableInteractionSource() }
    val count = waiting.takeIf { place == Place.REVIEW && it > 0 }
    val shape = RoundedCornerShape(Space.corner)
    Row(
        modifier.heightIn(min = Space.touch).background(if (isShown) Colors.accentSoft else Colors.card, shape)
            .focusRing(interaction).selectable(isShown, interaction, null, role = Role.Tab, onClick = onGo)
            .semantics { contentDescription = place.words + (count?.let { ", $it waiting" } ?: "") }
            .padding(if (isNarrow) Space.hair else 12.dp, Space.small),
        Arrangement.SpaceBetween,
        Alignment.CenterVertically,
    ) {
        val style = if (isNarrow) Type.small.copy(textAlign = TextAlign.Center) else Type.body
        val ink = if (isShown) Colors.accent else Colors.ink
        BasicText(place.words, Modifier.weight(1f), style.copy(color = ink))
        if (count != null) Tag("$count", Colors.onAccent, Colors.accent)
    }
}

private val WIDE = 700.dp
