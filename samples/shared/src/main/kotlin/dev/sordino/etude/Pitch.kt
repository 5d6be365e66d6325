package dev.sordino.etude

import kotlin.math.log10
import kotlin.math.log2
import kotlin.math.roundToInt
import kotlin.math.sqrt

/**
 * What one voice sounds like at an instant.
 *
 * @property hertz its fundamental frequency; `null` for silence, noise, or many notes at once.
 * @property level loudness in dB below full scale, at most 0.
 * @property position where the instant lies, in samples since the tracker's start.
 */
class Pitch(val hertz: Double?, val level: Double, val position: Long)

/**
 * Hears the pitch of one note at a time, from [LOWEST_HERTZ] to [HIGHEST_HERTZ].
 *
 * It is YIN (de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111(4),
 * 2002), steps 1 to 5, without the search for the best neighbor in time. Of a chord it hears one note or none.
 *
 * @param rate samples a second.
 */
class PitchTracker(private val rate: Int) {
    private val shortest = (rate / HIGHEST_HERTZ).toInt()
    private val longest = (rate / LOWEST_HERTZ).toInt()
    private val window = (rate * WINDOW_SECONDS).toInt()
    private val hop = (rate * HOP_SECONDS).toInt()
    private val heard = FloatArray(window + longest)
    private val difference = DoubleArray(longest + 1)
    private var filled = 0
    private var position = 0L

    /** Takes more sound, mono with full scale at ±1, and gives the pitch every 20 ms. */
    fun push(samples: FloatArray): List<Pitch> {
        val pitches = mutableListOf<Pitch>()
        var taken = 0
        while (taken < samples.size) {
            val count = minOf(heard.size - filled, samples.size - taken)
            samples.copyInto(heard, filled, taken, taken + count)
            filled += count
            taken += count
            position += count
            if (filled == heard.size) {
                pitches += pitch()
                heard.copyInto(heard, 0, hop)
                filled -= hop
            }
        }
        return pitches
    }

    private fun pitch(): Pitch {
        val level = decibels(heard)
        val period = if (level > QUIETEST) period() else null
        return Pitch(period?.let { rate / it }, level, position - heard.size / 2)
    }

    /** The period in samples; `null` where the sound has none. */
    private fun period(): Double? {
        measureDifferences()
        var lag = shortest
        while (lag < longest && difference[lag] >= THRESHOLD) lag++
        while (lag < longest && difference[lag + 1] < difference[lag]) lag++
        return if (lag < longest) vertex(lag) else null
    }

    /** The cumulative mean normalized difference function. */
    private fun measureDifferences() {
        difference[0] = 1.0
        var sum = 0.0
        for (lag in 1..longest) {
            var squares = 0f
            for (index in 0 until window) {
                val apart = heard[index] - heard[index + lag]
                squares += apart * apart
            }
            sum += squares
            difference[lag] = if (sum > 0) squares * lag / sum else 1.0
        }
    }

    /** Where the parabola through three neighbors is lowest: periods are no whole numbers of samples. */
    private fun vertex(lag: Int): Double {
        val (before, at, after) = Triple(difference[lag - 1], difference[lag], difference[lag + 1])
        val curve = before - 2 * at + after
        return if (curve > 0) lag + (before - after) / (2 * curve) else lag.toDouble()
    }

    companion object {
        /** Below a guitar's lowest string, E2. */
        const val LOWEST_HERTZ = 75.0

        /** Above C7. */
        const val HIGHEST_HERTZ = 2200.0

        private const val WINDOW_SECONDS = 0.032
        private const val HOP_SECONDS = 0.020

        /** How far from periodic a note may be: 0 is a perfect tone, 1 is noise. The paper has 0.1; rooms echo. */
        private const val THRESHOLD = 0.2

        /** What is quieter is taken for the room, in dB below full scale. */
        private const val QUIETEST = -52.0
    }
}

/** The loudness of [samples] in dB below full scale. */
fun decibels(samples: FloatArray): Double {
    var squares = 0.0
    for (sample in samples) squares += sample * sample
    return maxOf(LEAST_DECIBELS, 20 * log10(sqrt(squares / maxOf(1, samples.size))))
}

/** Where a level meter begins. */
const val LEAST_DECIBELS = -90.0

/** A MIDI note number, which may lie between two keys: 69 is A4 at 440 Hz. */
fun midiOf(hertz: Double): Double = 69 + 12 * log2(hertz / 440)

/** The nearest key and how many cents away from it a pitch lies, -50 to 50. */
data class Tuned(val midi: Int, val cents: Int) {
    companion object {
        fun of(hertz: Double): Tuned {
            val exact = midiOf(hertz)
            val midi = exact.roundToInt()
            return Tuned(midi, ((exact - midi) * 100).roundToInt())
        }
    }
}

private val NAMES = listOf("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")

/** A note's name and octave, such as `A4`, where C4 is middle C. */
fun nameOf(midi: Int): String = NAMES[midi.mod(12)] + (Math.floorDiv(midi, 12) - 1)

/** Whether a note has a black key on the piano. */
fun isBlack(midi: Int): Boolean = NAMES[midi.mod(12)].length > 1
