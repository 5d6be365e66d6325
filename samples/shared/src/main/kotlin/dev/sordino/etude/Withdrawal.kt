package dev.sordino.etude

import dev.sordino.ConsentState
import dev.sordino.Purpose
import dev.sordino.Sample
import dev.sordino.SampleState
import dev.sordino.Sordino
import dev.sordino.UploadSummary
import kotlinx.coroutines.CoroutineScope

/**
 * The state of the withdrawal screen.
 *
 * @property consent the state of consent.
 * @property purposes the purposes of the consent, which can be withdrawn one by one.
 * @property deletions the samples that were sent and are deleted or being deleted.
 * @property unacknowledged the number of deletions that the service has not confirmed yet.
 */
data class WithdrawalState(
    val consent: ConsentState = ConsentState.UNANSWERED,
    val purposes: List<Purpose> = emptyList(),
    val deletions: List<Sample> = emptyList(),
    val unacknowledged: Int = 0,
    val isBusy: Boolean = false,
)

/** Withdraws consent, for one purpose or for all, and shows the state of each deletion. */
class WithdrawalModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
) : ViewModel<WithdrawalState>(scope, WithdrawalState()) {
    override suspend fun refresh() {
        val consent = sordino.consent()
        val status = sordino.status()
        val samples = sordino.samples().reversed()
        update {
            it.copy(
                consent = consent.state,
                purposes = consent.purposes,
                deletions = samples.filter { sample -> sample.state in DELETIONS },
                unacknowledged = status.deletionsPending.toInt(),
            )
        }
    }

    /** Withdraws consent for [purpose], or for all. */
    fun withdraw(purpose: Purpose? = null) = perform {
        val withdrawal = sordino.withdraw(purpose)
        refresh()
        val shredded = count(withdrawal.shredded.toInt(), "moment")
        val deletions = count(withdrawal.deletionsPending.toInt(), "deletion")
        report("Consent withdrawn. Deleted on this device: $shredded. To request from the service: $deletions.")
    }

    /** Requests the deletions that the service has not confirmed. */
    fun sendDeletions() = sendAll(sordino) { isBusy -> update { it.copy(isBusy = isBusy) } }

    private companion object {
        val DELETIONS = setOf(SampleState.DELETION_ASKED, SampleState.DELETED)
    }
}

/** The result of an upload, in a sentence. */
internal fun describe(summary: UploadSummary): String {
    val done = listOfNotNull(
        summary.samples.takeIf { it > 0 }?.let { "sent ${count(it, "moment")}" },
        summary.deletions.takeIf { it > 0 }?.let { "${count(it, "deletion")} confirmed" },
    ).joinToString(", ")
    val problem = summary.problem
    return when {
        problem != null && done.isEmpty() -> "Failed: $problem"
        problem != null -> "Done: $done. Failed: $problem"
        done.isEmpty() -> "There was nothing to send."
        else -> "Done: $done."
    }
}
