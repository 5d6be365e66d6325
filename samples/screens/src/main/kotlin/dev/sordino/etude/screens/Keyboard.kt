package dev.sordino.etude.screens

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.offset
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.BasicText
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import dev.sordino.etude.isBlack
import dev.sordino.etude.nameOf

private val WIDE = 36..96
private val NARROW = 48..84
private val HEIGHT = 128.dp

/**
 * A piano keyboard with the key of [sounding] highlighted. With [onKey] the keys are buttons named after their notes;
 * without, it is an image.
 */
@Composable
internal fun Keyboard(sounding: Int?, onKey: ((Int) -> Unit)?) {
    BoxWithConstraints(Modifier.fillMaxWidth().height(HEIGHT)) {
        val keys = if (maxWidth > 520.dp) WIDE else NARROW
        val width = maxWidth / keys.count { !isBlack(it) }
        val description = "Keyboard. " + (sounding?.let { "${nameOf(it)} sounds." } ?: "Nothing sounds.")
        Box(if (onKey == null) Modifier.clearAndSetSemantics { contentDescription = description } else Modifier) {
            // Black keys are drawn over the white ones.
            for (midi in keys.filterNot(::isBlack)) Key(midi, keys.first, width, midi == sounding, onKey)
            for (midi in keys.filter(::isBlack)) Key(midi, keys.first, width, midi == sounding, onKey)
        }
    }
}

@Composable
private fun Key(midi: Int, first: Int, width: Dp, isSounding: Boolean, onKey: ((Int) -> Unit)?) {
    val isBlack = isBlack(midi)
    val whitesBefore = (first until midi).count { !isBlack(it) }
    val left = width * whitesBefore - if (isBlack) width * 0.3f else 0.dp
    val size = if (isBlack) Modifier.size(width * 0.6f, HEIGHT * 0.6f) else Modifier.size(width, HEIGHT)
    val shape = RoundedCornerShape(bottomStart = 4.dp, bottomEnd = 4.dp)
    val background = when {
        isSounding -> Colors.accent
        isBlack -> Colors.ink
        else -> Colors.card
    }
    val interaction = remember { MutableInteractionSource() }
    val pressable = if (onKey == null) Modifier else {
        Modifier.focusRing(interaction, shape)
            .clickable(interaction, null, role = Role.Button) { onKey(midi) }
            .semantics { contentDescription = nameOf(midi) }
    }
    Box(
        Modifier.offset(left).then(size).background(background, shape).border(1.dp, Colors.border, shape).then(pressable),
        Alignment.BottomCenter,
    ) {
        val label = Type.small.copy(fontSize = 10.sp, color = if (isSounding) Colors.onAccent else Colors.quiet)
        if (midi % 12 == 0) BasicText(nameOf(midi), Modifier.padding(bottom = 2.dp), label, softWrap = false)
    }
}
