package dev.sordino.etude

import dev.sordino.Event
import dev.sordino.Frame
import dev.sordino.MarkOutcome
import dev.sordino.Moment
import dev.sordino.MomentNote
import dev.sordino.Sordino
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.Flow

/**
 * The state of the practice screen.
 *
 * @property level the level in dB relative to full scale.
 * @property sounding the MIDI number of the note that sounds.
 * @property cents its distance from that key.
 * @property recent the latest notes, oldest first.
 * @property isSamplingAllowed whether moments may be sampled now.
 * @property samplingText the same in a sentence, with the reason if not.
 * @property correction the moment that the person is correcting.
 */
data class PracticeState(
    val isListening: Boolean = false,
    val level: Double = MIN_DECIBELS,
    val sounding: Int? = null,
    val cents: Int = 0,
    val recent: List<DetectedNote> = emptyList(),
    val isSamplingAllowed: Boolean = false,
    val samplingText: String = "",
    val correction: Correction? = null,
)

/** A moment in which the app was wrong: its position, and the notes that the app detected around it. */
data class Correction(val position: Long, val rate: Int, val notes: List<DetectedNote>) {
    /** The note that the app detected last. */
    val recognized: DetectedNote? get() = notes.lastOrNull()

    /** The moment to mark, with [played] in place of [recognized]; `null` if the person does not know it. */
    fun toMoment(played: Int?): Moment = Moment(
        at = position.toULong(),
        expected = if (played == null) emptyList() else notes.dropLast(1).map(::toNote) + playedNote(played),
        recognized = notes.map(::toNote),
        tag = "etude/free-play",
    )

    private fun playedNote(midi: Int): MomentNote =
        toNote(recognized?.copy(midi = midi) ?: DetectedNote(midi, position, null))

    private fun toNote(note: DetectedNote) =
        MomentNote(note.midi.toUByte(), seconds(note.onset), note.end?.let(::seconds))

    private fun seconds(at: Long) = (at - position).toDouble() / rate
}

/**
 * Listens to the person, shows the detected notes, and marks the moments in which they were wrong.
 *
 * @param frames the frames of the microphone, or of the platform's audio path.
 */
class PracticeModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
    private val frames: () -> Flow<Frame>,
) : ViewModel<PracticeState>(scope, PracticeState()) {
    private var listening: Job? = null

    // Used only by the coroutine that collects the frames.
    private var tracker: PitchTracker? = null
    private var detector = NoteDetector()

    @Volatile
    private var latest = Correction(0, 1, emptyList())

    override suspend fun refresh() {
        val reason = sordino.samplingBlocked()
        val text = if (reason == null) {
            "Short moments may be recorded. You review each one before it is sent."
        } else {
            "Nothing is recorded: ${describe(reason, sordino.consentState.value)}."
        }
        update { it.copy(isSamplingAllowed = reason == null, samplingText = text) }
    }

    @Synchronized
    fun start() {
        val previous = listening
        if (previous?.isActive == true) return
        listening = perform {
            // A job that was just stopped may still be releasing the microphone.
            previous?.join()
            clearMessage()
            update { it.copy(isListening = true, recent = emptyList()) }
            try {
                frames().collect(::process)
            } finally {
                update {
                    PracticeState(
                        recent = it.recent, isSamplingAllowed = it.isSamplingAllowed, samplingText = it.samplingText,
                    )
                }
            }
        }
    }

    @Synchronized
    fun stop() {
        listening?.cancel()
    }

    /** Starts to correct the note that the app detected last; [correctTo] or [correctToUnknown] follows. */
    fun startCorrection() = update { it.copy(correction = latest) }

    /** Marks the moment with the note that was played. */
    fun correctTo(midi: Int) = mark(midi)

    /** Marks the moment without the note that was played, because the person does not know it. */
    fun correctToUnknown() = mark(null)

    fun cancelCorrection() = update { it.copy(correction = null) }

    /** Reports the result of a moment that was marked. */
    fun onEvent(event: Event) = when (event) {
        is Event.AwaitsReview -> report("The moment is ready under “Review”. It is not sent unless you accept it.")
        is Event.Queued -> report("The moment will be sent.")
        is Event.Withheld ->
            report("The moment was not recorded: ${describe(event.reason, sordino.consentState.value)}.")
        is Event.ClipDropped -> report("The moment was not recorded: two others are still being processed.")
        else -> Unit
    }

    private fun mark(played: Int?) {
        val correction = state.value.correction ?: return
        cancelCorrection()
        perform {
            report(
                when (sordino.mark(correction.toMoment(played))) {
                    MarkOutcome.SELECTED -> "Thank you. Keep playing for two seconds; then voices are removed from the moment."
                    MarkOutcome.MERGED -> "Thank you. This was added to the moment that is being recorded."
                    MarkOutcome.SKIPPED -> "Thank you. This moment was not selected, so nothing of it is recorded."
                },
            )
        }
    }

    private fun process(frame: Frame) {
        // Positions restart at 0 when the microphone is reopened.
        if (frame.position == 0UL || tracker == null) {
            tracker = PitchTracker(frame.rate)
            detector = NoteDetector()
        }
        val pitches = tracker!!.push(frame.samples)
        pitches.forEach(detector::push)
        val end = frame.position.toLong() + frame.samples.size
        val near = detector.notes.filter { end - it.onset < SECONDS_BEFORE * frame.rate }
        latest = Correction(end, frame.rate, near)
        if (pitches.isNotEmpty()) {
            update {
                it.copy(
                    level = pitches.last().level,
                    sounding = detector.sounding?.midi,
                    cents = detector.cents,
                    recent = detector.notes.takeLast(MAX_NOTES_SHOWN),
                )
            }
        }
    }

    private companion object {
        const val MAX_NOTES_SHOWN = 12

        /** The longest part of a moment before its mark. */
        const val SECONDS_BEFORE = 8
    }
}
