package dev.sordino.etude

import dev.sordino.AgeBand
import dev.sordino.ConsentState
import dev.sordino.Frame
import dev.sordino.GuardianMethod
import dev.sordino.Purpose
import dev.sordino.SampleState
import dev.sordino.Sordino
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

/** What the screens show and ask for, against the real library and a real collector. */
internal class EtudeTest(@TempDir private val folder: File) {
    private val recording = Recording("flute-alone")
    private val demo = Demo(folder.resolve("demo"), File(System.getProperty("sordino.programs")), PLAN)
    private val kept = mutableMapOf<String, ByteArray>()
    private val output = Speaker()
    private val etude = open()

    @AfterEach
    fun close() {
        etude.close()
        demo.close()
    }

    @Test
    fun `no switch is on and no age is answered before the person does it`() = patiently {
        etude.choice.until { notice != null }
        val state = etude.choice.state.value
        assertEquals(listOf(Purpose.QUALITY_ASSURANCE, Purpose.RECOGNITION_RESEARCH), state.asked)
        assertEquals(emptySet<Purpose>(), state.chosen)
        assertNull(state.age)
        assertNotNull(state.missing)
        etude.choice.agree().join()
        assertEquals(ConsentState.UNANSWERED, etude.choice.state.value.standing)
    }

    @Test
    fun `the notice is shown in the language that was chosen, each of them its own`() = patiently {
        val titles = Language.entries.map { language ->
            etude.choice.read(language).join()
            val notice = etude.choice.state.value.notice!!
            assertEquals(language.tag to false, notice.language to notice.fellBack)
            notice.title
        }
        assertEquals(Language.entries.size, titles.toSet().size)
    }

    @Test
    fun `without consent the line says so, and what was marked is not kept`() = patiently {
        etude.practice.until { sampling.isNotEmpty() }
        assertFalse(etude.practice.state.value.maySample)
        assertEquals("Nothing is kept: nobody has said yes.", etude.practice.state.value.sampling)
        listenAndMark(67)
        waitUntil { etude.practice.problem.value != null }
        assertEquals(emptyList<Clip>(), etude.review.state.value.clips)
        etude.practice.stop()
    }

    @Test
    fun `the notes that are played are shown while they sound`() = patiently {
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
    fun `of a child nothing is kept until the guardian has answered`() = patiently {
        consent(AgeBand.CHILD)
        assertEquals(ConsentState.AWAITING_GUARDIAN, etude.choice.state.value.standing)
        etude.practice.until { "parent" in sampling }
        etude.choice.openGate()
        etude.choice.choose(GuardianMethod.TEXT_PLUS)
        etude.choice.enterEvidence("too short")
        etude.choice.approve().join()
        assertEquals(ConsentState.AWAITING_GUARDIAN, etude.choice.state.value.standing)
        etude.choice.enterEvidence("check 5f0c-99d1-77ab-e2c4")
        etude.choice.approve().join()
        assertEquals(ConsentState.GRANTED, etude.choice.state.value.standing)
        assertNull(etude.choice.state.value.gate)
        etude.practice.until { maySample }
    }

    @Test
    fun `a moment goes from the mark to the desk only by the person's word, and comes back`() = patiently {
        consent(AgeBand.ADULT)
        etude.practice.until { maySample }
        makeMoment(68)
        etude.practice.stop()
        val clip = etude.review.state.value.clips.single()
        assertEquals(ReviewModel.BARS, clip.waveform.size)
        assertTrue(clip.waveform.max() in 0.02f..1f)
        assertEquals(emptySet<String>(), demo.held())

        etude.review.play(clip.preview.id)
        waitUntil { output.played.isNotEmpty() }
        assertEquals(clip.preview.seconds, output.played.single().toDouble(), 0.05)
        etude.review.accept(clip.preview.id).join()
        etude.sent.until { pending == 1 }
        etude.sent.send().join()
        assertNull(etude.sent.problem.value)
        val sample = etude.sent.state.value.samples.single()
        assertEquals(SampleState.SENT, sample.state)
        assertEquals(setOf(sample.id), demo.held())

        val dataset = folder.resolve("dataset")
        demo.pull(dataset)
        etude.sent.askWhoOpened(sample.id).join()
        assertEquals("quality desk", etude.sent.state.value.accesses.getValue(sample.id).accesses.single().reader)
        val manifest = dataset.walk().single { it.name == "manifest.json" }.readText()
        assertTrue("etude/free-play" in manifest && Regex("\"midi\":\\s*68") in manifest, manifest)

        etude.withdrawal.withdraw().join()
        etude.withdrawal.sendDeletions().join()
        assertNull(etude.withdrawal.problem.value)
        assertEquals(SampleState.DELETED, etude.withdrawal.state.value.deletions.single().state)
        assertEquals(emptySet<String>(), demo.held())
        etude.practice.until { "took your yes back" in sampling }
    }

    @Test
    fun `a moment that is discarded or deleted never leaves`() = patiently {
        consent(AgeBand.ADULT)
        makeMoment(67)
        etude.review.discard(etude.review.state.value.clips.single().preview.id).join()
        assertEquals(emptyList<Clip>(), etude.review.state.value.clips)
        etude.practice.stop()
        etude.practice.until { !isListening }

        makeMoment(67)
        etude.review.accept(etude.review.state.value.clips.single().preview.id).join()
        etude.sent.askDeleteAll(true)
        etude.sent.deleteAll().join()
        assertFalse(etude.sent.state.value.canDelete)
        etude.sent.send().join()
        assertEquals(emptySet<String>(), demo.held())
    }

    @Test
    fun `one purpose is taken back and the other stands`() = patiently {
        etude.choice.until { notice != null }
        Purpose.entries.forEach { etude.choice.switch(it, true) }
        etude.choice.answerAge(AgeBand.ADULT)
        etude.choice.agree().join()
        etude.withdrawal.withdraw(Purpose.QUALITY_ASSURANCE).join()
        val state = etude.withdrawal.state.value
        assertEquals(ConsentState.GRANTED to listOf(Purpose.RECOGNITION_RESEARCH), state.standing to state.purposes)
    }

    @Test
    fun `receipt and data are handed out`() = patiently {
        consent(AgeBand.ADULT)
        etude.choice.saveReceipt().join()
        etude.sent.exportMyData().join()
        assertEquals(etude.choice.state.value.receipt, String(kept.getValue("receipt.json")))
        assertArrayEquals("PK".toByteArray(), kept.getValue("my-data.zip").copyOf(2))
    }

    private suspend fun consent(age: AgeBand) {
        etude.choice.until { notice != null }
        etude.choice.switch(Purpose.QUALITY_ASSURANCE, true)
        etude.choice.answerAge(age)
        etude.choice.agree().join()
    }

    /** A moment that waits for review. The gate lets one go where it doubts, by draws of its own: then another. */
    private suspend fun makeMoment(played: Int) {
        repeat(3) {
            etude.practice.forget()
            listenAndMark(played)
            waitUntil { "ready" in told() || "not kept" in told() || etude.practice.problem.value != null }
            if ("ready" in told()) return etude.review.until { clips.isNotEmpty() }
            System.err.println("no moment came of a mark: ${etude.practice.problem.value ?: told()}")
        }
        error(etude.practice.problem.value ?: told())
    }

    private fun told() = etude.practice.told.value.orEmpty()

    /** Plays most of the recording in real time, then says that the last note was really [played]. */
    private suspend fun listenAndMark(played: Int) {
        etude.practice.start()
        etude.practice.until { recent.size >= 4 }
        etude.practice.gotItWrong()
        assertNotNull(etude.practice.state.value.correction?.recognized)
        etude.practice.played(played)
    }

    private fun open(): Etude = runBlocking {
        val setup = Setup(folder.resolve("state"), demo.organizationKey, demo.collectorUrl, demo.plan)
        Etude.open(setup, { name, content -> kept[name] = content; name }, output, ::play)
    }

    /** The recording again and again, as a microphone would give it to an app that is never late. */
    private fun play(sordino: Sordino): Flow<Frame> = flow {
        val heard = AtomicLong()
        sordino.frames(recording.rate) { feed ->
            val piece = recording.rate / 100
            var pushed = 0L
            while (true) {
                for (start in 0..recording.samples.size - piece step piece) {
                    feed.push(recording.samples, start, piece)
                    pushed += piece
                    delay(8)
                    // A second is held for the app.
                    while (pushed - heard.get() > recording.rate / 2) delay(1)
                }
            }
        }.collect { frame ->
            heard.addAndGet(frame.samples.size.toLong())
            emit(frame)
        }
    }

    private class Speaker : SoundOutput {
        /** How many seconds of sound were played to the end, each time. */
        val played = java.util.concurrent.CopyOnWriteArrayList<Float>()

        override suspend fun play(sound: ShortArray, rate: Int, onPosition: (Int) -> Unit) {
            onPosition(sound.size)
            played += sound.size / rate.toFloat()
        }
    }

    private companion object {
        val PLAN = ROOT.resolve("samples/plan.toml")
    }
}

/** A test that ends: a deadlock is a failure, not a hang. No machine is as slow as that. */
private fun patiently(test: suspend () -> Unit) = runBlocking { withTimeout(20.minutes) { test() } }

private suspend fun waitUntil(condition: () -> Boolean) {
    while (!condition()) delay(5)
}

private suspend fun <State : Any> Model<State>.until(condition: State.() -> Boolean) =
    waitUntil { state.value.condition() }
