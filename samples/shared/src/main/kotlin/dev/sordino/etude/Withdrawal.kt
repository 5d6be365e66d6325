package dev.sordino.etude

import dev.sordino.ConsentState
import dev.sordino.Purpose
import dev.sordino.Sample
import dev.sordino.SampleState
import dev.sordino.Sordino
import dev.sordino.UploadReport
import kotlinx.coroutines.CoroutineScope

/**
 * The screen of the withdrawal.
 *
 * @property standing where consent stands.
 * @property purposes what the yes is for, which can be taken back one by one.
 * @property deletions samples that were sent and are deleted or to be.
 * @property unacknowledged how many deletions the service has not confirmed yet.
 */
data class WithdrawalState(
    val standing: ConsentState = ConsentState.UNANSWERED,
    val purposes: List<Purpose> = emptyList(),
    val deletions: List<Sample> = emptyList(),
    val unacknowledged: Int = 0,
    val isBusy: Boolean = false,
)

/** Takes the yes back, as a whole or for one purpose, and shows what became of each deletion. */
class WithdrawalModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
) : Model<WithdrawalState>(scope, WithdrawalState()) {
    override suspend fun refresh() {
        val consent = sordino.consent()
        val status = sordino.status()
        val samples = sordino.samples().reversed()
        show {
            it.copy(
                standing = consent.state,
                purposes = consent.purposes,
                deletions = samples.filter { sample -> sample.state in DELETIONS },
                unacknowledged = status.deletionsPending.toInt(),
            )
        }
    }

    /** Takes the yes back for [purpose], or as a whole, and asks at once for what was sent. */
    fun withdraw(purpose: Purpose? = null) = act {
        val done = sordino.withdraw(purpose)
        refresh()
        val shredded = count(done.shredded.toInt(), "moment")
        val asked = count(done.deletionsPending.toInt(), "deletion")
        tell("Taken back. Destroyed on this device: $shredded. To be asked of the service: $asked.")
    }

    /** Asks the service for the deletions that it has not acknowledged. */
    fun sendDeletions() = sendAll(sordino) { isBusy -> show { it.copy(isBusy = isBusy) } }

    private companion object {
        val DELETIONS = setOf(SampleState.DELETION_ASKED, SampleState.DELETED)
    }
}

/** What a round of sending did, in a sentence. */
internal fun sentenceOf(report: UploadReport): String {
    val done = listOfNotNull(
        report.samples.takeIf { it > 0 }?.let { "sent ${count(it, "moment")}" },
        report.deletions.takeIf { it > 0 }?.let { "${count(it, "deletion")} confirmed" },
    ).joinToString(", ")
    val problem = report.problem
    return when {
        problem != null && done.isEmpty() -> "Not now: $problem"
        problem != null -> "Done: $done. Not now: $problem"
        done.isEmpty() -> "There was nothing to send."
        else -> "Done: $done."
    }
}
