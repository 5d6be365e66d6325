package dev.sordino.etude.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.text.BasicText
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.ui.unit.dp
import dev.sordino.etude.Clip
import dev.sordino.etude.ReviewModel
import dev.sordino.etude.ReviewState
import dev.sordino.etude.describe
import dev.sordino.etude.label

@Composable
internal fun ReviewScreen(model: ReviewModel) {
    val state by model.state.collectAsState()
    Screen("Review", "These moments would be sent, with voices removed. Nothing is sent unless you accept it.", model) {
        if (state.clips.isEmpty()) Card {
            Heading("Nothing to review")
            BasicText("When you report a wrong note, the moment appears here first.", style = Type.quiet)
        }
        for (clip in state.clips) key(clip.preview.id) { ClipCard(model, state, clip) }
        if (state.clips.isNotEmpty()) {
            BasicText("They are in memory only, and are lost when you close the app.", style = Type.small)
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun ClipCard(model: ReviewModel, state: ReviewState, clip: Clip) = Card {
    val id = clip.preview.id
    val isPlaying = state.playing == id
    Heading(clip.preview.trigger.label)
    BasicText("${secondsOf(clip.preview.seconds)}, for ${describe(clip.preview.purposes)}", style = Type.quiet)
    Waveform(clip.waveform, if (isPlaying) state.progress else 0f)
    FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        if (isPlaying) Button("Stop", model::stop) else Button("Play", { model.play(id) })
        Button("Accept", { model.accept(id) }, emphasis = Emphasis.MAIN)
        Button("Discard", { model.discard(id) }, emphasis = Emphasis.DANGER)
    }
}

/** A duration in words, with one decimal. */
internal fun secondsOf(seconds: Double): String = "%.1f seconds".format(java.util.Locale.ROOT, seconds)
