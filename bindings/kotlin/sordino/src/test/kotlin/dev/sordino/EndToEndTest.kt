package dev.sordino

import java.io.File
import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.pow
import kotlin.math.sqrt
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

private const val NAME = "flute-alone"

/** The whole path from Kotlin: nothing without consent, a sample pulled by a reader, and its deletion. */
internal class EndToEndTest(@TempDir private val folder: File) {
    private val organization = Organization(folder)
    private val collector = Collector(organization)
    private val sordino = Sordino.open(folder.resolve("state"), organization.key, collector.url)
    private val recording = readWav(ROOT.resolve("samples/audio/$NAME.wav"))
    private val events = mutableListOf<Event>()

    @AfterEach
    fun close() {
        sordino.close()
        collector.close()
    }

    @Test
    fun `a sample needs consent and is deleted on withdrawal`() = runTest {
        val log = launch(start = CoroutineStart.UNDISPATCHED) { sordino.events.collect { events += it } }
        sordino.installPlan(organization.plan)
        checkNothingIsSampledWithoutConsent()
        giveConsent()
        val sample = queueMarkedMoment()
        checkUpload(sample)
        checkPull(sample)
        checkNotes(sample)
        checkWithdrawal(sample)
        log.cancel()
    }

    private suspend fun checkNothingIsSampledWithoutConsent() {
        assertEquals(WithheldReason.NO_CONSENT, sordino.samplingBlocked())
        assertEquals(ConsentState.UNANSWERED, sordino.consentState.value)
        val received = mutableListOf<Float>()
        var lost = 0L
        play(onFrame = { received += it.samples.asList(); lost += it.lost }, onMark = {
            assertTrue(it.exceptionOrNull() is SordinoException.Mark, "$it")
        })
        assertEquals(recording.samples.asList(), received)
        assertEquals(0, lost)
        val outcome = sordino.submit(recording.samples, recording.rate)
        assertEquals(SubmitOutcome.Withheld(WithheldReason.NO_CONSENT), outcome)
        assertEquals(emptyList<Sample>(), sordino.samples())
        assertNull(sordino.nextUploadTask())
        assertEquals(0, folder.resolve("state/outbox").list()!!.size)
        assertTrue(events.none { it is Event.Queued })
    }

    private suspend fun giveConsent() {
        val plan = sordino.plan()!!
        val receipt = sordino.giveConsent(plan.purposes, AgeBand.ADULT, notice(plan.noticeVersion))
        val agreed = Json.of(receipt)["dpv:hasProcess"].elements.map { it["dct:identifier"].text }
        assertEquals(listOf("quality-assurance", "recognition-research"), agreed)
        assertEquals(ConsentState.GRANTED, sordino.consentState.value)
        assertEquals(receipt, sordino.consent().receipt)
        assertNull(sordino.samplingBlocked())
    }

    private suspend fun queueMarkedMoment(): Id {
        play(onMark = { assertEquals(Result.success(MarkOutcome.SELECTED), it) })
        waitUntil { events.any { it is Event.Queued } }
        val sample = events.filterIsInstance<Event.Queued>().single().sample
        assertEquals(1UL to 0UL, sordino.status().let { it.pending to it.sent })
        return sample
    }

    private suspend fun checkUpload(sample: Id) {
        val summary = sordino.upload()
        assertEquals(UploadSummary(registrations = 1, samples = 1), summary)
        val entry = sordino.samples().single()
        assertEquals(Triple(sample, SampleState.SENT, Trigger.MARK), Triple(entry.id, entry.state, entry.trigger))
    }

    private suspend fun checkPull(sample: Id) {
        assertEquals(1.0, collector.pull(folder.resolve("dataset"))["pulled"].number)
        val accesses = sordino.accesses(sample)
        assertNull(accesses.inconsistency)
        assertEquals("qa", accesses.accesses.single().reader)
    }

    /** Checks that the pitch of each recognized note is in the sample. */
    private fun checkNotes(sample: Id) {
        val sealed = collector.data.walk().single { it.name == "$sample.age" }
        val out = folder.resolve("opened")
        run("sordino", "open", sealed, "--identity", organization.identity, "--out", out)
        val opened = readWav(out.resolve("audio.wav"))
        val notes = Json.of(out.resolve("manifest.json").readText())["annotation"]["recognised"].elements
        assertTrue(notes.size > 10, "$notes")
        for (note in notes) {
            val start = (note["onset"].number * opened.rate).toInt()
            val end = (note["offset"].number * opened.rate).toInt()
            val samples = opened.samples.copyOfRange(start, end)
            val (below, here, above) = (-1..1).map { pitchLevel(samples, note["midi"].number + it, opened.rate) }
            assertTrue(here > 2 * maxOf(below, above), "$note")
        }
    }

    private suspend fun checkWithdrawal(sample: Id) {
        assertEquals(Withdrawal(shredded = 0UL, deletionsPending = 1UL), sordino.withdraw())
        assertEquals(ConsentState.WITHDRAWN, sordino.consentState.value)
        assertEquals(WithheldReason.NO_CONSENT, sordino.samplingBlocked())
        assertNull(sordino.upload().problem)
        assertEquals(0UL, sordino.status().deletionsPending)
        assertEquals(SampleState.DELETED, sordino.samples().single().state)
        assertEquals(emptySet<String>(), collector.samples())
        val dataset = folder.resolve("dataset")
        val pulled = collector.pull(dataset)
        assertEquals(1.0 to 0.0, pulled["removed"].number to pulled["total"].number)
        assertTrue(!dataset.resolve(sample).exists())
    }

    /** Plays the recording and marks a moment such that the clip ends at the end of the recording. */
    private suspend fun play(onFrame: (Frame) -> Unit = {}, onMark: (Result<MarkOutcome>) -> Unit) {
        val plan = sordino.plan()!!
        val after = (plan.clipSeconds - plan.preRollSeconds).toInt()
        val at = recording.samples.size - after * recording.rate
        val truth = Json.of(ROOT.resolve("samples/audio/truth.json").readText())[NAME]["notes"].elements
        val played = truth.map { note ->
            val (onset, offset, midi) = note.elements.map(Json::number)
            MomentNote(midi.toInt().toUByte(), onset - at.toDouble() / recording.rate, offset - at.toDouble() / recording.rate)
        }
        var isMarked = false
        sordino.play(recording) { frame ->
            onFrame(frame)
            if (!isMarked && frame.position.toLong() + frame.samples.size >= at) {
                isMarked = true
                onMark(runCatching { sordino.mark(Moment(at.toULong(), recognized = played, tag = "kotlin/loop")) })
            }
        }
        assertTrue(isMarked)
    }
}

/** The level of a note's pitch: one bin of the Fourier transform, with Goertzel's algorithm. */
private fun pitchLevel(samples: FloatArray, midi: Double, rate: Int): Double {
    val turn = 2 * PI * 440 * 2.0.pow((midi - 69) / 12) / rate
    var before = 0.0
    var last = 0.0
    for (sample in samples) {
        val next = sample + 2 * cos(turn) * last - before
        before = last
        last = next
    }
    return sqrt(before * before + last * last - 2 * cos(turn) * before * last) / samples.size
}
