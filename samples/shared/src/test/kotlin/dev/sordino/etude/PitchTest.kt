package dev.sordino.etude

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.pow
import kotlin.math.sin
import kotlin.random.Random
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

private const val RATE = 48_000

/** The pitch tracker with synthesized tones and with recordings whose notes are known. */
internal class PitchTest {
    @ParameterizedTest
    @ValueSource(ints = [8_000, 16_000, 44_100, 48_000, 96_000])
    fun `tones of every key are found within five cents`(rate: Int) {
        for (midi in 40..96) {
            val hertz = 440 * 2.0.pow((midi - 69) / 12.0)
            // A period of a few samples is too coarse to interpolate.
            if (hertz > rate / 24.0) continue
            val tone = FloatArray(rate / 5) { index ->
                (1..3).sumOf { sin(2 * PI * hertz * it * index / rate) / (4 * it * it) }.toFloat()
            }
            for (pitch in PitchTracker(rate).push(tone)) {
                val found = midiOf(pitch.hertz ?: Double.NaN)
                assertTrue(abs(found - midi) < 0.05, "${nameOf(midi)} at $rate Hz was found as $found")
            }
        }
    }

    @Test
    fun `noise and silence have no pitch`() {
        val random = Random(6)
        val noise = FloatArray(RATE) { random.nextFloat() - 0.5f }
        val faint = FloatArray(RATE) { (sin(2 * PI * 440 * it / RATE) * 0.001).toFloat() }
        for (samples in listOf(noise, FloatArray(RATE), faint)) {
            for (pitch in PitchTracker(RATE).push(samples)) assertNull(pitch.hertz)
        }
    }

    @Test
    fun `blocks of any size give the same pitches`() {
        val recording = Recording("flute-alone")
        val whole = PitchTracker(recording.rate).push(recording.samples)
        val tracker = PitchTracker(recording.rate)
        val random = Random(7)
        val pitches = mutableListOf<Pitch>()
        var taken = 0
        while (taken < recording.samples.size) {
            val until = minOf(recording.samples.size, taken + random.nextInt(1, 5000))
            pitches += tracker.push(recording.samples.copyOfRange(taken, until))
            taken = until
        }
        assertEquals(whole.map { it.hertz to it.position }, pitches.map { it.hertz to it.position })
    }

    @ParameterizedTest
    @ValueSource(strings = ["piano-alone", "guitar-alone", "flute-alone", "violin-alone", "noisy-room"])
    fun `the played pitches are found`(name: String) {
        val recording = Recording(name)
        assertTrue(recording.notes.size > 10)
        val pitches = PitchTracker(recording.rate).push(recording.samples)
        var right = 0
        var all = 0
        for (note in recording.notes) {
            val quarter = (note.offset - note.onset) / 4
            val inside = pitches.filter {
                it.position / recording.rate.toDouble() in note.onset + quarter..note.offset - quarter
            }
            all += inside.size
            right += inside.count { it.hertz?.let(TunedNote::from)?.midi == note.midi }
        }
        assertTrue(right >= 0.9 * all, "$right of $all pitches of $name are correct")
    }

    /** Softly repeated notes are detected as one, so successive equal notes count once. */
    @ParameterizedTest
    @ValueSource(strings = ["piano-alone", "guitar-alone", "flute-alone", "violin-alone"])
    fun `the played note changes are detected, and few others`(name: String) {
        val recording = Recording(name)
        val detector = NoteDetector()
        PitchTracker(recording.rate).push(recording.samples).forEach(detector::push)
        val changes = recording.notes.filterIndexed { index, note -> recording.notes.getOrNull(index - 1)?.midi != note.midi }
        val found = changes.count { played ->
            detector.notes.any { it.midi == played.midi && abs(it.onset / recording.rate.toDouble() - played.onset) < 0.1 }
        }
        val names = detector.notes.map { nameOf(it.midi) }
        assertTrue(found >= 0.9 * changes.size, "$found of ${changes.size} changes in $name: $names")
        assertTrue(detector.notes.size <= recording.notes.size + 2, "notes of $name were never played: $names")
    }

    @Test
    fun `notes have their usual names`() {
        assertEquals(listOf("C4", "A4", "F♯3", "C-1", "G9"), listOf(60, 69, 54, 0, 127).map(::nameOf))
        assertEquals(TunedNote(69, 30), TunedNote.from(440 * 2.0.pow(0.3 / 12)))
    }
}
