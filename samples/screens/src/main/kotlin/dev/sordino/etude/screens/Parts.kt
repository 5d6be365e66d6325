package dev.sordino.etude.screens

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.foundation.interaction.collectIsFocusedAsState
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.offset
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.toggleable
import androidx.compose.foundation.clickable
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.BasicText
import androidx.compose.foundation.text.BasicTextField
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.compositionLocalOf
import androidx.compose.runtime.getValue
import androidx.compose.runtime.remember
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.composed
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.graphics.SolidColor
import androidx.compose.ui.input.key.onPreviewKeyEvent
import androidx.compose.ui.input.pointer.PointerEventPass
import androidx.compose.ui.input.pointer.PointerEventType
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.unit.dp
import dev.sordino.etude.Model

private val corners = RoundedCornerShape(Space.corner)

/** Whether the person goes about by the keyboard, so that its focus is to be seen. */
internal val LocalKeyboardUse = compositionLocalOf { false }

/** Notes whether the last thing that came was a key or a pointer. */
internal fun Modifier.noteKeyboardUse(onChange: (Boolean) -> Unit): Modifier = this
    .onPreviewKeyEvent { onChange(true); false }
    .pointerInput(Unit) {
        awaitPointerEventScope { while (true) if (awaitPointerEvent(PointerEventPass.Initial).type == PointerEventType.Press) onChange(false) }
    }

/** A ring around what the keyboard's focus is on; [interaction] is that of the control. */
internal fun Modifier.focusRing(interaction: MutableInteractionSource, shape: Shape = corners): Modifier = composed {
    val isFocused by interaction.collectIsFocusedAsState()
    if (isFocused && LocalKeyboardUse.current) border(3.dp, Colors.ink, shape) else this
}

/** A screen: its title, a sentence below it, what came of the last deed, and its content, which scrolls. */
@Composable
internal fun Screen(title: String, lead: String, model: Model<*>, content: @Composable ColumnScope.() -> Unit) {
    Column(
        Modifier.verticalScroll(rememberScrollState()).padding(Space.large).widthIn(max = Space.readable).fillMaxWidth(),
        Arrangement.spacedBy(Space.medium),
    ) {
        Column(verticalArrangement = Arrangement.spacedBy(Space.hair)) {
            BasicText(title, Modifier.semantics { heading() }, Type.title)
            BasicText(lead, style = Type.quiet)
        }
        val told by model.told.collectAsState()
        val problem by model.problem.collectAsState()
        problem?.let { Notice(it, Colors.danger, Colors.dangerSoft) }
        told?.let { Notice(it, Colors.accent, Colors.accentSoft) }
        content()
    }
}

/** A sentence that is read out when it appears. */
@Composable
internal fun Notice(text: String, ink: Color, ground: Color, modifier: Modifier = Modifier) {
    BasicText(
        text,
        modifier.fillMaxWidth().background(ground, corners).padding(Space.medium, 12.dp)
            .semantics { liveRegion = LiveRegionMode.Polite },
        Type.body.copy(color = ink),
    )
}

/** A white sheet. */
@Composable
internal fun Card(modifier: Modifier = Modifier, content: @Composable ColumnScope.() -> Unit) {
    Column(
        modifier.fillMaxWidth().background(Colors.card, corners).border(1.dp, Colors.line, corners)
            .padding(Space.large),
        Arrangement.spacedBy(Space.medium),
        content = content,
    )
}

@Composable
internal fun Heading(text: String) = BasicText(text, Modifier.semantics { heading() }, Type.heading)

/** How much a button weighs. */
internal enum class Weight { MAIN, PLAIN, DANGER }

@Composable
internal fun Button(
    text: String,
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    weight: Weight = Weight.PLAIN,
    isEnabled: Boolean = true,
) {
    val interaction = remember { MutableInteractionSource() }
    val (ground, ink, edge) = when {
        !isEnabled -> Triple(Colors.line, Colors.quiet, Colors.line)
        weight == Weight.MAIN -> Triple(Colors.accent, Colors.onAccent, Colors.accent)
        weight == Weight.DANGER -> Triple(Colors.card, Colors.danger, Colors.danger)
        else -> Triple(Colors.card, Colors.accent, Colors.border)
    }
    Box(
        modifier.heightIn(min = Space.touch).background(ground, corners).border(1.dp, edge, corners)
            .focusRing(interaction)
            .clickable(interaction, null, isEnabled, role = Role.Button, onClick = onClick)
            .padding(horizontal = 20.dp, vertical = 10.dp),
        Alignment.Center,
    ) { BasicText(text, style = Type.strong.copy(color = ink)) }
}

/** A switch with its label and what it means. */
@Composable
internal fun SwitchRow(label: String, meaning: String, isOn: Boolean, onChange: (Boolean) -> Unit) {
    val interaction = remember { MutableInteractionSource() }
    Row(
        Modifier.fillMaxWidth().focusRing(interaction)
            .toggleable(isOn, interaction, null, role = Role.Switch, onValueChange = onChange)
            .padding(Space.small),
        Arrangement.spacedBy(Space.medium),
    ) {
        Box(
            Modifier.padding(top = 2.dp).size(48.dp, 28.dp).background(if (isOn) Colors.accent else Colors.card, CircleShape)
                .border(2.dp, if (isOn) Colors.accent else Colors.border, CircleShape),
            Alignment.CenterStart,
        ) {
            Box(
                Modifier.offset(x = if (isOn) 24.dp else 5.dp).size(if (isOn) 20.dp else 16.dp)
                    .background(if (isOn) Colors.onAccent else Colors.border, CircleShape),
            )
        }
        Column(Modifier.weight(1f)) {
            BasicText(label, style = Type.strong)
            BasicText(meaning, style = Type.quiet)
        }
        BasicText(if (isOn) "On" else "Off", style = Type.small)
    }
}

/** One of several answers. */
@Composable
internal fun Answer(label: String, isChosen: Boolean, onChoose: () -> Unit, modifier: Modifier = Modifier) {
    val interaction = remember { MutableInteractionSource() }
    Row(
        modifier.heightIn(min = Space.touch).focusRing(interaction)
            .background(if (isChosen) Colors.accentSoft else Colors.card, corners)
            .border(if (isChosen) 2.dp else 1.dp, if (isChosen) Colors.accent else Colors.border, corners)
            .selectable(isChosen, interaction, null, role = Role.RadioButton, onClick = onChoose)
            .padding(Space.medium, 10.dp),
        Arrangement.spacedBy(10.dp),
        Alignment.CenterVertically,
    ) {
        Box(Modifier.size(18.dp).border(2.dp, if (isChosen) Colors.accent else Colors.border, CircleShape), Alignment.Center) {
            if (isChosen) Box(Modifier.size(10.dp).background(Colors.accent, CircleShape))
        }
        BasicText(label, style = Type.body)
    }
}

/** A line of text to be written. */
@Composable
internal fun Field(label: String, text: String, onChange: (String) -> Unit) {
    val interaction = remember { MutableInteractionSource() }
    Column(verticalArrangement = Arrangement.spacedBy(Space.hair)) {
        BasicText(label, style = Type.strong)
        BasicTextField(
            text,
            onChange,
            Modifier.fillMaxWidth().heightIn(min = Space.touch).focusRing(interaction)
                .border(1.dp, Colors.border, corners).padding(Space.medium, 11.dp)
                .semantics { contentDescription = label },
            textStyle = Type.body,
            singleLine = true,
            interactionSource = interaction,
            cursorBrush = SolidColor(Colors.accent),
        )
    }
}

/** A word in a small frame. */
@Composable
internal fun Tag(text: String, ink: Color = Colors.quiet, ground: Color = Colors.paper, style: TextStyle = Type.small) {
    BasicText(text, Modifier.background(ground, RoundedCornerShape(6.dp)).padding(Space.small, Space.hair), style.copy(color = ink))
}
