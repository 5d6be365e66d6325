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

/** What bad input, many threads, and engines that are gone come to. */
internal class EngineTest : Opened() {
    @Test
    fun `a folder has one engine at a time`() {
        sordino
        val error = assertThrows(SordinoException.State::class.java) { open() }
        assertTrue("in use" in error.message!! && "$state" in error.message!!, error.message)
        sordino.close()
        open()
    }

    @Test
    fun `one that was closed says so`() = patiently {
        sordino.close()
        sordino.close()
        val calls = listOf<suspend () -> Any?>(
            { sordino.status() },
            { sordino.nextRequest() },
            { sordino.withdraw() },
            { sordino.uploadNow() },
            { sordino.offer(FloatArray(FRAME), RATE) },
            { sordino.openFeed(RATE) },
            { sordino.mark() },
            { sordino.frames().first() },
        )
        for (call in calls) {
            val error = runCatching { call() }.exceptionOrNull()
            assertTrue(error is SordinoException.Closed && "open it again" in error.message!!, "$error")
        }
    }

    @Test
    fun `closing while others call gives each an answer or Closed`() = patiently {
        repeat(20) {
            val sordino = open()
            val callers = List(4) {
                async(Dispatchers.Default) {
                    runCatching { while (true) { sordino.status(); sordino.mark() } }.exceptionOrNull()
                }
            }
            val marks = List(2) {
                async(Dispatchers.Default) {
                    runCatching { while (true) { sordino.consent(); sordino.samples() } }.exceptionOrNull()
                }
            }
            sordino.close()
            assertTrue(callers.awaitAll().all { it is SordinoException.Closed || it is SordinoException.Mark })
            assertTrue(marks.awaitAll().all { it is SordinoException.Closed })
        }
    }

    @Test
    fun `consent outlives the engine`() = patiently {
        sordino.consentTo()
        sordino.close()
        assertEquals(ConsentState.GRANTED, open().consentState.value)
    }

    @Test
    fun `calls from many threads are all answered`() = patiently {
        sordino.installPlan(organization.plan)
        val errors = ConcurrentLinkedQueue<Throwable>()
        val threads = List(8) {
            thread {
                runCatching {
                    runBlocking {
                        repeat(3) {
                            sordino.consentTo()
                            sordino.status()
                            sordino.nextRequest()
                            sordino.withdraw()
                        }
                    }
                }.onFailure(errors::add)
            }
        }
        threads.forEach { it.join(PATIENCE.inWholeMilliseconds) }
        assertEquals(emptyList<Throwable>(), errors.toList())
        assertEquals(ConsentState.WITHDRAWN, sordino.consentState.value)
    }

    @Test
    fun `an event collector that throws undoes nothing`() = patiently {
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
    fun `an event collector that never returns holds up nothing`() = patiently {
        val forever = java.util.concurrent.CountDownLatch(1)
        val stuck = launch(Dispatchers.Default) { sordino.events.collect { forever.await() } }
        try {
            sordino.consentTo()
            sordino.openFeed(RATE).use { feed -> repeat(1_000) { feed.interrupted("more than are held") } }
            sordino.withdraw()
            assertEquals(ConsentState.WITHDRAWN, sordino.consentState.value)
            sordino.close()
        } finally {
            forever.countDown()
            stuck.cancel()
        }
    }

    @Test
    fun `a clip with NaN or without sound or with a wrong rate is refused`() = patiently {
        sordino.consentTo()
        val wrong = listOf(
            floatArrayOf(0f, Float.NaN) to RATE, FloatArray(0) to RATE,
            FloatArray(FRAME) to 0, FloatArray(FRAME) to 7_999, FloatArray(FRAME) to 384_001,
        )
        for ((samples, rate) in wrong) {
            val error = runCatching { sordino.offer(samples, rate) }.exceptionOrNull()
            assertTrue(error is SordinoException.Clip, "$error")
        }
        val error = runCatching { sordino.offer(FloatArray(FRAME), -1) }.exceptionOrNull()
        assertTrue(error is SordinoException.Argument, "$error")
    }

    @Test
    fun `arguments that do not parse name what is wrong`() = patiently {
        val other = folder.resolve("other")
        val wrong = mapOf<String, suspend () -> Any?>(
            "64 hexadecimal" to { Sordino.open(other, "abc", NOWHERE) },
            "https://" to { Sordino.open(other, organization.key, "ftp://collector.example") },
            "this very machine" to { Sordino.open(other, organization.key, "http://collector.example") },
            "32 lower-case" to { sordino.delete("sample") },
            "no upload task" to { sordino.finish("send", Outcome.Unreachable("no network")) },
        )
        for ((says, call) in wrong) {
            val error = runCatching { call() }.exceptionOrNull()
            assertTrue(error is SordinoException.Argument && says in error.message!!, "$error")
        }
        assertFalse(other.exists())
    }

    @Test
    fun `errors name the stage and read as one line`() = patiently {
        val calls = listOf<Pair<Class<out SordinoException>, suspend () -> Any?>>(
            SordinoException.Consent::class.java to { sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.ADULT, notice(1u)) },
            SordinoException.Consent::class.java to { sordino.approve(GuardianMethod.EMAIL_PLUS) },
            SordinoException.Plan::class.java to { sordino.installPlan("{}".toByteArray()) },
            SordinoException.Plan::class.java to { sordino.installPlan(ByteArray(0)) },
            SordinoException.Outbox::class.java to { sordino.delete("0".repeat(32)) },
            SordinoException.Mark::class.java to { sordino.mark() },
            SordinoException.Annotation::class.java to { sordino.offer(FloatArray(FRAME), RATE, Annotation(tag = "Lisa's song")) },
            SordinoException.Argument::class.java to { Sordino.reset(folder.resolve("nothing here")) },
        )
        for ((kind, call) in calls) {
            val error = runCatching { call() }.exceptionOrNull()
            assertEquals(kind, error?.javaClass, "$error")
            assertTrue(error!!.message!!.isNotEmpty() && '\n' !in error.message!!, error.message)
        }
    }

    @Test
    fun `a library without a microphone says so where one is asked for, and takes what the app records`() = patiently {
        val lacks = !Sordino.features.microphone
        // One that has it may find none on this machine, or one that is not to be opened by a test.
        val calls = listOf<suspend () -> Any?>({ Sordino.inputDevices() }, { sordino.frames().first() })
        for (call in calls.take(if (lacks) 2 else 1)) {
            val error = runCatching { call() }.exceptionOrNull()
            assertTrue(error is SordinoException.Capture?, "$error")
            assertEquals(lacks, "built without the feature `microphone`" in error?.message.orEmpty(), "$error")
        }
        val frame = sordino.frames(RATE) { feed -> feed.push(FloatArray(FRAME)) }.first()
        assertEquals(FRAME, frame.samples.size)
    }

    @Test
    fun `a child waits for its guardian`() = patiently {
        sordino.installPlan(organization.plan)
        sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.CHILD, notice(1u))
        assertEquals(ConsentState.AWAITING_GUARDIAN, sordino.consentState.value)
        assertEquals(WithheldReason.NO_CONSENT, sordino.maySample())
        assertThrows(SordinoException.Consent::class.java) {
            runBlocking { sordino.approve(GuardianMethod.PAYMENT_CARD, "too short".toByteArray()) }
        }
        val receipt = sordino.approve(GuardianMethod.PAYMENT_CARD, "the number of the payment".toByteArray())
        assertTrue("sordino:evidence-hash" in receipt)
        assertNull(sordino.maySample())
    }

    @Test
    fun `a host killed in the midst of a frame leaves a folder that opens`() = patiently {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val host = ProcessBuilder(
            java, "-cp", System.getProperty("java.class.path"), "dev.sordino.KilledHostKt", state.path, organization.key,
        ).redirectErrorStream(true).start()
        val printed = host.inputStream.bufferedReader().readText()
        assertTrue(host.waitFor(60, TimeUnit.SECONDS))
        // 128 + SIGKILL
        assertEquals(137, host.exitValue(), printed)
        assertEquals(ConsentState.UNANSWERED, sordino.consentState.value)
        sordino.openFeed(RATE).close()
    }

    @Test
    fun `a program may end while it listens`() {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val host = ProcessBuilder(
            java, "-cp", System.getProperty("java.class.path"), "dev.sordino.KilledHostKt", state.path, organization.key, "end",
        ).redirectErrorStream(true).start()
        val printed = host.inputStream.bufferedReader().readText()
        assertTrue(host.waitFor(60, TimeUnit.SECONDS))
        assertEquals("" to 0, printed to host.exitValue())
    }
}
