package dev.sordino.etude

import kotlin.math.log10
import kotlin.math.log2
import kotlin.math.roundToInt
import kotlin.math.sqrt

/**
 * The pitch of a single voice at one time.
 *
 * @property hertz the fundamental frequency; `null` for silence, noise or chords.
 * @property level the level in dB relative to full scale, at most 0.
 * @property position the time in samples since the tracker's start.
 */
class Pitch(val hertz: Double?, val level: Double, val position: Long)

/**
 * Tracks the pitch of one note at a time, from [MIN_HERTZ] to [MAX_HERTZ].
 *
 * Implements YIN (de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111(4),
 * 2002), steps 1 to 5, without step 6, the best local estimate. For a chord it finds one note or none.
 *
 * @param rate the sample rate in Hz.
 */
class PitchTracker(private val rate: Int) {
    private val minLag = (rate / MAX_HERTZ).toInt()
    private val maxLag = (rate / MIN_HERTZ).toInt()
    private val window = (rate * WINDOW_SECONDS).toInt()
    private val hop = (rate * HOP_SECONDS).toInt()
    private val buffer = FloatArray(window + maxLag)
    private val difference = DoubleArray(maxLag + 1)
    private var filled = 0
    private var position = 0L

    /** Processes mono samples with full scale at ±1, and returns a pitch for every 20 ms. */
    fun push(samples: FloatArray): List<Pitch> {
        val pitches = mutableListOf<Pitch>()
        var taken = 0
        while (taken < samples.size) {
            val count = minOf(buffer.size - filled, samples.size - taken)
            samples.copyInto(buffer, filled, taken, taken + count)
            filled += count
            taken += count
            position += count
            if (filled == buffer.size) {
                pitches += pitch()
                buffer.copyInto(buffer, 0, hop)
                filled -= hop
            }
        }
        return pitches
    }

    private fun pitch(): Pitch {
        val level = decibels(buffer)
        val period = if (level > MIN_LEVEL) period() else null
        return Pitch(period?.let { rate / it }, level, position - buffer.size / 2)
    }

    /** The period in samples; `null` if the audio is not periodic. */
    private fun period(): Double? {
        computeDifferences()
        var lag = minLag
        while (lag < maxLag && difference[lag] >= THRESHOLD) lag++
        while (lag < maxLag && difference[lag + 1] < difference[lag]) lag++
        return if (lag < maxLag) interpolatedMinimum(lag) else null
    }

    /** The cumulative mean normalized difference function. */
    private fun computeDifferences() {
        difference[0] = 1.0
        var sum = 0.0
        for (lag in 1..maxLag) {
            var squares = 0f
            for (index in 0 until window) {
                val delta = buffer[index] - buffer[index + lag]
                squares += delta * delta
            }
            sum += squares
            difference[lag] = if (sum > 0) squares * lag / sum else 1.0
        }
    }

    /** The minimum of the parabola through three neighbors, since periods are not whole numbers of samples. */
    private fun interpolatedMinimum(lag: Int): Double {
        val (before, at, after) = Triple(difference[lag - 1], difference[lag], difference[lag + 1])
        val curvature = before - 2 * at + after
        return if (curvature > 0) lag + (before - after) / (2 * curvature) else lag.toDouble()
    }

    companion object {
        /** Below a guitar's lowest string, E2. */
        const val MIN_HERTZ = 75.0

        /** Above C7. */
        const val MAX_HERTZ = 2200.0

        private const val WINDOW_SECONDS = 0.032
        private const val HOP_SECONDS = 0.020

        /** The largest aperiodicity of a note: 0 is a perfect tone, 1 is noise. The paper uses 0.1; rooms have echoes. */
        private const val THRESHOLD = 0.2

        /** Quieter audio is treated as background noise; in dB relative to full scale. */
        private const val MIN_LEVEL = -52.0
    }
}

/** The level of [samples] in dB relative to full scale. */
fun decibels(samples: FloatArray): Double {
    var squares = 0.0
    for (sample in samples) squares += sample * sample
    return maxOf(MIN_DECIBELS, 20 * log10(sqrt(squares / maxOf(1, samples.size))))
}

/** The lower end of the level meter. */
const val MIN_DECIBELS = -90.0

/** The fractional MIDI note number of a frequency: 69 is A4 at 440 Hz. */
fun midiOf(hertz: Double): Double = 69 + 12 * log2(hertz / 440)

/** The nearest key, and the distance of a pitch from it in cents, -50 to 50. */
data class TunedNote(val midi: Int, val cents: Int) {
    companion object {
        fun from(hertz: Double): TunedNote {
            val exact = midiOf(hertz)
            val midi = exact.roundToInt()
            return TunedNote(midi, ((exact - midi) * 100).roundToInt())
        }
    }
}

private val NAMES = listOf("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")

/** A note's name and octave, such as `A4`; C4 is middle C. */
fun nameOf(midi: Int): String = NAMES[midi.mod(12)] + (Math.floorDiv(midi, 12) - 1)

/** Whether a note has a black key on the piano. */
fun isBlack(midi: Int): Boolean = NAMES[midi.mod(12)].length > 1
