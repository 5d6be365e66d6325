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

private val SOUND = FloatArray(FRAME) { 0.25f }

/** Frames that come to a collector that takes none: more than are held for it. */
private const val PUSHED = 150

/** Frames: their flow, its end, its losses, and what pushes into it. */
internal class FramesTest : Opened() {
    @Test
    fun `what is pushed comes back as mono frames of 10 ms and the flow then completes`() = patiently {
        val stereo = FloatArray(2 * FRAME) { if (it % 2 == 0) 0.5f else -0.25f }
        val frames = sordino.frames(RATE, 2) { feed -> repeat(3) { feed.push(stereo) } }.toList()
        assertEquals(List(3) { (it * FRAME).toULong() }, frames.map { it.position })
        assertEquals(List(3) { RATE to 0L }, frames.map { it.rate to it.lost })
        for (frame in frames) assertArrayEquals(FloatArray(FRAME) { 0.125f }, frame.samples)
    }

    @Test
    fun `16-bit samples and parts of arrays and direct buffers arrive as they are`() = patiently {
        val shorts = ShortArray(3) { (it * 8192).toShort() }
        val direct = direct(12).apply { asFloatBuffer().put(floatArrayOf(9f, 0.5f, 0.25f)) }
        val frames = sordino.frames(RATE) { feed ->
            feed.push(shorts, offset = 1)
            feed.push(floatArrayOf(9f, 0.125f, 9f), offset = 1, length = 1)
            feed.push(direct.apply { position(4) })
        }.toList()
        val heard = frames.flatMap { it.samples.asList() }
        assertEquals(listOf(0.25f, 0.5f, 0.125f, 0.5f, 0.25f), heard)
    }

    @Test
    fun `cancelling the collection cancels the source and frees the engine for the next`() = patiently {
        val isRunning = CompletableDeferred<Unit>()
        val isCancelled = CompletableDeferred<Unit>()
        val collection = launch {
            sordino.frames(RATE) { feed ->
                feed.push(SOUND)
                isRunning.complete(Unit)
                try { awaitCancellation() } finally { isCancelled.complete(Unit) }
            }.collect()
        }
        isRunning.await()
        collection.cancelAndJoin()
        assertTrue(isCancelled.isCompleted)
        sordino.openFeed(RATE).close()
    }

    @Test
    fun `the first frame is all that first() waits for`() = patiently {
        val frame = sordino.frames(RATE) { feed -> while (true) { feed.push(SOUND); delay(10) } }.first()
        assertEquals(0UL, frame.position)
        sordino.openFeed(RATE).close()
    }

    @Test
    fun `an exception in the collector reaches its own caller and frees the engine`() = patiently {
        val thrown = runCatching {
            sordino.frames(RATE) { feed -> feed.push(SOUND); awaitCancellation() }
                .collect { throw ArithmeticException("the recognizer is broken") }
        }.exceptionOrNull()
        assertTrue(thrown is ArithmeticException, "$thrown")
        sordino.openFeed(RATE).close()
    }

    @Test
    fun `an exception in the source reaches the collector and frees the engine`() = patiently {
        val thrown = runCatching {
            sordino.frames(RATE) { throw ArithmeticException("the source is broken") }.collect()
        }.exceptionOrNull()
        assertTrue(thrown is ArithmeticException, "$thrown")
        sordino.openFeed(RATE).close()
    }

    @Test
    fun `a slow collector loses the newest frames and the next tells how many samples`() = patiently {
        val diary = diary(sordino)
        val isHeard = CompletableDeferred<Unit>()
        val frames = CopyOnWriteArrayList<Frame>()
        sordino.frames(RATE) { feed ->
            // Less than a feed has room for.
            repeat(PUSHED) { assertEquals(0, feed.push(SOUND)) }
            // Opened anew, with positions from 0, once all of that came to the flow.
            feed.changeFormat(RATE, 1)
            waitUntil { diary.captured().any { it is CaptureEvent.Reopened } }
            isHeard.complete(Unit)
            waitUntil { frames.size >= Sordino.FRAMES_HELD }
            repeat(3) { assertEquals(0, feed.push(SOUND)) }
        }.collect { frame ->
            isHeard.await()
            frames += frame
        }
        val held = frames.size - 3
        waitUntil { diary.overran() == (PUSHED - held) * FRAME.toLong() }
        diary.close()
        // One may be in the collector's hands beside them.
        assertTrue(held in Sordino.FRAMES_HELD..Sordino.FRAMES_HELD + 2, "$held")
        assertEquals((List(held) { it } + List(3) { it }).map { (it * FRAME).toULong() }, frames.map { it.position })
        assertEquals(List(held) { 0L } + listOf((PUSHED - held) * FRAME.toLong(), 0L, 0L), frames.map { it.lost })
    }

    @Test
    fun `a push that loses says so by its result and by an event`() = patiently {
        val diary = diary(sordino)
        sordino.openFeed(RATE).use { feed ->
            val lost = feed.push(FloatArray(10 * RATE) { 0.25f })
            assertTrue(lost in 7L * RATE..8L * RATE, "$lost")
            waitUntil { diary.overran() > 0 }
            assertTrue(diary.overran() <= lost, "${diary.overran()} of $lost")
        }
        diary.close()
    }

    @Test
    fun `a recording that is written at once is heard whole`() = patiently {
        val diary = diary(sordino)
        sordino.openFeed(RATE, channels = 2).use { feed ->
            assertEquals(0, feed.write(FloatArray(2 * 10 * RATE) { 0.25f }))
            assertEquals(0, feed.write(ShortArray(2 * 10 * RATE) { 8192 }))
            // Nothing waits here: there was room, or there is none.
            assertTrue(feed.write(FloatArray(2 * 10 * RATE), timeout = Duration.ZERO) > 0)
            val wrong = runCatching { feed.write(FloatArray(2), timeout = -1.seconds) }.exceptionOrNull()
            assertTrue(wrong is SordinoException.Argument, "$wrong")
            val half = runCatching { feed.write(FloatArray(3)) }.exceptionOrNull()
            assertTrue(half is SordinoException.Argument, "$half")
        }
        diary.close()
    }

    @Test
    fun `a collector that never returns holds up neither close nor the next one`() = patiently {
        val isStuck = CountDownLatch(1)
        val forever = CountDownLatch(1)
        val stuck = launch(Dispatchers.Default) {
            sordino.frames(RATE) { feed -> while (true) { feed.push(SOUND); delay(10) } }
                .collect { isStuck.countDown(); forever.await() }
        }
        isStuck.await()
        try {
            val closing = thread { sordino.close() }
            closing.join(PATIENCE.inWholeMilliseconds)
            assertFalse(closing.isAlive)
            open().openFeed(RATE).close()
        } finally {
            forever.countDown()
            stuck.cancelAndJoin()
        }
    }

    @Test
    fun `cancelling a collector that never returns frees the engine all the same`() = patiently {
        val isStuck = CountDownLatch(1)
        val forever = CountDownLatch(1)
        val stuck = launch(Dispatchers.Default) {
            sordino.frames(RATE) { feed -> while (true) { feed.push(SOUND); delay(10) } }
                .collect { isStuck.countDown(); forever.await() }
        }
        isStuck.await()
        stuck.cancel()
        try {
            waitUntil { runCatching { sordino.openFeed(RATE).close() }.isSuccess }
        } finally {
            forever.countDown()
            stuck.join()
        }
    }

    @Test
    fun `closing completes the flows of frames`() = patiently {
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
    fun `a flow of frames can be collected again, and one at a time`() = patiently {
        val frames = sordino.frames(RATE) { feed -> while (true) { feed.push(SOUND); delay(10) } }
        repeat(3) { assertEquals(2, frames.take(2).toList().size) }
        sordino.openFeed(RATE).use {
            assertThrows(SordinoException.Listening::class.java) { kotlinx.coroutines.runBlocking { frames.collect() } }
        }
        assertEquals(2, frames.take(2).toList().size)
    }

    @Test
    fun `a source that was interrupted and is back tells both`() = patiently {
        val diary = diary(sordino)
        sordino.frames(RATE) { feed ->
            feed.push(SOUND)
            feed.interrupted("a phone call took the microphone")
            feed.changeFormat(RATE, 1)
            feed.push(SOUND)
        }.collect()
        waitUntil { diary.captured().last() is CaptureEvent.Ended }
        diary.close()
        val told = diary.captured().map { it.javaClass.simpleName }
        assertEquals(listOf("Lost", "Opened", "Reopened", "Ended").sorted(), told.sorted())
    }

    @Test
    fun `NaN becomes silence and is told`() = patiently {
        val diary = diary(sordino)
        val frames = sordino.frames(RATE) { it.push(floatArrayOf(0.5f, Float.NaN, Float.POSITIVE_INFINITY, -0.5f)) }.toList()
        assertEquals(listOf(0.5f, 0f, 0f, -0.5f), frames.flatMap { it.samples.asList() })
        waitUntil { diary.captured().any { it is CaptureEvent.NonFinite } }
        assertEquals(2UL, diary.captured().filterIsInstance<CaptureEvent.NonFinite>().single().samples)
        diary.close()
    }

    @Test
    fun `what are not whole frames is refused, and the feed goes on`() {
        sordino.openFeed(RATE, 2).use { feed ->
            val wrong = listOf<(Feed) -> Any>(
                { it.push(FloatArray(3)) },
                { it.push(ShortArray(1)) },
                { it.push(direct(9)) },
                { it.push(FloatArray(4), offset = 3, length = 2) },
                { it.push(FloatArray(4), offset = -1) },
                { it.push(ByteBuffer.allocate(8)) },
                { it.lose(-1) },
            )
            for (push in wrong) {
                val error = assertThrows(SordinoException.Argument::class.java) { push(feed) }
                assertTrue(error.message!!.isNotEmpty() && '\n' !in error.message!!, error.message)
            }
            assertEquals(0, feed.push(FloatArray(4)))
            assertEquals(0, feed.push(FloatArray(0)))
        }
    }

    @Test
    fun `a format that cannot be taken is refused, and the feed goes on`() {
        for ((rate, channels) in listOf(0 to 1, RATE to 0, RATE to -1, RATE to 70_000)) {
            assertThrows(SordinoException.Capture::class.java) { sordino.openFeed(rate, channels) }
        }
        assertThrows(SordinoException.Argument::class.java) { sordino.openFeed(-1) }
        sordino.openFeed(RATE).use { feed ->
            assertThrows(SordinoException.Capture::class.java) { feed.changeFormat(1, 1) }
            assertEquals(RATE to 1, feed.rate to feed.channels)
            assertEquals(0, feed.push(SOUND))
            feed.changeFormat(44_100, 2)
            assertEquals(44_100 to 2, feed.rate to feed.channels)
        }
    }

    @Test
    fun `a feed that was closed says so`() {
        val feed = sordino.openFeed(RATE)
        feed.close()
        feed.close()
        assertThrows(SordinoException.Listening::class.java) { feed.push(SOUND) }
        val other = sordino.openFeed(RATE)
        sordino.close()
        assertThrows(SordinoException.Listening::class.java) { other.push(SOUND) }
        other.close()
    }

    @Test
    fun `without a microphone collecting throws, and so does an unknown device`() = patiently {
        for (device in listOf("no such device", if (hasMicrophone()) "nor this" else null)) {
            val thrown = runCatching { sordino.frames(device).first() }.exceptionOrNull()
            assertTrue(thrown is SordinoException.Capture, "$thrown")
            assertTrue('\n' !in thrown!!.message!!, thrown.message)
        }
        sordino.openFeed(RATE).close()
    }

    private suspend fun hasMicrophone() = runCatching { Sordino.inputDevices().isNotEmpty() }.getOrDefault(false)
}
