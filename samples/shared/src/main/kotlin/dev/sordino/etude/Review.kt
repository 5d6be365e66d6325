package dev.sordino.etude

import dev.sordino.Id
import dev.sordino.Offer
import dev.sordino.Preview
import dev.sordino.Sordino
import dev.sordino.toShorts
import kotlin.math.abs
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job

/**
 * A clip that waits for the person's word.
 *
 * @property waveform the loudest sample, 0 to 1, of each of [ReviewModel.BARS] stretches.
 */
data class Clip(val preview: Preview, val waveform: List<Float>)

/**
 * The screen of what would be sent.
 *
 * @property playing the clip that is being played.
 * @property played how much of it has been heard, 0 to 1.
 */
data class ReviewState(val clips: List<Clip> = emptyList(), val playing: Id? = null, val played: Float = 0f)

/** Has the person hear what would be sent, and say yes or no to each. */
class ReviewModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
    private val output: SoundOutput,
) : Model<ReviewState>(scope, ReviewState()) {
    private var playing: Job? = null

    override suspend fun refresh() {
        val known = state.value.clips.associateBy { it.preview.id }
        val clips = sordino.previews().map { preview ->
            known[preview.id] ?: Clip(preview, waveformOf(sordino.preview(preview.id).toShorts()))
        }
        show { it.copy(clips = clips) }
    }

    @Synchronized
    fun play(clip: Id) {
        stop()
        playing = act {
            val sound = sordino.preview(clip)
            val shorts = sound.toShorts()
            show { it.copy(playing = clip, played = 0f) }
            try {
                output.play(shorts, sound.rate.toInt()) { heard ->
                    show { if (it.playing == clip) it.copy(played = heard / shorts.size.toFloat()) else it }
                }
            } finally {
                show { if (it.playing == clip) it.copy(playing = null, played = 0f) else it }
            }
        }
    }

    @Synchronized
    fun stop() {
        playing?.cancel()
    }

    fun accept(clip: Id) = act {
        stop()
        val offer = sordino.acceptPreview(clip)
        refresh()
        tell(
            when (offer) {
                is Offer.Queued -> "Accepted. It is locked, and waits to be sent under “What was sent”."
                is Offer.AwaitsReview -> "It waits for your word."
                is Offer.Withheld -> "It is not sent: ${wordsOf(offer.reason, sordino.consentState.value)}."
            },
        )
    }

    fun discard(clip: Id) = act {
        stop()
        sordino.discardPreview(clip)
        refresh()
        tell("Discarded. Nothing of it is left.")
    }

    companion object {
        /** Bars of a waveform. */
        const val BARS = 120

        internal fun waveformOf(sound: ShortArray): List<Float> = List(BARS) { bar ->
            val from = (bar.toLong() * sound.size / BARS).toInt()
            val until = ((bar + 1L) * sound.size / BARS).toInt()
            var loudest = 0
            for (index in from until until) loudest = maxOf(loudest, abs(sound[index].toInt()))
            loudest / -Short.MIN_VALUE.toFloat()
        }
    }
}
