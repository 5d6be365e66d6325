package dev.sordino.etude

import dev.sordino.Id
import dev.sordino.Preview
import dev.sordino.Sordino
import dev.sordino.SubmitOutcome
import dev.sordino.toShorts
import kotlin.math.abs
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job

/**
 * A clip that waits for review.
 *
 * @property waveform the peak, 0 to 1, of each of [ReviewModel.BARS] parts.
 */
data class Clip(val preview: Preview, val waveform: List<Float>)

/**
 * The state of the review screen.
 *
 * @property playing the clip that is playing.
 * @property progress the part of it that has been played, 0 to 1.
 */
data class ReviewState(val clips: List<Clip> = emptyList(), val playing: Id? = null, val progress: Float = 0f)

/** Plays the clips that would be sent, and accepts or discards each. */
class ReviewModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
    private val output: AudioOutput,
) : ViewModel<ReviewState>(scope, ReviewState()) {
    private var playback: Job? = null

    override suspend fun refresh() {
        val known = state.value.clips.associateBy { it.preview.id }
        val clips = sordino.previews().map { preview ->
            known[preview.id] ?: Clip(preview, waveformOf(sordino.preview(preview.id).toShorts()))
        }
        update { it.copy(clips = clips) }
    }

    @Synchronized
    fun play(clip: Id) {
        stop()
        playback = perform {
            val audio = sordino.preview(clip)
            val samples = audio.toShorts()
            update { it.copy(playing = clip, progress = 0f) }
            try {
                output.play(samples, audio.rate.toInt()) { position ->
                    update { if (it.playing == clip) it.copy(progress = position / samples.size.toFloat()) else it }
                }
            } finally {
                update { if (it.playing == clip) it.copy(playing = null, progress = 0f) else it }
            }
        }
    }

    @Synchronized
    fun stop() {
        playback?.cancel()
    }

    fun accept(clip: Id) = perform {
        stop()
        val outcome = sordino.acceptPreview(clip)
        refresh()
        report(
            when (outcome) {
                is SubmitOutcome.Queued -> "Accepted. It is encrypted, and listed under “Samples” until it is sent."
                is SubmitOutcome.AwaitsReview -> "It waits for your review."
                is SubmitOutcome.Withheld -> "It is not sent: ${describe(outcome.reason, sordino.consentState.value)}."
            },
        )
    }

    fun discard(clip: Id) = perform {
        stop()
        sordino.discardPreview(clip)
        refresh()
        report("Discarded and erased.")
    }

    companion object {
        /** The number of bars of a waveform. */
        const val BARS = 120

        internal fun waveformOf(samples: ShortArray): List<Float> = List(BARS) { bar ->
            val from = (bar.toLong() * samples.size / BARS).toInt()
            val until = ((bar + 1L) * samples.size / BARS).toInt()
            var peak = 0
            for (index in from until until) peak = maxOf(peak, abs(samples[index].toInt()))
            peak / -Short.MIN_VALUE.toFloat()
        }
    }
}
