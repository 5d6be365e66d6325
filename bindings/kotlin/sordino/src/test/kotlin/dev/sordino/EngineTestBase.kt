package dev.sordino

import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.io.TempDir

/** A test with an open `Sordino`, without a collector. */
internal abstract class EngineTestBase {
    @TempDir
    lateinit var folder: File

    val state: File get() = folder.resolve("state")
    val sordino: Sordino by lazy { open() }
    private val opened = mutableListOf<Sordino>()

    @AfterEach
    fun closeAll() = opened.forEach { it.close() }

    fun open(configure: Options.() -> Unit = {}): Sordino =
        Sordino.open(state, organization.key, UNREACHABLE_URL, configure).also { opened += it }

    suspend fun Sordino.consentTo(vararg purposes: Purpose = arrayOf(Purpose.QUALITY_ASSURANCE)) {
        installPlan(organization.plan)
        giveConsent(purposes.toList(), AgeBand.ADULT, notice(1u))
    }

    /** Logs all events from now on. */
    fun CoroutineScope.logEvents(sordino: Sordino): EventLog {
        val log = EventLog()
        log.job = launch(start = CoroutineStart.UNDISPATCHED) { sordino.events.collect { log.events += it } }
        return log
    }

    class EventLog {
        val events = java.util.concurrent.CopyOnWriteArrayList<Event>()
        lateinit var job: Job

        fun captureEvents(): List<CaptureEvent> = events.filterIsInstance<Event.Capture>().map { it.event }

        /** The number of samples that events reported as lost. */
        fun lostSamples(): Long = captureEvents().filterIsInstance<CaptureEvent.Overrun>().sumOf { it.samples.toLong() }
        fun close() = job.cancel()
    }

    companion object {
        /** Made once, because generating the keys is slow. */
        val organization: Organization by lazy {
            Organization(kotlin.io.path.createTempDirectory("sordino").toFile().apply { deleteOnExit() })
        }
    }
}
