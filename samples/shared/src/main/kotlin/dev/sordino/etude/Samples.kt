package dev.sordino.etude

import dev.sordino.Accesses
import dev.sordino.Id
import dev.sordino.Sample
import dev.sordino.SampleState
import dev.sordino.Sordino
import kotlinx.coroutines.CoroutineScope

/**
 * The state of the screen of samples.
 *
 * @property samples newest first.
 * @property accesses the readers of the samples that were looked up.
 * @property isConfirmingDeleteAll whether the person has to confirm the deletion of all samples.
 */
data class SamplesState(
    val samples: List<Sample> = emptyList(),
    val accesses: Map<Id, Accesses> = emptyMap(),
    val isBusy: Boolean = false,
    val isConfirmingDeleteAll: Boolean = false,
) {
    val pending: Int get() = samples.count { it.state == SampleState.PENDING }
    val canDelete: Boolean get() = samples.any { it.state.isDeletable }
}

/** Whether the sample still exists and can be deleted. */
val SampleState.isDeletable: Boolean get() = this == SampleState.PENDING || this == SampleState.SENT

/** Lists the samples with their state, sends and deletes them, and exports all data about the person. */
class SamplesModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
    private val documents: DocumentStore,
) : ViewModel<SamplesState>(scope, SamplesState()) {
    override suspend fun refresh() {
        val samples = sordino.samples().reversed()
        update { it.copy(samples = samples) }
    }

    /** Sends everything that is due, including deletions. */
    fun send() = sendAll(sordino) { isBusy -> update { it.copy(isBusy = isBusy) } }

    fun delete(sample: Id) = perform {
        sordino.delete(sample)
        refresh()
        report("Deleted on this device. If it was sent, the next upload requests its deletion.")
    }

    fun confirmDeleteAll(isConfirming: Boolean) = update { it.copy(isConfirmingDeleteAll = isConfirming) }

    fun deleteAll() = perform {
        confirmDeleteAll(false)
        sordino.deleteAll()
        refresh()
        report("All are deleted on this device. The next upload requests the deletion of those that were sent.")
    }

    fun loadAccesses(sample: Id) = perform {
        val accesses = sordino.accesses(sample)
        update { it.copy(accesses = it.accesses + (sample to accesses)) }
    }

    fun exportMyData() = perform {
        report("Saved: ${documents.save("my-data.zip", sordino.exportMyData())}")
    }
}
