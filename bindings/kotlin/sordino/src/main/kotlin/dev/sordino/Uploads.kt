package dev.sordino

/**
 * What a round of uploads did.
 *
 * @property registrations consent records that the collector registered.
 * @property samples samples that it took.
 * @property deletions withdrawals and deletions that it acknowledged.
 * @property refused requests that it will not have.
 * @property failed requests that are due again later.
 * @property problem why, in one line, for the first that was refused or failed.
 */
data class UploadReport(
    val registrations: Int = 0,
    val samples: Int = 0,
    val deletions: Int = 0,
    val refused: Int = 0,
    val failed: Int = 0,
    val problem: String? = null,
) {
    /** With what became of one more request. */
    internal fun with(task: Task, finished: Finished): UploadReport = when (finished) {
        is Finished.Done -> when (task.substringBefore(':')) {
            "register" -> copy(registrations = registrations + 1)
            "send" -> copy(samples = samples + 1)
            "withdraw", "delete" -> copy(deletions = deletions + 1)
            else -> this
        }
        is Finished.Later -> copy(failed = failed + 1, problem = problem ?: finished.reason)
        is Finished.Refused -> copy(refused = refused + 1, problem = problem ?: finished.reason)
    }
}

/**
 * Sends what [next] says is due, given the tasks that failed in this round, and hands what came of it to [finish]. It
 * ends where the same task is due again; and at a collector that cannot be reached, unless [passesOver] says that [next]
 * asks such a one for nothing more. A request that was handed out and not finished would not be due again before the
 * next start.
 */
internal suspend fun sendAll(
    transport: Transport,
    next: suspend (failed: List<Task>) -> Request?,
    finish: suspend (Task, Outcome) -> Finished,
    passesOver: Boolean = false,
): UploadReport {
    var report = UploadReport()
    val failed = mutableListOf<Task>()
    while (true) {
        val request = next(failed) ?: return report
        if (request.task in failed) return report
        val outcome = transport.send(request)
        val finished = finish(request.task, outcome)
        report = report.with(request.task, finished)
        if (finished !is Finished.Done) failed += request.task
        if (outcome is Outcome.Unreachable && !passesOver) return report
    }
}
