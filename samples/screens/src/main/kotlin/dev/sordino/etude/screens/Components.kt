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
import dev.sordino.etude.ViewModel

private val corners = RoundedCornerShape(Space.corner)

/** Whether the person uses the keyboard, so that the focus must be visible. */
internal val LocalKeyboardUse = compositionLocalOf { false }

/** Reports whether the last input was a key or a pointer. */
internal fun Modifier.observeKeyboardUse(onChange: (Boolean) -> Unit): Modifier = this
    .onPreviewKeyEvent { onChange(true); false }
    .pointerInput(Unit) {
        awaitPointerEventScope { while (true) if (awaitPointerEvent(PointerEventPass.Initial).type == PointerEventType.Press) onChange(false) }
    }

/** A ring around the control with the keyboard's focus; [interaction] is that of the control. */
internal fun Modifier.focusRing(interaction: MutableInteractionSource, shape: Shape = corners): Modifier = composed {
    val isFocused by interaction.collectIsFocusedAsState()
    if (isFocused && LocalKeyboardUse.current) border(3.dp, Colors.ink, shape) else this
}

/** A screen: its title, a subtitle, the result of the last action, and its scrolling content. */
@Composable
internal fun Screen(title: String, subtitle: String, model: ViewModel<*>, content: @Composable ColumnScope.() -> Unit) {
    Column(
        Modifier.verticalScroll(rememberScrollState()).padding(Space.large).widthIn(max = Space.readable).fillMaxWidth(),
        Arrangement.spacedBy(Space.medium),
    ) {
        Column(verticalArrangement = Arrangement.spacedBy(Space.hair)) {
            BasicText(title, Modifier.semantics { heading() }, Type.title)
            BasicText(subtitle, style = Type.quiet)
        }
        val message by model.message.collectAsState()
        val problem by model.problem.collectAsState()
        problem?.message?.let { Notice(it, Colors.danger, Colors.dangerSoft) }
        message?.let { Notice(it, Colors.accent, Colors.accentSoft) }
        content()
    }
}

/** A sentence that screen readers announce when it appears. */
@Composable
internal fun Notice(text: String, color: Color, background: Color, modifier: Modifier = Modifier) {
    BasicText(
        text,
        modifier.fillMaxWidth().background(background, corners).padding(Space.medium, 12.dp)
            .semantics { liveRegion = LiveRegionMode.Polite },
        Type.body.copy(color = color),
    )
}

/** A white card. */
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

/** The emphasis of a button. */
internal enum class Emphasis { MAIN, PLAIN, DANGER }

@Composable
internal fun Button(
    text: String,
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    emphasis: Emphasis = Emphasis.PLAIN,
    isEnabled: Boolean = true,
) {
    val interaction = remember { MutableInteractionSource() }
    val (background, color, border) = when {
        !isEnabled -> Triple(Colors.line, Colors.quiet, Colors.line)
        emphasis == Emphasis.MAIN -> Triple(Colors.accent, Colors.onAccent, Colors.accent)
        emphasis == Emphasis.DANGER -> Triple(Colors.card, Colors.danger, Colors.danger)
        else -> Triple(Colors.card, Colors.accent, Colors.border)
    }
    Box(
        modifier.heightIn(min = Space.touch).background(background, corners).border(1.dp, border, corners)
            .focusRing(interaction)
            .clickable(interaction, null, isEnabled, role = Role.Button, onClick = onClick)
            .padding(horizontal = 20.dp, vertical = 10.dp),
        Alignment.Center,
    ) { BasicText(text, style = Type.strong.copy(color = color)) }
}

/** A switch with its label. */
@Composable
internal fun SwitchRow(label: String, isOn: Boolean, onChange: (Boolean) -> Unit) {
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
        BasicText(label, Modifier.weight(1f), Type.body)
        BasicText(if (isOn) "On" else "Off", style = Type.small)
    }
}

/** One of several options. */
@Composable
internal fun Option(label: String, isSelected: Boolean, onSelect: () -> Unit, modifier: Modifier = Modifier) {
    val interaction = remember { MutableInteractionSource() }
    Row(
        modifier.heightIn(min = Space.touch).focusRing(interaction)
            .background(if (isSelected) Colors.accentSoft else Colors.card, corners)
            .border(if (isSelected) 2.dp else 1.dp, if (isSelected) Colors.accent else Colors.border, corners)
            .selectable(isSelected, interaction, null, role = Role.RadioButton, onClick = onSelect)
            .padding(Space.medium, 10.dp),
        Arrangement.spacedBy(10.dp),
        Alignment.CenterVertically,
    ) {
        Box(Modifier.size(18.dp).border(2.dp, if (isSelected) Colors.accent else Colors.border, CircleShape), Alignment.Center) {
            if (isSelected) Box(Modifier.size(10.dp).background(Colors.accent, CircleShape))
        }
        BasicText(label, style = Type.body)
    }
}

/** A text field. */
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

/** A small label with a background. */
@Composable
internal fun Tag(text: String, color: Color = Colors.quiet, background: Color = Colors.paper, style: TextStyle = Type.small) {
    BasicText(text, Modifier.background(background, RoundedCornerShape(6.dp)).padding(Space.small, Space.hair), style.copy(color = color))
}
