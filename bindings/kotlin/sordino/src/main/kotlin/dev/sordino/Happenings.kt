package dev.sordino

import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.asStateFlow

/**
 * Takes the engine's events, on the threads on which they happen, and gives them to whoever collects. It holds nothing
 * of the engine, so that one that nobody closed can be collected.
 */
internal class Happenings : EventListener {
    private val told = MutableSharedFlow<Event>(
        extraBufferCapacity = EVENTS_HELD,
        onBufferOverflow = BufferOverflow.DROP_OLDEST,
    )
    private val state = MutableStateFlow(ConsentState.UNANSWERED)

    /** Are told that what was being heard has ended. One source is heard at a time, so that it is theirs. */
    val whenEnded = CopyOnWriteArrayList<() -> Unit>()

    val events: Flow<Event> = told.asSharedFlow()
    val consentState: StateFlow<ConsentState> = state.asStateFlow()

    private val isInterrupted = AtomicBoolean()

    override fun onEvent(event: Event) {
        // A source that is back comes in a new format, before which the engine says that the old one went. That was
        // told when it happened.
        if (event is Event.Capture && event.event is CaptureEvent.Lost && isInterrupted.getAndSet(false)) return
        if (event is Event.ConsentChanged) consentIs(event.state)
        tell(event)
        if (event is Event.Capture && event.event is CaptureEvent.Ended) whenEnded.forEach { it() }
    }

    fun consentIs(now: ConsentState) {
        state.value = now
    }

    /** The app's own source went away for a while. */
    fun interrupted(reason: String) {
        isInterrupted.set(true)
        tell(Event.Capture(CaptureEvent.Lost(reason)))
    }

    /** Frames of as many samples found no room on their way to a collector. */
    fun overran(samples: Long) = tell(Event.Capture(CaptureEvent.Overrun(samples.toULong())))

    private fun tell(event: Event) {
        told.tryEmit(event)
    }

    private companion object {
        const val EVENTS_HELD = 256
    }
}
