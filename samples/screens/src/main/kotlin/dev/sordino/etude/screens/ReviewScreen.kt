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
import dev.sordino.etude.words
import dev.sordino.etude.wordsOf

@Composable
internal fun ReviewScreen(model: ReviewModel) {
    val state by model.state.collectAsState()
    Screen("To hear first", "This is what we would send, with voices taken out. Nothing goes without your yes.", model) {
        if (state.clips.isEmpty()) Card {
            Heading("Nothing waits for you")
            BasicText("When you say that the app got it wrong, the moment comes here first.", style = Type.quiet)
        }
        for (clip in state.clips) key(clip.preview.id) { ClipCard(model, state, clip) }
        if (state.clips.isNotEmpty()) {
            BasicText("They are kept in memory only, and are gone when you close the app.", style = Type.small)
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun ClipCard(model: ReviewModel, state: ReviewState, clip: Clip) = Card {
    val id = clip.preview.id
    val isPlaying = state.playing == id
    Heading(clip.preview.trigger.words)
    BasicText("${secondsOf(clip.preview.seconds)}, for ${wordsOf(clip.preview.purposes)}", style = Type.quiet)
    Waveform(clip.waveform, if (isPlaying) state.played else 0f)
    FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        if (isPlaying) Button("Stop", model::stop) else Button("Play", { model.play(id) })
        Button("Yes, send it", { model.accept(id) }, weight = Weight.MAIN)
        Button("No, discard it", { model.discard(id) }, weight = Weight.DANGER)
    }
}

/** A length in words, with one decimal. */
internal fun secondsOf(seconds: Double): String = "%.1f seconds".format(java.util.Locale.ROOT, seconds)
