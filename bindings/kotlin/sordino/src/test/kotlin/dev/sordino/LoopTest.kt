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

/** The whole loop from Kotlin: nothing without consent, a sample at the desk, and its recall. */
internal class LoopTest(@TempDir private val folder: File) {
    private val organization = Organization(folder)
    private val collector = Collector(organization)
    private val sordino = Sordino.open(folder.resolve("state"), organization.key, collector.url)
    private val recording = readWav(ROOT.resolve("samples/audio/$NAME.wav"))
    private val told = mutableListOf<Event>()

    @AfterEach
    fun close() {
        sordino.close()
        collector.close()
    }

    @Test
    fun `a sample reaches the desk only by consent and leaves it on withdrawal`() = patiently {
        val diary = launch(start = CoroutineStart.UNDISPATCHED) { sordino.events.collect { told += it } }
        sordino.installPlan(organization.plan)
        nothingIsSampledWithoutConsent()
        consentIsGiven()
        val sample = aMarkedMomentIsQueued()
        itIsUploaded(sample)
        itIsPulled(sample)
        itIsWhatWasPlayed(sample)
        withdrawalTakesItBack(sample)
        diary.cancel()
    }

    private suspend fun nothingIsSampledWithoutConsent() {
        assertEquals(WithheldReason.NO_CONSENT, sordino.maySample())
        assertEquals(ConsentState.UNANSWERED, sordino.consentState.value)
        val heard = mutableListOf<Float>()
        var lost = 0L
        play(onFrame = { heard += it.samples.asList(); lost += it.lost }, onMark = {
            assertTrue(it.exceptionOrNull() is SordinoException.Mark, "$it")
        })
        assertEquals(recording.samples.asList(), heard)
        assertEquals(0, lost)
        val offer = sordino.offer(recording.samples, recording.rate)
        assertEquals(Offer.Withheld(WithheldReason.NO_CONSENT), offer)
        assertEquals(emptyList<Sample>(), sordino.samples())
        assertNull(sordino.nextRequest())
        assertEquals(0, folder.resolve("state/outbox").list()!!.size)
        assertTrue(told.none { it is Event.Queued })
    }

    private suspend fun consentIsGiven() {
        val plan = sordino.plan()!!
        val receipt = sordino.giveConsent(plan.purposes, AgeBand.ADULT, notice(plan.noticeVersion))
        val agreed = Json.of(receipt)["dpv:hasProcess"].elements.map { it["dct:identifier"].text }
        assertEquals(listOf("quality-assurance", "recognition-research"), agreed)
        assertEquals(ConsentState.GRANTED, sordino.consentState.value)
        assertEquals(receipt, sordino.consent().receipt)
        assertNull(sordino.maySample())
    }

    private suspend fun aMarkedMomentIsQueued(): Id {
        play(onMark = { assertEquals(Result.success(Marked.CHOSEN), it) })
        waitUntil { told.any { it is Event.Queued } }
        val sample = told.filterIsInstance<Event.Queued>().single().sample
        assertEquals(1UL to 0UL, sordino.status().let { it.pending to it.sent })
        return sample
    }

    private suspend fun itIsUploaded(sample: Id) {
        val report = sordino.uploadNow()
        assertEquals(UploadReport(registrations = 1, samples = 1), report)
        val entry = sordino.samples().single()
        assertEquals(Triple(sample, SampleState.SENT, Trigger.MARK), Triple(entry.id, entry.state, entry.trigger))
    }

    private suspend fun itIsPulled(sample: Id) {
        assertEquals(1.0, collector.pull(folder.resolve("dataset"))["pulled"].number)
        val accesses = sordino.accesses(sample)
        assertNull(accesses.broken)
        assertEquals("desk", accesses.accesses.single().reader)
    }

    /** At each note that the app said it expected, that very pitch sounds in the sample. */
    private fun itIsWhatWasPlayed(sample: Id) {
        val sealed = collector.data.walk().single { it.name == "$sample.age" }
        val opened = folder.resolve("opened")
        run("sordino", "open", sealed, "--identity", organization.identity, "--out", opened)
        val sound = readWav(opened.resolve("audio.wav"))
        val notes = Json.of(opened.resolve("manifest.json").readText())["annotation"]["recognised"].elements
        assertTrue(notes.size > 10, "$notes")
        for (note in notes) {
            val start = (note["onset"].number * sound.rate).toInt()
            val end = (note["offset"].number * sound.rate).toInt()
            val stretch = sound.samples.copyOfRange(start, end)
            val (below, here, above) = (-1..1).map { pitchLevel(stretch, note["midi"].number + it, sound.rate) }
            assertTrue(here > 2 * maxOf(below, above), "$note")
        }
    }

    private suspend fun withdrawalTakesItBack(sample: Id) {
        assertEquals(Withdrawal(shredded = 0UL, deletionsPending = 1UL), sordino.withdraw())
        assertEquals(ConsentState.WITHDRAWN, sordino.consentState.value)
        assertEquals(WithheldReason.NO_CONSENT, sordino.maySample())
        assertNull(sordino.uploadNow().problem)
        assertEquals(0UL, sordino.status().deletionsPending)
        assertEquals(SampleState.DELETED, sordino.samples().single().state)
        assertEquals(emptySet<String>(), collector.samples())
        val dataset = folder.resolve("dataset")
        val pulled = collector.pull(dataset)
        assertEquals(1.0 to 0.0, pulled["removed"].number to pulled["total"].number)
        assertTrue(!dataset.resolve(sample).exists())
    }

    /** Plays the recording and marks a moment so that the clip ends where it does. */
    private suspend fun play(onFrame: (Frame) -> Unit = {}, onMark: (Result<Marked>) -> Unit) {
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

/** How much of a note's pitch sounds: one bin of the Fourier transform, by Goertzel. */
private fun pitchLevel(sound: FloatArray, midi: Double, rate: Int): Double {
    val turn = 2 * PI * 440 * 2.0.pow((midi - 69) / 12) / rate
    var before = 0.0
    var last = 0.0
    for (sample in sound) {
        val next = sample + 2 * cos(turn) * last - before
        before = last
        last = next
    }
    return sqrt(before * before + last * last - 2 * cos(turn) * before * last) / sound.size
}
