package dev.sordino.etude

import dev.sordino.AgeBand
import dev.sordino.ConsentState
import dev.sordino.Frame
import dev.sordino.GuardianMethod
import dev.sordino.Purpose
import dev.sordino.SampleState
import dev.sordino.Sordino
import dev.sordino.SordinoException
import dev.sordino.demo.Demo
import java.io.File
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The view models with the real library and a collector. */
internal class EtudeTest(@TempDir private val folder: File) {
    private val recording = Recording("flute-alone")
    private val demo = Demo(folder.resolve("demo"), File(System.getProperty("sordino.programs")), PLAN)
    private val saved = mutableMapOf<String, ByteArray>()
    private val output = FakeOutput()
    private val etude = open()

    @AfterEach
    fun close() {
        etude.close()
        demo.close()
    }

    @Test
    fun `no purpose and no age is preselected`() = runTest {
        etude.consent.until { notice != null }
        val state = etude.consent.state.value
        assertEquals(listOf(Purpose.QUALITY_ASSURANCE, Purpose.RECOGNITION_RESEARCH), state.requested)
        assertEquals(emptySet<Purpose>(), state.selected)
        assertNull(state.age)
        assertNotNull(state.missing)
        etude.consent.giveConsent().join()
        assertEquals(ConsentState.UNANSWERED, etude.consent.state.value.consent)
    }

    @Test
    fun `the notice is shown in each language`() = runTest {
        val titles = Language.entries.map { language ->
            etude.consent.selectLanguage(language).join()
            val notice = etude.consent.state.value.notice!!
            assertEquals(language.tag to false, notice.language to notice.fallback)
            notice.title
        }
        assertEquals(Language.entries.size, titles.toSet().size)
    }

    @Test
    fun `without consent nothing is sampled, and the screen says so`() = runTest {
        etude.practice.until { samplingText.isNotEmpty() }
        assertFalse(etude.practice.state.value.isSamplingAllowed)
        assertEquals("Nothing is recorded: you have not agreed.", etude.practice.state.value.samplingText)
        listenAndMark(67)
        waitUntil { etude.practice.problem.value != null }
        assertEquals("mark-not-permitted", (etude.practice.problem.value as? SordinoException.Mark)?.code)
        assertEquals(emptyList<Clip>(), etude.review.state.value.clips)
        etude.practice.stop()
    }

    @Test
    fun `the played notes are shown`() = runTest {
        val shown = mutableListOf<Int>()
        etude.practice.start()
        waitUntil {
            etude.practice.state.value.sounding?.let { if (it != shown.lastOrNull()) shown += it }
            shown.size >= 4
        }
        assertTrue(recording.notes.map { it.midi }.containsAll(shown.take(3)), "$shown")
        etude.practice.stop()
        etude.practice.until { !isListening }
        assertNull(etude.practice.state.value.sounding)
    }

    @Test
    fun `a child is sampled only after the guardian has approved`() = runTest {
        consent(AgeBand.CHILD)
        assertEquals(ConsentState.AWAITING_GUARDIAN, etude.consent.state.value.consent)
        etude.practice.until { "parent" in samplingText }
        etude.consent.openGuardianForm()
        etude.consent.selectMethod(GuardianMethod.TEXT_PLUS)
        etude.consent.enterEvidence("too short")
        etude.consent.approve().join()
        assertEquals(ConsentState.AWAITING_GUARDIAN, etude.consent.state.value.consent)
        etude.consent.enterEvidence("check 5f0c-99d1-77ab-e2c4")
        etude.consent.approve().join()
        assertEquals(ConsentState.GRANTED, etude.consent.state.value.consent)
        assertNull(etude.consent.state.value.guardian)
        etude.practice.until { isSamplingAllowed }
    }

    @Test
    fun `a moment is sent after review and deleted on withdrawal`() = runTest {
        consent(AgeBand.ADULT)
        etude.practice.until { isSamplingAllowed }
        makeMoment(68)
        etude.practice.stop()
        val clip = etude.review.state.value.clips.single()
        assertEquals(ReviewModel.BARS, clip.waveform.size)
        assertTrue(clip.waveform.max() in 0.02f..1f)
        assertEquals(emptySet<String>(), demo.storedSamples())

        etude.review.play(clip.preview.id)
        waitUntil { output.played.isNotEmpty() }
        assertEquals(clip.preview.seconds, output.played.single().toDouble(), 0.05)
        etude.review.accept(clip.preview.id).join()
        etude.samples.until { pending == 1 }
        etude.samples.send().join()
        assertNull(etude.samples.problem.value)
        val sample = etude.samples.state.value.samples.single()
        assertEquals(SampleState.SENT, sample.state)
        assertEquals(setOf(sample.id), demo.storedSamples())

        val dataset = folder.resolve("dataset")
        demo.pull(dataset)
        etude.samples.loadAccesses(sample.id).join()
        assertEquals("quality team", etude.samples.state.value.accesses.getValue(sample.id).accesses.single().reader)
        val manifest = dataset.walk().single { it.name == "manifest.json" }.readText()
        assertTrue("etude/free-play" in manifest && Regex("\"midi\":\\s*68") in manifest, manifest)

        etude.withdrawal.withdraw().join()
        etude.withdrawal.sendDeletions().join()
        assertNull(etude.withdrawal.problem.value)
        assertEquals(SampleState.DELETED, etude.withdrawal.state.value.deletions.single().state)
        assertEquals(emptySet<String>(), demo.storedSamples())
        etude.practice.until { "withdrew your consent" in samplingText }
    }

    @Test
    fun `a discarded or deleted moment is never sent`() = runTest {
        consent(AgeBand.ADULT)
        makeMoment(67)
        etude.review.discard(etude.review.state.value.clips.single().preview.id).join()
        assertEquals(emptyList<Clip>(), etude.review.state.value.clips)
        etude.practice.stop()
        etude.practice.until { !isListening }

        makeMoment(67)
        etude.review.accept(etude.review.state.value.clips.single().preview.id).join()
        etude.samples.confirmDeleteAll(true)
        etude.samples.deleteAll().join()
        assertFalse(etude.samples.state.value.canDelete)
        etude.samples.send().join()
        assertEquals(emptySet<String>(), demo.storedSamples())
    }

    @Test
    fun `one purpose can be withdrawn`() = runTest {
        etude.consent.until { notice != null }
        Purpose.entries.forEach { etude.consent.selectPurpose(it, true) }
        etude.consent.selectAge(AgeBand.ADULT)
        etude.consent.giveConsent().join()
        etude.withdrawal.withdraw(Purpose.QUALITY_ASSURANCE).join()
        val state = etude.withdrawal.state.value
        assertEquals(ConsentState.GRANTED to listOf(Purpose.RECOGNITION_RESEARCH), state.consent to state.purposes)
    }

    @Test
    fun `receipt and data can be saved`() = runTest {
        consent(AgeBand.ADULT)
        etude.consent.saveReceipt().join()
        etude.samples.exportMyData().join()
        assertEquals(etude.consent.state.value.receipt, String(saved.getValue("receipt.json")))
        assertArrayEquals("PK".toByteArray(), saved.getValue("my-data.zip").copyOf(2))
    }

    private suspend fun consent(age: AgeBand) {
        etude.consent.until { notice != null }
        etude.consent.selectPurpose(Purpose.QUALITY_ASSURANCE, true)
        etude.consent.selectAge(age)
        etude.consent.giveConsent().join()
    }

    /** Makes a moment that waits for review. The anonymizer may reject one, depending on its random draws; then another. */
    private suspend fun makeMoment(played: Int) {
        repeat(3) {
            etude.practice.clearMessage()
            listenAndMark(played)
            waitUntil { "ready" in message() || "not recorded" in message() || etude.practice.problem.value != null }
            if ("ready" in message()) return etude.review.until { clips.isNotEmpty() }
            System.err.println("the mark made no moment: ${failure()}")
        }
        error(failure())
    }

    private fun message() = etude.practice.message.value.orEmpty()

    private fun failure() = etude.practice.problem.value?.message ?: message()

    /** Listens to some notes of the recording, then corrects the last note to [played]. */
    private suspend fun listenAndMark(played: Int) {
        etude.practice.start()
        etude.practice.until { recent.size >= 4 }
        etude.practice.startCorrection()
        assertNotNull(etude.practice.state.value.correction?.recognized)
        etude.practice.correctTo(played)
    }

    private fun open(): Etude = runBlocking {
        val setup = Setup(folder.resolve("state"), demo.organizationKey, demo.collectorUrl, demo.plan)
        Etude.open(setup, { name, content -> saved[name] = content; name }, output, ::play)
    }

    /** Plays the recording repeatedly, no faster than its frames are collected. */
    private fun play(sordino: Sordino): Flow<Frame> = flow {
        val received = AtomicLong()
        sordino.frames(recording.rate) { writer ->
            val block = recording.rate / 100
            var pushed = 0L
            while (true) {
                for (start in 0..recording.samples.size - block step block) {
                    writer.push(recording.samples, start, block)
                    pushed += block
                    delay(8)
                    // The flow buffers one second.
                    while (pushed - received.get() > recording.rate / 2) delay(1)
                }
            }
        }.collect { frame ->
            received.addAndGet(frame.samples.size.toLong())
            emit(frame)
        }
    }

    private class FakeOutput : AudioOutput {
        /** The durations in seconds of what was played to the end. */
        val played = java.util.concurrent.CopyOnWriteArrayList<Float>()

        override suspend fun play(samples: ShortArray, rate: Int, onPosition: (Int) -> Unit) {
            onPosition(samples.size)
            played += samples.size / rate.toFloat()
        }
    }

    private companion object {
        val PLAN = ROOT.resolve("samples/plan.toml")
    }
}

/** Runs a test with a timeout, so that a deadlock fails instead of hanging. */
private fun runTest(test: suspend () -> Unit) = runBlocking { withTimeout(20.minutes) { test() } }

private suspend fun waitUntil(condition: () -> Boolean) {
    while (!condition()) delay(5)
}

private suspend fun <State : Any> ViewModel<State>.until(condition: State.() -> Boolean) =
    waitUntil { state.value.condition() }
