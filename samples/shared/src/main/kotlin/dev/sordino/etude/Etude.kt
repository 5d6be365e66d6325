package dev.sordino.etude

import dev.sordino.AppInfo
import dev.sordino.Event
import dev.sordino.Frame
import dev.sordino.Sordino
import dev.sordino.SordinoException
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.filterNot
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch

/**
 * The settings to open the engine with.
 *
 * @property folder the engine's state folder.
 * @property organizationKey the organization's public key, 64 hexadecimal digits.
 * @property plan the signed plan that the app contains; newer ones come from the collector.
 */
class Setup(val folder: File, val organizationKey: String, val collectorUrl: String, val plan: ByteArray)

/**
 * The practice app without its screens: the engine and the view models.
 *
 * @param frames returns the frames to listen to; by default those of the engine's microphone.
 */
class Etude private constructor(
    private val sordino: Sordino,
    documents: DocumentStore,
    output: AudioOutput,
    frames: (Sordino) -> Flow<Frame>,
) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    val practice = PracticeModel(sordino, scope) { frames(sordino) }
    val consent = ConsentModel(sordino, scope, APP, documents)
    val review = ReviewModel(sordino, scope, output)
    val samples = SamplesModel(sordino, scope, documents)
    val withdrawal = WithdrawalModel(sordino, scope)

    init {
        scope.launch(start = CoroutineStart.UNDISPATCHED) { sordino.events.collect(practice::onEvent) }
        scope.launch(start = CoroutineStart.UNDISPATCHED) {
            sordino.events.filterNot { it is Event.Capture }.conflate().collect { refresh() }
        }
        scope.launch {
            refresh()
            while (isActive) {
                delay(MILLIS_BETWEEN_UPLOADS)
                try {
                    sordino.uploadInBackground()
                } catch (failure: SordinoException) {
                    // The request stays due; an upload that the person starts shows the problem.
                }
            }
        }
    }

    /** Stops listening and releases the state folder; waits some seconds at most until the selected samples are sealed. */
    override fun close() {
        scope.cancel()
        sordino.close()
    }

    private suspend fun refresh() {
        for (model in listOf(practice, consent, review, samples, withdrawal)) {
            try {
                model.refresh()
            } catch (closed: SordinoException.Closed) {
                return
            } catch (outdated: SordinoException) {
                // For example, a clip was accepted at the same time: the next event refreshes again.
            }
        }
    }

    companion object {
        private val APP = AppInfo("Etude", "privacy@etude.example")
        private const val MILLIS_BETWEEN_UPLOADS = 60_000L

        /** Opens the engine, with a review of every clip before it is sealed. */
        suspend fun open(
            setup: Setup,
            documents: DocumentStore,
            output: AudioOutput,
            frames: (Sordino) -> Flow<Frame> = { it.frames() },
        ): Etude {
            val sordino = Sordino.open(setup.folder, setup.organizationKey, setup.collectorUrl) { reviewRequired = true }
            if (sordino.plan() == null) sordino.installPlan(setup.plan)
            return Etude(sordino, documents, output, frames)
        }
    }
}
