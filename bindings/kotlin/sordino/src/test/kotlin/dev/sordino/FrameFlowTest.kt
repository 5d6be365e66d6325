package dev.sordino

import java.nio.ByteBuffer
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

private val SOUND = FloatArray(FRAME_SIZE) { 0.25f }

/** The number of frames pushed while the collector is stuck: more than the flow buffers. */
private const val PUSHED = 150

/** Flows of frames: start, end, losses, and the writer. */
internal class FrameFlowTest : EngineTestBase() {
    @Test
    fun `pushed audio arrives as mono frames of 10 ms`() = runTest {
        val stereo = FloatArray(2 * FRAME_SIZE) { if (it % 2 == 0) 0.5f else -0.25f }
        val frames = sordino.frames(RATE, 2) { writer -> repeat(3) { writer.push(stereo) } }.toList()
        assertEquals(List(3) { (it * FRAME_SIZE).toULong() }, frames.map { it.position })
        assertEquals(List(3) { RATE to 0L }, frames.map { it.rate to it.lost })
        for (frame in frames) assertArrayEquals(FloatArray(FRAME_SIZE) { 0.125f }, frame.samples)
    }

    @Test
    fun `16-bit samples, array ranges and direct buffers arrive`() = runTest {
        val shorts = ShortArray(3) { (it * 8192).toShort() }
        val direct = directBuffer(12).apply { asFloatBuffer().put(floatArrayOf(9f, 0.5f, 0.25f)) }
        val frames = sordino.frames(RATE) { writer ->
            writer.push(shorts, offset = 1)
            writer.push(floatArrayOf(9f, 0.125f, 9f), offset = 1, length = 1)
            writer.push(direct.apply { position(4) })
        }.toList()
        val received = frames.flatMap { it.samples.asList() }
        assertEquals(listOf(0.25f, 0.5f, 0.125f, 0.5f, 0.25f), received)
    }

    @Test
    fun `canceling the collection cancels the source`() = runTest {
        val isRunning = CompletableDeferred<Unit>()
        val isCancelled = CompletableDeferred<Unit>()
        val collection = launch {
            sordino.frames(RATE) { writer ->
                writer.push(SOUND)
                isRunning.complete(Unit)
                try { awaitCancellation() } finally { isCancelled.complete(Unit) }
            }.collect()
        }
        isRunning.await()
        collection.cancelAndJoin()
        assertTrue(isCancelled.isCompleted)
        sordino.listenToPcmSource(RATE).close()
    }

    @Test
    fun `first() returns after the first frame`() = runTest {
        val frame = sordino.frames(RATE) { writer -> while (true) { writer.push(SOUND); delay(10) } }.first()
        assertEquals(0UL, frame.position)
        sordino.listenToPcmSource(RATE).close()
    }

    @Test
    fun `an exception in the collector stops the capture`() = runTest {
        val thrown = runCatching {
            sordino.frames(RATE) { writer -> writer.push(SOUND); awaitCancellation() }
                .collect { throw ArithmeticException("the recognizer is broken") }
        }.exceptionOrNull()
        assertTrue(thrown is ArithmeticException, "$thrown")
        sordino.listenToPcmSource(RATE).close()
    }

    @Test
    fun `an exception in the source reaches the collector`() = runTest {
        val thrown = runCatching {
            sordino.frames(RATE) { throw ArithmeticException("the source is broken") }.collect()
        }.exceptionOrNull()
        assertTrue(thrown is ArithmeticException, "$thrown")
        sordino.listenToPcmSource(RATE).close()
    }

    @Test
    fun `a slow collector loses the newest frames`() = runTest {
        val log = logEvents(sordino)
        val isHeard = CompletableDeferred<Unit>()
        val frames = CopyOnWriteArrayList<Frame>()
        sordino.frames(RATE) { writer ->
            // Less than the writer buffers.
            repeat(PUSHED) { assertEquals(0, writer.push(SOUND)) }
            // Reopened, with positions from 0, after all of that reached the flow.
            writer.changeFormat(RATE, 1)
            waitUntil { log.captureEvents().any { it is CaptureEvent.Reopened } }
            isHeard.complete(Unit)
            waitUntil { frames.size >= Sordino.FRAME_BUFFER_SIZE }
            repeat(3) { assertEquals(0, writer.push(SOUND)) }
        }.collect { frame ->
            isHeard.await()
            frames += frame
        }
        val held = frames.size - 3
        waitUntil { log.lostSamples() == (PUSHED - held) * FRAME_SIZE.toLong() }
        log.close()
        // The collector may hold one more.
        assertTrue(held in Sordino.FRAME_BUFFER_SIZE..Sordino.FRAME_BUFFER_SIZE + 2, "$held")
        assertEquals((List(held) { it } + List(3) { it }).map { (it * FRAME_SIZE).toULong() }, frames.map { it.position })
        assertEquals(List(held) { 0L } + listOf((PUSHED - held) * FRAME_SIZE.toLong(), 0L, 0L), frames.map { it.lost })
    }

    @Test
    fun `a push reports dropped frames as result and event`() = runTest {
        val log = logEvents(sordino)
        sordino.listenToPcmSource(RATE).use { writer ->
            val lost = writer.push(FloatArray(10 * RATE) { 0.25f })
            assertTrue(lost in 7L * RATE..8L * RATE, "$lost")
            waitUntil { log.lostSamples() > 0 }
            assertTrue(log.lostSamples() <= lost, "${log.lostSamples()} of $lost")
        }
        log.close()
    }

    @Test
    fun `write accepts a whole recording`() = runTest {
        val log = logEvents(sordino)
        sordino.listenToPcmSource(RATE, channels = 2).use { writer ->
            assertEquals(0, writer.write(FloatArray(2 * 10 * RATE) { 0.25f }))
            assertEquals(0, writer.write(ShortArray(2 * 10 * RATE) { 8192 }))
            // Does not wait, so the buffer is full.
            assertTrue(writer.write(FloatArray(2 * 10 * RATE), timeout = Duration.ZERO) > 0)
            val wrong = runCatching { writer.write(FloatArray(2), timeout = -1.seconds) }.exceptionOrNull()
            assertTrue(wrong is SordinoException.Argument, "$wrong")
            val half = runCatching { writer.write(FloatArray(3)) }.exceptionOrNull()
            assertTrue(half is SordinoException.Argument, "$half")
        }
        log.close()
    }

    @Test
    fun `a stuck collector does not block close`() = runTest {
        val isStuck = CountDownLatch(1)
        val forever = CountDownLatch(1)
        val stuck = launch(Dispatchers.Default) {
            sordino.frames(RATE) { writer -> while (true) { writer.push(SOUND); delay(10) } }
                .collect { isStuck.countDown(); forever.await() }
        }
        isStuck.await()
        try {
            val closing = thread { sordino.close() }
            closing.join(TIMEOUT.inWholeMilliseconds)
            assertFalse(closing.isAlive)
            open().listenToPcmSource(RATE).close()
        } finally {
            forever.countDown()
            stuck.cancelAndJoin()
        }
    }

    @Test
    fun `canceling a stuck collector stops the capture`() = runTest {
        val isStuck = CountDownLatch(1)
        val forever = CountDownLatch(1)
        val stuck = launch(Dispatchers.Default) {
            sordino.frames(RATE) { writer -> while (true) { writer.push(SOUND); delay(10) } }
                .collect { isStuck.countDown(); forever.await() }
        }
        isStuck.await()
        stuck.cancel()
        try {
            waitUntil { runCatching { sordino.listenToPcmSource(RATE).close() }.isSuccess }
        } finally {
            forever.countDown()
            stuck.join()
        }
    }

    @Test
    fun `close completes flows of frames`() = runTest {
        val isRunning = CompletableDeferred<Unit>()
        val collection = launch {
            sordino.frames(RATE) { isRunning.complete(Unit); awaitCancellation() }.collect()
        }
        isRunning.await()
        thread { sordino.close() }
        collection.join()
        assertFalse(collection.isCancelled)
    }

    @Test
    fun `a flow of frames can be collected again`() = runTest {
        val frames = sordino.frames(RATE) { writer -> while (true) { writer.push(SOUND); delay(10) } }
        repeat(3) { assertEquals(2, frames.take(2).toList().size) }
        sordino.listenToPcmSource(RATE).use {
            assertThrows<SordinoException.AlreadyListening> { kotlinx.coroutines.runBlocking { frames.collect() } }
        }
        assertEquals(2, frames.take(2).toList().size)
    }

    @Test
    fun `an interruption is reported as Lost and Reopened`() = runTest {
        val log = logEvents(sordino)
        sordino.frames(RATE) { writer ->
            writer.push(SOUND)
            writer.reportInterrupted("a phone call took the microphone")
            writer.changeFormat(RATE, 1)
            writer.push(SOUND)
        }.collect()
        waitUntil { log.captureEvents().last() is CaptureEvent.Ended }
        log.close()
        val names = log.captureEvents().map { it.javaClass.simpleName }
        assertEquals(listOf("Lost", "Opened", "Reopened", "Ended").sorted(), names.sorted())
    }

    @Test
    fun `NaN becomes silence and is reported`() = runTest {
        val log = logEvents(sordino)
        val frames = sordino.frames(RATE) { it.push(floatArrayOf(0.5f, Float.NaN, Float.POSITIVE_INFINITY, -0.5f)) }.toList()
        assertEquals(listOf(0.5f, 0f, 0f, -0.5f), frames.flatMap { it.samples.asList() })
        waitUntil { log.captureEvents().any { it is CaptureEvent.NonFinite } }
        assertEquals(2UL, log.captureEvents().filterIsInstance<CaptureEvent.NonFinite>().single().samples)
        log.close()
    }

    @Test
    fun `partial frames are refused`() {
        sordino.listenToPcmSource(RATE, 2).use { writer ->
            val wrong = listOf<(PcmWriter) -> Any>(
                { it.push(FloatArray(3)) },
                { it.push(ShortArray(1)) },
                { it.push(directBuffer(9)) },
                { it.push(FloatArray(4), offset = 3, length = 2) },
                { it.push(FloatArray(4), offset = -1) },
                { it.push(ByteBuffer.allocate(8)) },
                { it.reportDropped(-1) },
            )
            for (push in wrong) {
                val error = assertThrows(SordinoException.Argument::class.java) { push(writer) }
                assertTrue(error.message!!.isNotEmpty() && '\n' !in error.message!!, error.message)
            }
            assertEquals(0, writer.push(FloatArray(4)))
            assertEquals(0, writer.push(FloatArray(0)))
        }
    }

    @Test
    fun `an unsupported format is refused`() {
        for ((rate, channels) in listOf(0 to 1, RATE to 0, RATE to -1, RATE to 70_000)) {
            assertThrows(SordinoException.Capture::class.java) { sordino.listenToPcmSource(rate, channels) }
        }
        assertThrows(SordinoException.Argument::class.java) { sordino.listenToPcmSource(-1) }
        sordino.listenToPcmSource(RATE).use { writer ->
            assertThrows(SordinoException.Capture::class.java) { writer.changeFormat(1, 1) }
            assertEquals(RATE to 1, writer.rate to writer.channels)
            assertEquals(0, writer.push(SOUND))
            writer.changeFormat(44_100, 2)
            assertEquals(44_100 to 2, writer.rate to writer.channels)
        }
    }

    @Test
    fun `a closed writer throws Stopped`() {
        val writer = sordino.listenToPcmSource(RATE)
        writer.close()
        writer.close()
        assertThrows<SordinoException.Stopped> { writer.push(SOUND) }
        val other = sordino.listenToPcmSource(RATE)
        sordino.close()
        assertThrows<SordinoException.Stopped> { other.push(SOUND) }
        other.close()
    }

    @Test
    fun `collecting without a microphone throws NoDevice`() = runTest {
        for (device in listOf("no such device", if (hasMicrophone()) "unknown device" else null)) {
            val thrown = runCatching { sordino.frames(device).first() }.exceptionOrNull()
            assertTrue(thrown is SordinoException.NoDevice, "$thrown")
            assertTrue('\n' !in thrown!!.message!!, thrown.message)
        }
        sordino.listenToPcmSource(RATE).close()
    }

    private suspend fun hasMicrophone() = runCatching { Sordino.inputDevices().isNotEmpty() }.getOrDefault(false)
}
