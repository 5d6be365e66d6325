package dev.sordino.etude

/**
 * A note that was heard; positions count samples.
 *
 * @property end `null` while it sounds.
 */
data class HeardNote(val midi: Int, val onset: Long, val end: Long?)

/**
 * Makes notes of pitches: a note begins where two pitches running have the same key, and ends where two running have
 * not. The same note struck again counts as a new one where it grows louder by [STRIKE_DECIBELS] at once; repeated more
 * softly, as a bow does, it is one long note.
 */
class NoteWriter {
    private val finished = ArrayDeque<HeardNote>()
    private var previous: Pitch? = null
    private var agreed = 0
    private var strays = 0

    /** The note that sounds now. */
    var sounding: HeardNote? = null
        private set

    /** How far its pitch lies from its key, in cents. */
    var cents: Int = 0
        private set

    /** The latest notes, oldest first, with the one that sounds. */
    val notes: List<HeardNote> get() = finished + listOfNotNull(sounding)

    fun take(pitch: Pitch) {
        val tuned = pitch.hertz?.let(Tuned::of)
        val isNew = tuned != null && previous?.hertz?.let(Tuned::of)?.midi == tuned.midi
        val isStruck = pitch.level - (previous?.level ?: LEAST_DECIBELS) > STRIKE_DECIBELS
        when {
            tuned != null && tuned.midi == sounding?.midi -> {
                agreed++
                strays = 0
                cents = tuned.cents
                if (isStruck) begin(tuned, pitch.position)
            }
            isNew -> begin(tuned!!, previous!!.position)
            else -> if (++strays > STRAYS) end(pitch.position)
        }
        previous = pitch
    }

    private fun begin(tuned: Tuned, position: Long) {
        end(position)
        agreed = 2
        strays = 0
        cents = tuned.cents
        sounding = HeardNote(tuned.midi, position, null)
    }

    private fun end(position: Long) {
        val ended = sounding?.copy(end = position) ?: return
        // What was heard for an instant was breath, or the way from one note to the next.
        if (agreed >= LEAST_AGREED) finished += ended
        if (finished.size > NOTES_KEPT) finished.removeFirst()
        sounding = null
    }

    private companion object {
        const val STRIKE_DECIBELS = 6.0
        const val STRAYS = 3
        const val LEAST_AGREED = 4
        const val NOTES_KEPT = 64
    }
}
