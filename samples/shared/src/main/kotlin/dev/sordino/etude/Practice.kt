package dev.sordino.etude

import dev.sordino.Event
import dev.sordino.Frame
import dev.sordino.Marked
import dev.sordino.Moment
import dev.sordino.MomentNote
import dev.sordino.Sordino
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.Flow

/**
 * The practice screen.
 *
 * @property level loudness in dB below full scale.
 * @property sounding the MIDI number of the note that sounds.
 * @property cents how far it lies from that key.
 * @property recent the latest notes, oldest first.
 * @property maySample whether moments may be sampled at this instant.
 * @property sampling that in a sentence, with the reason where not.
 * @property correction what the person is about to put right.
 */
data class PracticeState(
    val isListening: Boolean = false,
    val level: Double = LEAST_DECIBELS,
    val sounding: Int? = null,
    val cents: Int = 0,
    val recent: List<HeardNote> = emptyList(),
    val maySample: Boolean = false,
    val sampling: String = "",
    val correction: Correction? = null,
)

/** A moment in which the app was wrong: where it lies, and the notes that the app heard around it. */
data class Correction(val position: Long, val rate: Int, val notes: List<HeardNote>) {
    /** The note that the app heard last. */
    val recognized: HeardNote? get() = notes.lastOrNull()

    /** As a mark, with what was really played in the place of [recognized]; `null` where the person does not know. */
    fun toMoment(played: Int?): Moment = Moment(
        at = position.toULong(),
        expected = if (played == null) emptyList() else notes.dropLast(1).map(::toNote) + playedNote(played),
        recognized = notes.map(::toNote),
        tag = "etude/free-play",
    )

    private fun playedNote(midi: Int): MomentNote =
        toNote(recognized?.copy(midi = midi) ?: HeardNote(midi, position, null))

    private fun toNote(note: HeardNote) =
        MomentNote(note.midi.toUByte(), seconds(note.onset), note.end?.let(::seconds))

    private fun seconds(at: Long) = (at - position).toDouble() / rate
}

/**
 * Hears the person play, shows what it heard, and marks the moments in which it was wrong.
 *
 * @param frames what is heard: the microphone, or the platform's own audio path.
 */
class PracticeModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
    private val frames: () -> Flow<Frame>,
) : Model<PracticeState>(scope, PracticeState()) {
    private var listening: Job? = null

    // Of the frames' own coroutine, but for what the marks take of it.
    private var tracker: PitchTracker? = null
    private var writer = NoteWriter()

    @Volatile
    private var heard = Correction(0, 1, emptyList())

    override suspend fun refresh() {
        val reason = sordino.maySample()
        val sentence = if (reason == null) {
            "Short moments may be kept here. You hear each one before it is sent."
        } else {
            "Nothing is kept: ${wordsOf(reason, sordino.consentState.value)}."
        }
        show { it.copy(maySample = reason == null, sampling = sentence) }
    }

    @Synchronized
    fun start() {
        val before = listening
        if (before?.isActive == true) return
        listening = act {
            // One that was just stopped still lets go of the microphone.
            before?.join()
            tell(null)
            show { it.copy(isListening = true, recent = emptyList()) }
            try {
                frames().collect(::hear)
            } finally {
                show { PracticeState(recent = it.recent, maySample = it.maySample, sampling = it.sampling) }
            }
        }
    }

    @Synchronized
    fun stop() {
        listening?.cancel()
    }

    /** The person says that what the app heard last is wrong; [played] or [doNotKnow] follows. */
    fun gotItWrong() = show { it.copy(correction = heard) }

    /** What was really played. */
    fun played(midi: Int) = mark(midi)

    /** The person knows that it was wrong, but not what it was. */
    fun doNotKnow() = mark(null)

    fun neverMind() = show { it.copy(correction = null) }

    /** Tells what became of a moment that was marked. */
    fun onEvent(event: Event) = when (event) {
        is Event.AwaitsReview -> tell("The moment is ready: hear it under “To hear first”. Without your word it is not sent.")
        is Event.Queued -> tell("The moment waits to be sent.")
        is Event.Withheld -> tell("The moment was not kept: ${wordsOf(event.reason, sordino.consentState.value)}.")
        is Event.Busy -> tell("The moment was not kept: two others are still being worked on.")
        else -> Unit
    }

    private fun mark(played: Int?) {
        val correction = state.value.correction ?: return
        neverMind()
        act {
            tell(
                when (sordino.mark(correction.toMoment(played))) {
                    Marked.CHOSEN -> "Thank you. Play on for two seconds; voices are then taken out of the moment."
                    Marked.JOINED -> "Thank you. That was added to the moment that is being made."
                    Marked.PASSED -> "Thank you. This moment was not drawn, so nothing of it is kept."
                },
            )
        }
    }

    private fun hear(frame: Frame) {
        // Positions count anew where the microphone was opened anew.
        if (frame.position == 0UL || tracker == null) {
            tracker = PitchTracker(frame.rate)
            writer = NoteWriter()
        }
        val pitches = tracker!!.push(frame.samples)
        pitches.forEach(writer::take)
        val end = frame.position.toLong() + frame.samples.size
        val near = writer.notes.filter { end - it.onset < SECONDS_BEFORE * frame.rate }
        heard = Correction(end, frame.rate, near)
        if (pitches.isNotEmpty()) {
            show {
                it.copy(
                    level = pitches.last().level,
                    sounding = writer.sounding?.midi,
                    cents = writer.cents,
                    recent = writer.notes.takeLast(NOTES_SHOWN),
                )
            }
        }
    }

    private companion object {
        const val NOTES_SHOWN = 12

        /** As much of a moment as lies before its mark, at the most. */
        const val SECONDS_BEFORE = 8
    }
}
