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
 * What is being heard: [stop] ends it and waits until what was chosen is sealed, [face] is let go of after that, and
 * [source] pushes into it, where the app is the source.
 */
internal class Heard(
    val stop: () -> Unit,
    private val face: AutoCloseable,
    val source: (suspend () -> Unit)? = null,
) {
    fun letGo() = face.close()
}

/** A cold flow of what [start] hears; each collection starts it anew. */
internal fun framesOf(happenings: Happenings, start: (FrameListener) -> Heard): Flow<Frame> = callbackFlow {
    // Before it starts, so that an end that comes at once is not missed.
    val onEnded: () -> Unit = { channel.close() }
    happenings.whenEnded += onEnded
    val ear = Ear(channel, happenings)
    val heard = try {
        start(ear)
    } catch (failure: SordinoException) {
        happenings.whenEnded -= onEnded
        throw failure
    }
    val source = heard.source?.let { launch { runToItsEnd(it, heard) } }
    var isOver = false
    try {
        awaitClose()
        isOver = true
    } finally {
        happenings.whenEnded -= onEnded
        // It may still push: first it ends, then what it pushes into. One that does not heed its cancellation is left.
        withContext(NonCancellable) { withTimeoutOrNull(SOURCE_MILLIS) { source?.cancelAndJoin() } }
        try {
            heard.stop()
        } catch (fault: SordinoException) {
            // Where the collection itself failed or was cancelled, that is what its owner is told.
            if (isOver) throw fault
        } finally {
            heard.letGo()
            ear.finish()
        }
    }
}.buffer(Sordino.FRAMES_HELD).flowOn(Dispatchers.IO)

/** How long a source that was cancelled may take to return, in milliseconds. */
private const val SOURCE_MILLIS = 2_000L

private suspend fun ProducerScope<Frame>.runToItsEnd(source: suspend () -> Unit, heard: Heard) {
    try {
        source()
    } catch (stopped: SordinoException.Listening) {
        // What it pushed into was closed under it: the end, as any other.
    }
    // Waits until all that was pushed is heard, so that nothing comes after.
    heard.stop()
    channel.close()
}

/**
 * Gives frames to a channel without ever waiting for it, and counts what found no room. That is told as an event, at once
 * and then at most once a second, as the engine tells of what found none there.
 */
private class Ear(private val channel: SendChannel<Frame>, private val happenings: Happenings) : FrameListener {
    private var lost = 0L
    private var untold = 0L
    private var told: TimeMark? = null

    override fun onFrame(frame: EngineFrame) {
        val heard = Frame.of(frame, lost)
        val sent = channel.trySend(heard)
        lost = if (sent.isSuccess) 0 else heard.lost + heard.samples.size
        // After its end nobody misses it.
        if (sent.isFailure && !sent.isClosed) untold += heard.samples.size
        if (told.let { it == null || it.elapsedNow() >= 1.seconds }) tell()
    }

    /** After the last frame. */
    fun finish() = tell()

    private fun tell() {
        if (untold == 0L) return
        happenings.overran(untold)
        untold = 0
        told = TimeSource.Monotonic.markNow()
    }
}
