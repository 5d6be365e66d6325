package dev.sordino

import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.ProducerScope
import kotlinx.coroutines.channels.SendChannel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * A capture in progress. [stop] ends it and waits until the selected samples are sealed; [release] then frees [handle].
 * [source] is the app's PCM source, if it is the one that pushes.
 */
internal class Session(
    val stop: () -> Unit,
    private val handle: AutoCloseable,
    val source: (suspend () -> Unit)? = null,
) {
    fun release() = handle.close()
}

/** A cold flow of frames; each collection calls [start] for a new session. */
internal fun frameFlow(eventBus: EventBus, start: (FrameListener) -> Session): Flow<Frame> = callbackFlow {
    // Registered before the start, so that an immediate end of the source is not missed.
    val onEnded: () -> Unit = { channel.close() }
    eventBus.onSourceEnded += onEnded
    val forwarder = FrameForwarder(channel, eventBus)
    val session = try {
        start(forwarder)
    } catch (failure: SordinoException) {
        eventBus.onSourceEnded -= onEnded
        throw failure
    }
    val source = session.source?.let { launch { runSource(it, session) } }
    var isComplete = false
    try {
        awaitClose()
        isComplete = true
    } finally {
        eventBus.onSourceEnded -= onEnded
        // The source may still push, so it ends before its writer. A source that ignores cancellation is abandoned.
        withContext(NonCancellable) { withTimeoutOrNull(SOURCE_CANCELLATION_MILLIS) { source?.cancelAndJoin() } }
        try {
            session.stop()
        } catch (fault: SordinoException) {
            // If the collection itself failed or was canceled, that reason takes precedence.
            if (isComplete) throw fault
        } finally {
            session.release()
            forwarder.finish()
        }
    }
}.buffer(Sordino.FRAME_BUFFER_SIZE).flowOn(Dispatchers.IO)

/** The time that a canceled source may take to return, in milliseconds. */
private const val SOURCE_CANCELLATION_MILLIS = 2_000L

private suspend fun ProducerScope<Frame>.runSource(source: suspend () -> Unit, session: Session) {
    try {
        source()
    } catch (stopped: SordinoException.Stopped) {
        // Its writer was closed: a regular end.
    }
    // Waits until all pushed samples are processed, so that it closes the channel after the last frame.
    session.stop()
    channel.close()
}

/**
 * Sends frames to a channel without waiting, and counts the samples that did not fit. It reports them as an event,
 * immediately and then at most once a second, as the engine does for its buffer.
 */
private class FrameForwarder(
    private val channel: SendChannel<Frame>,
    private val eventBus: EventBus,
) : FrameListener {
    private var lost = 0L
    private var unreported = 0L
    private var lastReport: TimeMark? = null

    override fun onFrame(frame: EngineFrame) {
        val forwarded = Frame.from(frame, lost)
        val sent = channel.trySend(forwarded)
        lost = if (sent.isSuccess) 0 else forwarded.lost + forwarded.samples.size
        // Frames after the end of the channel are not lost.
        if (sent.isFailure && !sent.isClosed) unreported += forwarded.samples.size
        if (lastReport.let { it == null || it.elapsedNow() >= 1.seconds }) report()
    }

    /** Call it after the last frame. */
    fun finish() = report()

    private fun report() {
        if (unreported == 0L) return
        eventBus.overrun(unreported)
        unreported = 0
        lastReport = TimeSource.Monotonic.markNow()
    }
}
