package dev.sordino.etude

/**
 * A note that was detected, with positions in samples.
 *
 * @property end `null` while it sounds.
 */
data class DetectedNote(val midi: Int, val onset: Long, val end: Long?)

/**
 * Turns pitches into notes: a note begins when two successive pitches have the same key, and ends when several have
 * another. The same note counts as a new one if its level rises by [STRIKE_DECIBELS] between two pitches; repeated more
 * softly, for example with a bow, it is one long note.
 */
class NoteDetector {
    private val finished = ArrayDeque<DetectedNote>()
    private var previous: Pitch? = null
    private var matches = 0
    private var mismatches = 0

    /** The note that sounds now. */
    var sounding: DetectedNote? = null
        private set

    /** The distance of its pitch from its key, in cents. */
    var cents: Int = 0
        private set

    /** The latest notes, oldest first, including the one that sounds. */
    val notes: List<DetectedNote> get() = finished + listOfNotNull(sounding)

    fun push(pitch: Pitch) {
        val tuned = pitch.hertz?.let(TunedNote::from)
        val isNew = tuned != null && previous?.hertz?.let(TunedNote::from)?.midi == tuned.midi
        val isStruck = pitch.level - (previous?.level ?: MIN_DECIBELS) > STRIKE_DECIBELS
        when {
            tuned != null && tuned.midi == sounding?.midi -> {
                matches++
                mismatches = 0
                cents = tuned.cents
                if (isStruck) begin(tuned, pitch.position)
            }
            isNew -> begin(tuned!!, previous!!.position)
            else -> if (++mismatches > MAX_MISMATCHES) end(pitch.position)
        }
        previous = pitch
    }

    private fun begin(tuned: TunedNote, position: Long) {
        end(position)
        matches = 2
        mismatches = 0
        cents = tuned.cents
        sounding = DetectedNote(tuned.midi, position, null)
    }

    private fun end(position: Long) {
        val ended = sounding?.copy(end = position) ?: return
        // Shorter ones are breath noise, or the transition between two notes.
        if (matches >= MIN_MATCHES) finished += ended
        if (finished.size > MAX_NOTES) finished.removeFirst()
        sounding = null
    }

    private companion object {
        const val STRIKE_DECIBELS = 6.0
        const val MAX_MISMATCHES = 3
        const val MIN_MATCHES = 4
        const val MAX_NOTES = 64
    }
}
