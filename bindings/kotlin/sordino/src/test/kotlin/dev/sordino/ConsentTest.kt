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

/** What a person can do with what is held of them: hear it first, see it, have it deleted, be forgotten. */
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
    fun `samples are deleted here at once and there with the next upload`() = patiently {
        sayYes()
        val sent = queue()
        assertNull(sordino.uploadNow().problem)
        val pending = queue()
        assertEquals(setOf(sent), collector.samples())
        sordino.deleteAll()
        assertEquals(listOf(SampleState.DELETION_ASKED, SampleState.DELETED), sordino.samples().map { it.state })
        assertEquals(1, sordino.uploadNow().deletions)
        assertEquals(emptySet<String>(), collector.samples())
        assertEquals(ConsentState.GRANTED, sordino.consentState.value)
        assertEquals(pending, sordino.samples().last().id)
        assertEquals(SampleState.DELETED, sordino.delete(pending).state)
    }

    @Test
    fun `the archive holds the receipt and the list of samples`() = patiently {
        val receipt = sayYes()
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
    fun `where the person wants it, nothing is sealed that was not heard`() = patiently {
        sordino.close()
        sordino = open { reviewRequired = true }
        sayYes()
        val offer = offer() as Offer.AwaitsReview
        val preview = sordino.previews().single()
        assertEquals(offer.preview to Trigger.MARK, preview.id to preview.trigger)
        val sound = sordino.preview(preview.id)
        assertEquals(preview.seconds, sound.toShorts().size / sound.rate.toDouble(), 0.01)
        assertTrue(sound.toShorts().any { it > 1000 })
        assertTrue(sordino.acceptPreview(preview.id) is Offer.Queued)
        val other = offer() as Offer.AwaitsReview
        sordino.discardPreview(other.preview)
        assertEquals(emptyList<Preview>(), sordino.previews())
        assertEquals(1UL, sordino.status().pending)
        val error = runCatching { sordino.preview(other.preview) }.exceptionOrNull()
        assertTrue(error is SordinoException.Argument, "$error")
    }

    @Test
    fun `a child that came of age is asked anew`() = patiently {
        sordino.installPlan(organization.plan)
        val quality = listOf(Purpose.QUALITY_ASSURANCE)
        sordino.giveConsent(quality, AgeBand.CHILD, notice(1u), GuardianMethod.TEXT_PLUS)
        assertNull(sordino.maySample())
        sordino.comeOfAge()
        assertEquals(ConsentState.OUTDATED, sordino.consentState.value)
        assertTrue(sordino.consent().cameOfAge)
        sayYes()
        assertEquals(ConsentState.GRANTED, sordino.consentState.value)
    }

    @Test
    fun `no more waits to be sent than the app wants`() = patiently {
        sordino.close()
        sordino = open { mostPending = 1 }
        sayYes()
        val dropped = launch(start = CoroutineStart.UNDISPATCHED) { sordino.events.first { it is Event.Dropped } }
        queue()
        queue()
        dropped.join()
        assertEquals(1UL, sordino.status().pending)
    }

    @Test
    fun `without the collector an upload says so, and what is due stays due`() = patiently {
        sayYes()
        queue()
        collector.close()
        val report = sordino.uploadNow()
        assertEquals(1, report.failed)
        assertTrue(report.problem!!.isNotEmpty() && '\n' !in report.problem!!, "$report")
        assertEquals(1UL, sordino.status().pending)
        val error = runCatching { sordino.accesses(sordino.samples().single().id) }.exceptionOrNull()
        assertTrue(error is SordinoException.Upload, "$error")
        // What failed waits for its time in the background; only the plan was not asked for yet.
        assertTrue(sordino.upload().failed <= 1)
        assertEquals(UploadReport(), sordino.upload())
    }

    @Test
    fun `a damaged folder says that only a reset helps, and a reset helps`() = patiently {
        sayYes()
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

    private suspend fun sayYes(): String {
        sordino.installPlan(organization.plan)
        return sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.ADULT, notice(1u))
    }

    private suspend fun offer() = sordino.offer(recording.samples, recording.rate)
    private suspend fun queue() = (offer() as Offer.Queued).sample
}
