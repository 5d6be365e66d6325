package dev.sordino

/**
 * The result of an upload.
 *
 * @property registrations the number of consent records that the collector registered.
 * @property samples the number of samples that it accepted.
 * @property deletions the number of withdrawals and deletions that it acknowledged.
 * @property refused the number of requests that it refused permanently.
 * @property failed the number of requests that will be sent again later.
 * @property problem the reason for the first refusal or failure, in one line.
 */
data class UploadSummary(
    val registrations: Int = 0,
    val samples: Int = 0,
    val deletions: Int = 0,
    val refused: Int = 0,
    val failed: Int = 0,
    val problem: String? = null,
) {
    /** Adds the status of one request. */
    internal fun with(request: Request, status: TaskStatus): UploadSummary = when (status) {
        is TaskStatus.Done -> when (request.kind) {
            WaitingKind.REGISTRATION -> copy(registrations = registrations + 1)
            WaitingKind.SAMPLE -> copy(samples = samples + 1)
            WaitingKind.WITHDRAWAL, WaitingKind.DELETION -> copy(deletions = deletions + 1)
            null -> this
        }
        is TaskStatus.Retry -> copy(failed = failed + 1, problem = problem ?: status.reason)
        is TaskStatus.Refused -> copy(refused = refused + 1, problem = problem ?: status.reason)
    }
}

/**
 * Sends the requests that [next] returns, given the tasks that failed so far, and passes each result to
 * [processResult]. Stops if the same task is due again, or if the collector is unreachable; with
 * [continueIfUnreachable] only [next] decides when to stop. Every request that [next] returns is processed: one that is
 * not would be due again only after a restart.
 */
internal suspend fun sendAll(
    transport: Transport,
    next: suspend (failed: List<UploadTask>) -> Request?,
    processResult: suspend (UploadTask, UploadResult) -> TaskStatus,
    continueIfUnreachable: Boolean = false,
): UploadSummary {
    var summary = UploadSummary()
    val failed = mutableListOf<UploadTask>()
    while (true) {
        val request = next(failed) ?: return summary
        if (request.task in failed) return summary
        val result = transport.send(request)
        val status = processResult(request.task, result)
        summary = summary.with(request, status)
        if (status !is TaskStatus.Done) failed += request.task
        if (result is UploadResult.Unreachable && !continueIfUnreachable) return summary
    }
}
