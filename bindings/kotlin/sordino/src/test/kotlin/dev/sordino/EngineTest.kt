package dev.sordino

import java.io.File
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Invalid input, many threads, and closed engines. */
internal class EngineTest : EngineTestBase() {
    @Test
    fun `a folder opens in one engine at a time`() {
        sordino
        val error = assertThrows(SordinoException.State::class.java) { open() }
        assertTrue(error.code == "in-use" && "$state" in error.message!!, "$error")
        sordino.close()
        open()
    }

    @Test
    fun `calls after close throw Closed`() = runTest {
        sordino.close()
        sordino.close()
        val calls = listOf<suspend () -> Any?>(
            { sordino.status() },
            { sordino.nextUploadTask() },
            { sordino.withdraw() },
            { sordino.upload() },
            { sordino.submit(FloatArray(FRAME_SIZE), RATE) },
            { sordino.listenToPcmSource(RATE) },
            { sordino.mark() },
            { sordino.frames().first() },
        )
        for (call in calls) {
            val error = runCatching { call() }.exceptionOrNull()
            assertTrue(error is SordinoException.Closed && error.code == "closed", "$error")
        }
    }

    @Test
    fun `concurrent calls during close return or throw Closed`() = runTest {
        repeat(20) {
            val sordino = open()
            val callers = List(4) {
                async(Dispatchers.Default) {
                    runCatching { while (true) { sordino.status(); sordino.mark() } }.exceptionOrNull()
                }
            }
            val readers = List(2) {
                async(Dispatchers.Default) {
                    runCatching { while (true) { sordino.consent(); sordino.samples() } }.exceptionOrNull()
                }
            }
            sordino.close()
            assertTrue(callers.awaitAll().all { it is SordinoException.Closed || it is SordinoException.Mark })
            assertTrue(readers.awaitAll().all { it is SordinoException.Closed })
        }
    }

    @Test
    fun `consent persists across engines`() = runTest {
        sordino.consentTo()
        sordino.close()
        assertEquals(ConsentState.GRANTED, open().consentState.value)
    }

    @Test
    fun `concurrent calls from many threads succeed`() = runTest {
        sordino.installPlan(organization.plan)
        val errors = ConcurrentLinkedQueue<Throwable>()
        val threads = List(8) {
            thread {
                runCatching {
                    runBlocking {
                        repeat(3) {
                            sordino.consentTo()
                            sordino.status()
                            sordino.nextUploadTask()
                            sordino.withdraw()
                        }
                    }
                }.onFailure(errors::add)
            }
        }
        threads.forEach { it.join(TIMEOUT.inWholeMilliseconds) }
        assertEquals(emptyList<Throwable>(), errors.toList())
        assertEquals(ConsentState.WITHDRAWN, sordino.consentState.value)
    }

    @Test
    fun `an event collector that throws has no effect on the engine`() = runTest {
        val failed = async(Dispatchers.Unconfined + kotlinx.coroutines.SupervisorJob()) {
            sordino.events.collect { throw ArithmeticException("the screen is broken") }
        }
        sordino.consentTo()
        assertTrue(runCatching { failed.await() }.exceptionOrNull() is ArithmeticException)
        assertEquals(ConsentState.GRANTED, sordino.consent().state)
        sordino.withdraw()
        assertEquals(ConsentState.WITHDRAWN, sordino.consentState.value)
    }

    @Test
    fun `a stuck event collector does not block the engine`() = runTest {
        val forever = java.util.concurrent.CountDownLatch(1)
        val stuck = launch(Dispatchers.Default) { sordino.events.collect { forever.await() } }
        try {
            sordino.consentTo()
            sordino.listenToPcmSource(RATE).use { writer -> repeat(1_000) { writer.reportInterrupted("more events than the buffer holds") } }
            sordino.withdraw()
            assertEquals(ConsentState.WITHDRAWN, sordino.consentState.value)
            sordino.close()
        } finally {
            forever.countDown()
            stuck.cancel()
        }
    }

    @Test
    fun `an empty clip, NaN and an invalid rate are refused`() = runTest {
        sordino.consentTo()
        val wrong = listOf(
            floatArrayOf(0f, Float.NaN) to RATE, FloatArray(0) to RATE,
            FloatArray(FRAME_SIZE) to 0, FloatArray(FRAME_SIZE) to 7_999, FloatArray(FRAME_SIZE) to 384_001,
        )
        for ((samples, rate) in wrong) {
            val error = runCatching { sordino.submit(samples, rate) }.exceptionOrNull()
            assertTrue(error is SordinoException.Clip, "$error")
        }
        val error = runCatching { sordino.submit(FloatArray(FRAME_SIZE), -1) }.exceptionOrNull()
        assertTrue(error is SordinoException.Argument, "$error")
    }

    @Test
    fun `invalid arguments are named in the error`() = runTest {
        val other = folder.resolve("other")
        val invalid = mapOf<String, suspend () -> Any?>(
            "abc" to { Sordino.open(other, "abc", UNREACHABLE_URL) },
            "ftp://collector.example" to { Sordino.open(other, organization.key, "ftp://collector.example") },
            "http://collector.example" to { Sordino.open(other, organization.key, "http://collector.example") },
            "sample" to { sordino.delete("sample") },
            "send" to { sordino.processUploadResult("send", UploadResult.Unreachable("no network")) },
        )
        for ((value, call) in invalid) {
            val error = runCatching { call() }.exceptionOrNull()
            assertTrue(error is SordinoException.Argument && value in error.message!!, "$error")
        }
        assertFalse(other.exists())
    }

    @Test
    fun `errors have a kind and a one-line message`() = runTest {
        val calls = listOf<Pair<Class<out SordinoException>, suspend () -> Any?>>(
            SordinoException.Consent::class.java to { sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.ADULT, notice(1u)) },
            SordinoException.Consent::class.java to { sordino.approve(GuardianMethod.EMAIL_PLUS) },
            SordinoException.Plan::class.java to { sordino.installPlan("{}".toByteArray()) },
            SordinoException.Plan::class.java to { sordino.installPlan(ByteArray(0)) },
            SordinoException.Outbox::class.java to { sordino.delete("0".repeat(32)) },
            SordinoException.Mark::class.java to { sordino.mark() },
            SordinoException.Annotation::class.java to { sordino.submit(FloatArray(FRAME_SIZE), RATE, Annotation(tag = "Lisa's song")) },
            SordinoException.NoState::class.java to { Sordino.reset(folder.resolve("nothing here")) },
        )
        for ((kind, call) in calls) {
            val error = runCatching { call() }.exceptionOrNull()
            assertEquals(kind, error?.javaClass, "$error")
            assertTrue(error!!.message!!.isNotEmpty() && '\n' !in error.message!!, error.message)
        }
    }

    @Test
    fun `a library without a microphone accepts only PCM sources`() = runTest {
        val lacksMicrophone = !Sordino.features.microphone
        // A library with a microphone may find no device here, or one that a test must not open.
        val calls = listOf<suspend () -> Any?>({ Sordino.inputDevices() }, { sordino.frames().first() })
        for (call in calls.take(if (lacksMicrophone) 2 else 1)) {
            val error = runCatching { call() }.exceptionOrNull()
            assertTrue(error is SordinoException.Capture? || error is SordinoException.NoDevice, "$error")
            assertEquals(lacksMicrophone, (error as? SordinoException.Capture)?.code == "no-microphone-built-in", "$error")
        }
        val frame = sordino.frames(RATE) { writer -> writer.push(FloatArray(FRAME_SIZE)) }.first()
        assertEquals(FRAME_SIZE, frame.samples.size)
    }

    @Test
    fun `consent of a child waits for the guardian`() = runTest {
        sordino.installPlan(organization.plan)
        sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.CHILD, notice(1u))
        assertEquals(ConsentState.AWAITING_GUARDIAN, sordino.consentState.value)
        assertEquals(WithheldReason.NO_CONSENT, sordino.samplingBlocked())
        assertThrows(SordinoException.Consent::class.java) {
            runBlocking { sordino.approve(GuardianMethod.PAYMENT_CARD, "too short".toByteArray()) }
        }
        val receipt = sordino.approve(GuardianMethod.PAYMENT_CARD, "the number of the payment".toByteArray())
        assertTrue("sordino:evidence-hash" in receipt)
        assertNull(sordino.samplingBlocked())
    }

    @Test
    fun `the folder opens after the host was killed`() = runTest {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val host = ProcessBuilder(
            java, "-cp", System.getProperty("java.class.path"), "dev.sordino.KilledHostKt", state.path, organization.key,
        ).redirectErrorStream(true).start()
        val printed = host.inputStream.bufferedReader().readText()
        assertTrue(host.waitFor(60, TimeUnit.SECONDS))
        // 128 + SIGKILL
        assertEquals(137, host.exitValue(), printed)
        assertEquals(ConsentState.UNANSWERED, sordino.consentState.value)
        sordino.listenToPcmSource(RATE).close()
    }

    @Test
    fun `a program can exit while it listens`() {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val host = ProcessBuilder(
            java, "-cp", System.getProperty("java.class.path"), "dev.sordino.KilledHostKt", state.path, organization.key, "end",
        ).redirectErrorStream(true).start()
        val printed = host.inputStream.bufferedReader().readText()
        assertTrue(host.waitFor(60, TimeUnit.SECONDS))
        assertEquals("" to 0, printed to host.exitValue())
    }
}
