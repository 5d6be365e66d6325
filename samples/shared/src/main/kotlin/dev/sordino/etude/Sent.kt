package dev.sordino.etude

import dev.sordino.Accesses
import dev.sordino.Id
import dev.sordino.Sample
import dev.sordino.SampleState
import dev.sordino.Sordino
import kotlinx.coroutines.CoroutineScope

/**
 * The screen of what was sent.
 *
 * @property samples newest first.
 * @property accesses who opened them, for those that were asked about.
 * @property isAskedDeleteAll whether the person is being asked if all is really to go.
 */
data class SentState(
    val samples: List<Sample> = emptyList(),
    val accesses: Map<Id, Accesses> = emptyMap(),
    val isBusy: Boolean = false,
    val isAskedDeleteAll: Boolean = false,
) {
    val pending: Int get() = samples.count { it.state == SampleState.PENDING }
    val canDelete: Boolean get() = samples.any { it.state.isThere }
}

/** Whether something of the sample is there that can be deleted. */
val SampleState.isThere: Boolean get() = this == SampleState.PENDING || this == SampleState.SENT

/** Shows what became of each sample, sends, deletes, and hands out all that is held of the person. */
class SentModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
    private val keeper: Keeper,
) : Model<SentState>(scope, SentState()) {
    override suspend fun refresh() {
        val samples = sordino.samples().reversed()
        show { it.copy(samples = samples) }
    }

    /** Sends what waits, deletions too. */
    fun send() = sendAll(sordino) { isBusy -> show { it.copy(isBusy = isBusy) } }

    fun delete(sample: Id) = act {
        sordino.delete(sample)
        refresh()
        tell("Deleted here. If it was sent, its deletion is asked for with the next sending.")
    }

    fun askDeleteAll(isAsked: Boolean) = show { it.copy(isAskedDeleteAll = isAsked) }

    fun deleteAll() = act {
        askDeleteAll(false)
        sordino.deleteAll()
        refresh()
        tell("All are deleted here. Of those that were sent, deletion is asked for with the next sending.")
    }

    fun askWhoOpened(sample: Id) = act {
        val accesses = sordino.accesses(sample)
        show { it.copy(accesses = it.accesses + (sample to accesses)) }
    }

    fun exportMyData() = act {
        tell("Saved: ${keeper.keep("my-data.zip", sordino.exportMyData())}")
    }
}
