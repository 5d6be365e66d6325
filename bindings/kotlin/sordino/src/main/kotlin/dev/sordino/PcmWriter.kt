package dev.sordino

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * Passes audio that the app records to the engine. Push from any thread, one push at a time. A push never waits for
 * the engine, so it may be called from an audio callback.
 */
class PcmWriter internal constructor(
    private val engineWriter: EnginePcmWriter,
    format: PcmFormat,
    private val eventBus: EventBus,
) : AutoCloseable {
    /** The sample rate in Hz. */
    val rate: Int get() = format.rate

    /** The number of interleaved channels. */
    val channels: Int get() = format.channels

    @Volatile
    private var format = format

    // The library reads samples from a buffer outside the Java heap. This one grows to the largest push.
    private var buffer = directBuffer(0)

    /**
     * Pushes interleaved samples with full scale at ±1. NaN and infinity become silence and are reported as an event.
     *
     * @return the number of frames that were dropped because the buffer of two seconds was full. They are also reported
     *   by `CaptureEvent.Overrun` in [Sordino.events]. To pass on a recording, use [write], which waits instead.
     * @throws SordinoException.Argument if [length] is not a multiple of [channels], or the range is outside the array.
     * @throws SordinoException.Stopped if the writer is closed.
     */
    @Synchronized
    fun push(interleaved: FloatArray, offset: Int = 0, length: Int = interleaved.size - offset): Long {
        checkRange(offset, length, interleaved.size)
        val bytes = bufferOf(length * Float.SIZE_BYTES)
        bytes.asFloatBuffer().put(interleaved, offset, length)
        return call { push(bytes) }.toLong()
    }

    /** Pushes interleaved 16-bit samples; otherwise like the overload for floats. */
    @Synchronized
    fun push(interleaved: ShortArray, offset: Int = 0, length: Int = interleaved.size - offset): Long {
        checkRange(offset, length, interleaved.size)
        val bytes = bufferOf(length * Short.SIZE_BYTES)
        bytes.asShortBuffer().put(interleaved, offset, length)
        return call { pushI16(bytes) }.toLong()
    }

    /**
     * Pushes the little-endian 32-bit floats between position and limit of a direct buffer, without copying them in
     * Java; otherwise like the overload for arrays.
     *
     * @throws SordinoException.Argument if the buffer is not direct or does not contain whole frames.
     */
    fun push(interleaved: ByteBuffer): Long {
        if (!interleaved.isDirect) {
            throw argumentError("the buffer is not direct; allocate it with ByteBuffer.allocateDirect")
        }
        // The bindings read a buffer from position 0; a slice starts at the current position.
        return call { push(interleaved.slice()) }.toLong()
    }

    /**
     * Like [push], but waits until the buffer has space, so a whole recording can be passed in one call. The engine
     * processes it as fast as it can and does not wait for the collector of the frames.
     *
     * @param timeout the longest time to wait in total.
     * @return the number of frames that were dropped because the timeout expired; 0 if all were accepted.
     * @throws SordinoException.Argument if [length] is not a multiple of [channels], the range is outside the array, or
     *   [timeout] is negative.
     * @throws SordinoException.Stopped if the writer is closed, also while it waits.
     */
    suspend fun write(
        interleaved: FloatArray,
        offset: Int = 0,
        length: Int = interleaved.size - offset,
        timeout: Duration = WRITE_TIMEOUT,
    ): Long {
        checkRange(offset, length, interleaved.size)
        val bytes = directBuffer(length * Float.SIZE_BYTES).apply { asFloatBuffer().put(interleaved, offset, length) }
        return onIo { write(bytes, secondsOf(timeout)) }
    }

    /** Writes interleaved 16-bit samples; otherwise like the overload for floats. */
    suspend fun write(
        interleaved: ShortArray,
        offset: Int = 0,
        length: Int = interleaved.size - offset,
        timeout: Duration = WRITE_TIMEOUT,
    ): Long {
        checkRange(offset, length, interleaved.size)
        val bytes = directBuffer(length * Short.SIZE_BYTES).apply { asShortBuffer().put(interleaved, offset, length) }
        return onIo { writeI16(bytes, secondsOf(timeout)) }
    }

    /**
     * Reports that the app's audio path dropped [frames] before the next push, so that positions stay correct.
     *
     * @throws SordinoException.Stopped if the writer is closed.
     */
    fun reportDropped(frames: Long) {
        if (frames < 0) throw argumentError("invalid number of dropped frames $frames; pass 0 or more")
        call { reportDropped(frames.toULong()) }
    }

    /**
     * Continues in another format, for example after a headset was plugged in. Positions restart at 0. Samples that
     * were pushed before still arrive.
     *
     * @throws SordinoException.Capture if the format is not supported; the writer then keeps its format.
     */
    fun changeFormat(rate: Int, channels: Int) {
        val changed = PcmFormat(rate, channels)
        call { changeFormat(changed.engineRate, changed.engineChannels) }
        format = changed
    }

    /**
     * Reports to [Sordino.events] that the source is interrupted, for example because a phone call uses the
     * microphone. Call [changeFormat] when it is available again, even if the format is the same.
     *
     * @param reason one line.
     */
    fun reportInterrupted(reason: String): Unit = eventBus.interrupted(reason)

    /**
     * Ends the source, and waits until all pushed samples are processed and the selected ones are sealed and queued.
     * Does nothing if the writer is already closed.
     */
    override fun close() {
        if (engineWriter.uniffiIsDestroyed) return
        try {
            engineWriter.stop()
        } catch (destroyed: IllegalStateException) {
            // Another thread closed it at the same time.
        } finally {
            engineWriter.destroy()
        }
    }

    private suspend fun onIo(work: EnginePcmWriter.() -> ULong): Long =
        withContext(Dispatchers.IO) { call { work() } }.toLong()

    private fun secondsOf(timeout: Duration): Double {
        if (timeout.isNegative()) throw argumentError("invalid timeout $timeout; pass 0 or more")
        return timeout.toDouble(DurationUnit.SECONDS)
    }

    private inline fun <T> call(work: EnginePcmWriter.() -> T): T = try {
        engineWriter.work()
    } catch (destroyed: IllegalStateException) {
        throw writerClosed()
    }

    private fun bufferOf(bytes: Int): ByteBuffer {
        if (buffer.capacity() < bytes) buffer = directBuffer(bytes)
        buffer.clear().limit(bytes)
        return buffer
    }

    private companion object {
        /** Much longer than the engine needs for several minutes of audio. */
        val WRITE_TIMEOUT = 60.seconds
    }
}

private fun checkRange(offset: Int, length: Int, size: Int) {
    if (offset < 0 || length < 0 || length > size - offset) {
        throw argumentError("$length samples from offset $offset are outside an array of $size; pass a range inside it")
    }
}

/** A buffer whose address the bindings can pass to the library. */
internal fun directBuffer(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN)
