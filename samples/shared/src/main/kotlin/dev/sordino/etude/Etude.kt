package dev.sordino.etude

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
 * What an app must know to open its engine.
 *
 * @property folder where the engine's state lives; nobody else writes there.
 * @property organizationKey the organization's public key, 64 hexadecimal digits.
 * @property plan the signed plan that comes with the app; newer ones come from the collector.
 */
class Setup(val folder: File, val organizationKey: String, val collectorUrl: String, val plan: ByteArray)

/**
 * The practice app without its screens: the engine, and what each screen shows.
 *
 * @param frames what is heard, of the engine that is given; its microphone without.
 */
class Etude private constructor(
    private val sordino: Sordino,
    keeper: Keeper,
    output: SoundOutput,
    frames: (Sordino) -> Flow<Frame>,
) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    val practice = PracticeModel(sordino, scope) { frames(sordino) }
    val choice = ChoiceModel(sordino, scope, APP, keeper)
    val review = ReviewModel(sordino, scope, output)
    val sent = SentModel(sordino, scope, keeper)
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
                    sordino.upload()
                } catch (passing: SordinoException) {
                    // What fails stays due; the screens tell where the person asks.
                }
            }
        }
    }

    /** Stops listening and gives the state folder back; waits until what was chosen is sealed, at most seconds. */
    override fun close() {
        scope.cancel()
        sordino.close()
    }

    private suspend fun refresh() {
        for (model in listOf(practice, choice, review, sent, withdrawal)) {
            try {
                model.refresh()
            } catch (closed: SordinoException.Closed) {
                return
            } catch (passing: SordinoException) {
                // A clip was accepted in this very moment, say: the next event refreshes again.
            }
        }
    }

    companion object {
        private val APP = AppName("Etude", "privacy@etude.example")
        private const val MILLIS_BETWEEN_UPLOADS = 60_000L

        /** Opens the engine, with every clip to be heard by the person before it is sealed. */
        suspend fun open(
            setup: Setup,
            keeper: Keeper,
            output: SoundOutput,
            frames: (Sordino) -> Flow<Frame> = { it.frames() },
        ): Etude {
            val sordino = Sordino.open(setup.folder, setup.organizationKey, setup.collectorUrl) { reviewRequired = true }
            if (sordino.plan() == null) sordino.installPlan(setup.plan)
            return Etude(sordino, keeper, output, frames)
        }
    }
}
