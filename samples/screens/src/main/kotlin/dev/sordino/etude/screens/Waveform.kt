package dev.sordino.etude.screens

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.graphics.drawscope.Stroke
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp

/** An outline of 2 dp. */
internal fun DrawScope.ring() = Stroke(2.dp.toPx())

/** The peaks of a clip as bars; those before [progress], 0 to 1, have been played. */
@Composable
internal fun Waveform(bars: List<Float>, progress: Float) {
    // Scaled so that quiet clips fill the height too.
    val maxPeak = maxOf(bars.max(), MIN_PEAK)
    Canvas(Modifier.fillMaxWidth().height(72.dp).semantics { contentDescription = "Waveform of the moment" }) {
        val step = size.width / bars.size
        bars.forEachIndexed { index, peak ->
            val half = maxOf(1.dp.toPx(), peak / maxPeak * size.height / 2)
            val x = step * (index + 0.5f)
            val color = if ((index + 1) / bars.size.toFloat() <= progress) Colors.accent else Colors.border
            drawLine(color, Offset(x, center.y - half), Offset(x, center.y + half), step * 0.6f, StrokeCap.Round)
        }
    }
}

private const val MIN_PEAK = 0.01f
