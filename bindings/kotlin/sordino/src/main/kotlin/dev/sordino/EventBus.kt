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
 * Receives the engine's events on the threads on which they occur, and publishes them as flows. It has no reference to
 * the engine, so an engine that the app did not close can be garbage-collected.
 */
internal class EventBus : EventListener {
    private val published = MutableSharedFlow<Event>(
        extraBufferCapacity = EVENT_BUFFER_SIZE,
        onBufferOverflow = BufferOverflow.DROP_OLDEST,
    )
    private val state = MutableStateFlow(ConsentState.UNANSWERED)

    /** Called when the source ends. There is one session at a time, so the end belongs to it. */
    val onSourceEnded = CopyOnWriteArrayList<() -> Unit>()

    val events: Flow<Event> = published.asSharedFlow()
    val consentState: StateFlow<ConsentState> = state.asStateFlow()

    private val isInterrupted = AtomicBoolean()

    override fun onEvent(event: Event) {
        // A source that resumes changes its format, and the engine then reports the old one as lost. The interruption
        // was already reported.
        if (event is Event.Capture && event.event is CaptureEvent.Lost && isInterrupted.getAndSet(false)) return
        if (event is Event.ConsentChanged) updateConsent(event.state)
        publish(event)
        if (event is Event.Capture && event.event is CaptureEvent.Ended) onSourceEnded.forEach { it() }
    }

    fun updateConsent(current: ConsentState) {
        state.value = current
    }

    /** Publishes that the app's source is interrupted. */
    fun interrupted(reason: String) {
        isInterrupted.set(true)
        publish(Event.Capture(CaptureEvent.Lost(reason)))
    }

    /** Publishes that [samples] samples did not fit into a flow of frames. */
    fun overrun(samples: Long) = publish(Event.Capture(CaptureEvent.Overrun(samples.toULong())))

    private fun publish(event: Event) {
        published.tryEmit(event)
    }

    private companion object {
        const val EVENT_BUFFER_SIZE = 256
    }
}
