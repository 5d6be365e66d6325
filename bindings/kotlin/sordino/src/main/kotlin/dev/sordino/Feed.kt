package dev.sordino

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** The app's own audio path, as something that can be run; for [Sordino.frames]. */
interface AudioSource {
    /** Samples a second, at the start. */
    val rate: Int

    /** Interleaved channels, at the start. */
    val channels: Int

    /**
     * Records until there is no more, or until it is cancelled, and pushes what it records into [feed]. Runs on
     * `Dispatchers.IO`, where it may block for moments at a time.
     */
    suspend fun run(feed: Feed)
}

/**
 * Takes what the app records. It may be pushed from any thread, one at a time; pushing never waits for the engine, so
 * that it may stand in an audio callback.
 */
class Feed internal constructor(
    private val face: EngineFeed,
    format: HostFormat,
    private val happenings: Happenings,
) : AutoCloseable {
    /** Samples a second. */
    val rate: Int get() = format.rate

    /** Interleaved channels. */
    val channels: Int get() = format.channels

    @Volatile
    private var format = format

    // Sound crosses by the address of a buffer outside of Java's heap; this one grows to the largest push.
    private var crossing = direct(0)

    /**
     * Takes interleaved samples, full scale at ±1. NaN becomes silence and is told as an event.
     *
     * @return how many frames found no room and are lost, because they came faster than they were taken; there is
     *   room for two seconds. `CaptureEvent.Overrun` among [Sordino.events] tells of it too. For a recording, [write]
     *   waits for room.
     * @throws SordinoException.Argument where [length] is no multiple of [channels], or the range is not in the array.
     * @throws SordinoException.Listening once this was closed.
     */
    @Synchronized
    fun push(interleaved: FloatArray, offset: Int = 0, length: Int = interleaved.size - offset): Long {
        checkRange(offset, length, interleaved.size)
        val bytes = crossingOf(length * Float.SIZE_BYTES)
        bytes.asFloatBuffer().put(interleaved, offset, length)
        return called { push(bytes) }.toLong()
    }

    /** As the other, for 16-bit samples. */
    @Synchronized
    fun push(interleaved: ShortArray, offset: Int = 0, length: Int = interleaved.size - offset): Long {
        checkRange(offset, length, interleaved.size)
        val bytes = crossingOf(length * Short.SIZE_BYTES)
        bytes.asShortBuffer().put(interleaved, offset, length)
        return called { pushI16(bytes) }.toLong()
    }

    /**
     * As the other, for little-endian 32-bit floats between position and limit of a direct buffer, which are not
     * copied on the way.
     *
     * @throws SordinoException.Argument for a buffer that is not direct, or not whole frames.
     */
    fun push(interleaved: ByteBuffer): Long {
        if (!interleaved.isDirect) {
            throw SordinoException.Argument("the buffer is not direct; make it with ByteBuffer.allocateDirect")
        }
        // The face takes the whole from position 0; a slice starts where the position stands.
        return called { push(interleaved.slice()) }.toLong()
    }

    /**
     * As [push], but waits for room, so that a recording can be handed over at once. The engine takes it as fast as it
     * can, and so may be ahead of who collects the frames.
     *
     * @param timeout how long it waits in all.
     * @return how many frames still found no room and are lost; 0 says that all were taken.
     * @throws SordinoException.Argument where [length] is no multiple of [channels], the range is not in the array, or
     *   [timeout] is negative.
     * @throws SordinoException.Listening once this was closed, also while it waits.
     */
    suspend fun write(
        interleaved: FloatArray,
        offset: Int = 0,
        length: Int = interleaved.size - offset,
        timeout: Duration = WRITE_TIMEOUT,
    ): Long {
        checkRange(offset, length, interleaved.size)
        val bytes = direct(length * Float.SIZE_BYTES).apply { asFloatBuffer().put(interleaved, offset, length) }
        return waiting { write(bytes, secondsOf(timeout)) }
    }

    /** As the other, for 16-bit samples. */
    suspend fun write(
        interleaved: ShortArray,
        offset: Int = 0,
        length: Int = interleaved.size - offset,
        timeout: Duration = WRITE_TIMEOUT,
    ): Long {
        checkRange(offset, length, interleaved.size)
        val bytes = direct(length * Short.SIZE_BYTES).apply { asShortBuffer().put(interleaved, offset, length) }
        return waiting { writeI16(bytes, secondsOf(timeout)) }
    }

    /**
     * Tells that the app's own audio path lost [frames] before the next push, so that positions stay true.
     *
     * @throws SordinoException.Listening once this was closed.
     */
    fun lose(frames: Long) {
        if (frames < 0) throw SordinoException.Argument("$frames frames cannot be lost; give 0 or more")
        called { lose(frames.toULong()) }
    }

    /**
     * Goes on in another format, as after a headset came or went: positions count from 0 again. What was pushed before
     * still arrives.
     *
     * @throws SordinoException.Capture for a format that cannot be taken; the feed then goes on as before.
     */
    fun changeFormat(rate: Int, channels: Int) {
        val changed = HostFormat(rate, channels)
        called { changeFormat(changed.hertz, changed.count) }
        format = changed
    }

    /**
     * Tells [Sordino.events] that the source went away for a while, as a microphone does that a phone call takes.
     * When it is back, [changeFormat] says so, also with the same format.
     *
     * @param reason one line.
     */
    fun interrupted(reason: String): Unit = happenings.interrupted(reason)

    /**
     * Ends the feed, and waits until all that was pushed is heard and what was chosen of it is sealed and queued.
     * Closing twice does no harm.
     */
    override fun close() {
        if (face.uniffiIsDestroyed) return
        try {
            face.stop()
        } catch (gone: IllegalStateException) {
            // Another thread closed it in this very moment.
        } finally {
            face.destroy()
        }
    }

    private suspend fun waiting(call: EngineFeed.() -> ULong): Long =
        withContext(Dispatchers.IO) { called { call() } }.toLong()

    private fun secondsOf(timeout: Duration): Double {
        if (timeout.isNegative()) throw SordinoException.Argument("a timeout cannot be $timeout; give 0 or more")
        return timeout.toDouble(DurationUnit.SECONDS)
    }

    private inline fun <T> called(call: EngineFeed.() -> T): T = try {
        face.call()
    } catch (gone: IllegalStateException) {
        throw SordinoException.Listening("the feed was closed; open another")
    }

    private fun crossingOf(bytes: Int): ByteBuffer {
        if (crossing.capacity() < bytes) crossing = direct(bytes)
        crossing.clear().limit(bytes)
        return crossing
    }

    private companion object {
        /** Far longer than the engine needs for some minutes of sound. */
        val WRITE_TIMEOUT = 60.seconds
    }
}

/** What an app's own audio path delivers, in numbers that the face can take. */
internal class HostFormat(val rate: Int, val channels: Int) {
    val hertz: UInt = unsigned(rate, "the rate")
    val count: UShort

    init {
        if (channels !in 0..UShort.MAX_VALUE.toInt()) {
            throw SordinoException.Capture("there cannot be $channels channels; give 1 or a few")
        }
        count = channels.toUShort()
    }
}

private fun checkRange(offset: Int, length: Int, size: Int) {
    if (offset < 0 || length < 0 || length > size - offset) {
        throw SordinoException.Argument("$length samples from $offset on are not within an array of $size")
    }
}

/** A buffer that the face can take the address of. */
internal fun direct(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN)
