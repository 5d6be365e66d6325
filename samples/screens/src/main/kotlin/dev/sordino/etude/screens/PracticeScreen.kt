package dev.sordino.etude.screens

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.text.BasicText
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import dev.sordino.etude.Correction
import dev.sordino.etude.PracticeModel
import dev.sordino.etude.PracticeState
import dev.sordino.etude.nameOf
import kotlin.math.abs
import kotlin.math.roundToInt

@Composable
internal fun PracticeScreen(model: PracticeModel) {
    val state by model.state.collectAsState()
    Screen("Practice", "Play one note at a time, and see what the app recognizes.", model) {
        SamplingLine(state.isSamplingAllowed, state.samplingText)
        Card {
            // While the person corrects a moment, its note stays visible.
            val correction = state.correction
            val note = if (correction == null) state.sounding else correction.recognized?.midi
            CurrentNote(note, state.cents.takeIf { correction == null && note != null }, state.level)
            Keyboard(note, model::correctTo.takeIf { correction != null })
            if (correction == null) RecentNotes(state) else CorrectionPanel(model, correction)
        }
        Actions(model, state)
    }
}

/** Shows whether moments may be sampled, and the reason if not. */
@Composable
private fun SamplingLine(isAllowed: Boolean, text: String) {
    Row(horizontalArrangement = Arrangement.spacedBy(10.dp), verticalAlignment = Alignment.CenterVertically) {
        Canvas(Modifier.size(12.dp)) {
            if (isAllowed) drawCircle(Colors.accent) else drawCircle(Colors.border, style = ring())
        }
        BasicText(text, style = Type.body)
    }
}

@Composable
private fun CurrentNote(note: Int?, cents: Int?, level: Double) {
    Row(Modifier.fillMaxWidth(), Arrangement.spacedBy(Space.large), Alignment.CenterVertically) {
        val name = note?.let(::nameOf)
        Box(Modifier.width(150.dp).height(84.dp), Alignment.CenterStart) {
            if (name == null) BasicText("No note", style = Type.title.copy(color = Colors.quiet, fontWeight = FontWeight.Light))
            else BasicText(name, style = Type.note, softWrap = false)
        }
        Column(Modifier.weight(1f), Arrangement.spacedBy(Space.small)) {
            Tuning(cents)
            LevelMeter(level)
        }
    }
}

/** The note's distance from its key: a marker between 50 cents flat and 50 cents sharp. */
@Composable
private fun Tuning(cents: Int?) {
    val words = when {
        cents == null -> "Tuning"
        abs(cents) <= 5 -> "In tune"
        cents < 0 -> "${-cents} cents flat"
        else -> "$cents cents sharp"
    }
    BasicText(words, style = Type.small)
    Canvas(Modifier.fillMaxWidth().height(20.dp)) {
        val middle = size.height / 2
        drawLine(Colors.line, Offset(0f, middle), Offset(size.width, middle), 4.dp.toPx())
        drawLine(Colors.border, Offset(center.x, 0f), Offset(center.x, size.height), 2.dp.toPx())
        if (cents != null) drawCircle(Colors.accent, 8.dp.toPx(), Offset(size.width * (0.5f + cents / 100f), middle))
    }
}

/** The level from -60 dB to full scale. */
@Composable
private fun LevelMeter(level: Double) {
    val share = ((level + METER_DECIBELS) / METER_DECIBELS).coerceIn(0.0, 1.0).toFloat()
    val words = if (share == 0f) "Level: silent" else "Level: ${level.roundToInt()} dB"
    BasicText(words, style = Type.small)
    Box(Modifier.fillMaxWidth().height(10.dp).background(Colors.line, CircleShape).clearAndSetSemantics { }) {
        Box(Modifier.fillMaxWidth(share).fillMaxHeight().background(Colors.accent, CircleShape))
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun RecentNotes(state: PracticeState) {
    Row(Modifier.heightIn(min = 32.dp), Arrangement.spacedBy(Space.small), Alignment.CenterVertically) {
        BasicText("Recognized:", style = Type.small)
        FlowRow(horizontalArrangement = Arrangement.spacedBy(6.dp), verticalArrangement = Arrangement.spacedBy(6.dp)) {
            if (state.recent.isEmpty()) BasicText("nothing yet", style = Type.small)
            for (note in state.recent) {
                val isSounding = note.end == null
                Tag(nameOf(note.midi), if (isSounding) Colors.onAccent else Colors.ink, if (isSounding) Colors.accent else Colors.paper)
            }
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun CorrectionPanel(model: PracticeModel, correction: Correction) {
    Column(verticalArrangement = Arrangement.spacedBy(12.dp)) {
        val recognized = correction.recognized?.let { "The app recognized ${nameOf(it.midi)}." } ?: "The app recognized no note."
        BasicText("$recognized What did you play? Press its key above.", style = Type.strong)
        FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
            Button("I do not know", model::correctToUnknown)
            Button("Cancel", model::cancelCorrection)
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun Actions(model: PracticeModel, state: PracticeState) {
    FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        if (state.isListening) Button("Stop listening", model::stop, Modifier.widthIn(min = 160.dp), Emphasis.MAIN)
        else Button("Start listening", model::start, Modifier.widthIn(min = 160.dp), Emphasis.MAIN)
        Button("Report a wrong note", model::startCorrection, isEnabled = state.isListening && state.correction == null)
    }
}

private const val METER_DECIBELS = 60.0
