package dev.sordino

import java.io.File
import java.util.zip.ZipInputStream
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The person's controls: review, list, export, deletion, reset. */
internal class ConsentTest(@TempDir private val folder: File) {
    private val organization = Organization(folder)
    private val collector = Collector(organization)
    private val state = folder.resolve("state")
    private val recording = readWav(ROOT.resolve("samples/audio/flute-alone.wav"))
    private var sordino = open()

    @AfterEach
    fun close() {
        sordino.close()
        collector.close()
    }

    @Test
    fun `samples are deleted locally, then at the collector`() = runTest {
        giveConsent()
        val sent = queue()
        assertNull(sordino.upload().problem)
        val pending = queue()
        assertEquals(setOf(sent), collector.samples())
        sordino.deleteAll()
        assertEquals(listOf(SampleState.DELETION_ASKED, SampleState.DELETED), sordino.samples().map { it.state })
        assertEquals(1, sordino.upload().deletions)
        assertEquals(emptySet<String>(), collector.samples())
        assertEquals(ConsentState.GRANTED, sordino.consentState.value)
        assertEquals(pending, sordino.samples().last().id)
        assertEquals(SampleState.DELETED, sordino.delete(pending).state)
    }

    @Test
    fun `the export contains the receipt and the list of samples`() = runTest {
        val receipt = giveConsent()
        val sample = queue()
        val files = mutableMapOf<String, String>()
        ZipInputStream(sordino.exportMyData().inputStream()).use { zip ->
            generateSequence { zip.nextEntry }.forEach { files[it.name] = zip.readBytes().decodeToString() }
        }
        val listed = Json.of(files.getValue("samples.json")).elements.single()
        assertEquals(sample, listed["id"].text)
        assertEquals(Json.of(receipt), Json.of(files.getValue("consent/${listed["consent"].text}.json")))
    }

    @Test
    fun `with review required nothing is sealed before review`() = runTest {
        sordino.close()
        sordino = open { reviewRequired = true }
        giveConsent()
        val first = submit() as SubmitOutcome.AwaitsReview
        val preview = sordino.previews().single()
        assertEquals(first.preview to Trigger.MARK, preview.id to preview.trigger)
        val audio = sordino.preview(preview.id)
        assertEquals(preview.seconds, audio.toShorts().size / audio.rate.toDouble(), 0.01)
        assertTrue(audio.toShorts().any { it > 1000 })
        assertTrue(sordino.acceptPreview(preview.id) is SubmitOutcome.Queued)
        val second = submit() as SubmitOutcome.AwaitsReview
        sordino.discardPreview(second.preview)
        assertEquals(emptyList<Preview>(), sordino.previews())
        assertEquals(1UL, sordino.status().pending)
        val error = runCatching { sordino.preview(second.preview) }.exceptionOrNull()
        assertTrue(error is SordinoException.Argument, "$error")
    }

    @Test
    fun `consent of a child is outdated after coming of age`() = runTest {
        sordino.installPlan(organization.plan)
        val purposes = listOf(Purpose.QUALITY_ASSURANCE)
        sordino.giveConsent(purposes, AgeBand.CHILD, notice(1u), GuardianMethod.TEXT_PLUS)
        assertNull(sordino.samplingBlocked())
        sordino.comeOfAge()
        assertEquals(ConsentState.OUTDATED, sordino.consentState.value)
        assertTrue(sordino.consent().cameOfAge)
        giveConsent()
        assertEquals(ConsentState.GRANTED, sordino.consentState.value)
    }

    @Test
    fun `the quota drops the oldest pending sample`() = runTest {
        sordino.close()
        sordino = open { quota = Quota(samples = 1) }
        giveConsent()
        val dropped = launch(start = CoroutineStart.UNDISPATCHED) { sordino.events.first { it is Event.Dropped } }
        queue()
        queue()
        dropped.join()
        assertEquals(1UL, sordino.status().pending)
    }

    @Test
    fun `an upload without a collector reports it and stays due`() = runTest {
        giveConsent()
        queue()
        collector.close()
        val summary = sordino.upload()
        assertEquals(1, summary.failed)
        assertTrue(summary.problem!!.isNotEmpty() && '\n' !in summary.problem!!, "$summary")
        assertEquals(1UL, sordino.status().pending)
        val error = runCatching { sordino.accesses(sordino.samples().single().id) }.exceptionOrNull()
        assertTrue(error is SordinoException.Upload, "$error")
        // A background upload respects the backoff; only the plan was not requested yet.
        assertTrue(sordino.uploadInBackground().failed <= 1)
        assertEquals(UploadSummary(), sordino.uploadInBackground())
    }

    @Test
    fun `reset erases a closed folder and refuses an open one`() = runTest {
        giveConsent()
        val error = runCatching { Sordino.reset(state) }.exceptionOrNull()
        assertTrue(error is SordinoException.State, "$error")
        sordino.close()
        assertTrue(Sordino.reset(state))
        sordino = open()
        assertEquals(ConsentState.UNANSWERED, sordino.consentState.value)
        val exported = sordino.exportMyData()
        assertArrayEquals("PK".toByteArray(), exported.copyOf(2))
    }

    private fun open(configure: Options.() -> Unit = {}) =
        Sordino.open(state, organization.key, collector.url, configure)

    private suspend fun giveConsent(): String {
        sordino.installPlan(organization.plan)
        return sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.ADULT, notice(1u))
    }

    private suspend fun submit() = sordino.submit(recording.samples, recording.rate)
    private suspend fun queue() = (submit() as SubmitOutcome.Queued).sample
}
