package dev.sordino

import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.io.TempDir

/** A test with a `Sordino` that is open, without a collector. */
internal abstract class Opened {
    @TempDir
    lateinit var folder: File

    val state: File get() = folder.resolve("state")
    val sordino: Sordino by lazy { open() }
    private val opened = mutableListOf<Sordino>()

    @AfterEach
    fun closeAll() = opened.forEach { it.close() }

    fun open(configure: Options.() -> Unit = {}): Sordino =
        Sordino.open(state, organization.key, NOWHERE, configure).also { opened += it }

    suspend fun Sordino.consentTo(vararg purposes: Purpose = arrayOf(Purpose.QUALITY_ASSURANCE)) {
        installPlan(organization.plan)
        giveConsent(purposes.toList(), AgeBand.ADULT, notice(1u))
    }

    /** Notes all events from here on. */
    fun CoroutineScope.diary(of: Sordino): Diary {
        val diary = Diary()
        diary.job = launch(start = CoroutineStart.UNDISPATCHED) { of.events.collect { diary.events += it } }
        return diary
    }

    class Diary {
        val events = java.util.concurrent.CopyOnWriteArrayList<Event>()
        lateinit var job: Job

        fun captured(): List<CaptureEvent> = events.filterIsInstance<Event.Capture>().map { it.event }

        /** Samples that events said were lost. */
        fun overran(): Long = captured().filterIsInstance<CaptureEvent.Overrun>().sumOf { it.samples.toLong() }
        fun close() = job.cancel()
    }

    companion object {
        /** Made once: its keys take a while. */
        val organization: Organization by lazy {
            Organization(kotlin.io.path.createTempDirectory("sordino").toFile().apply { deleteOnExit() })
        }
    }
}
