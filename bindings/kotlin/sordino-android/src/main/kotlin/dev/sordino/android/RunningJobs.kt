package dev.sordino.android

import kotlinx.coroutines.Job

/**
 * The jobs of this process by id. The system stops a running job if its id is scheduled again, so new work is passed to
 * the running job instead, which repeats its work before it finishes.
 */
internal class RunningJobs {
    /** One run of a job, from start to finish. */
    class Run(val id: Int) {
        /** Does the work; it starts after the run is registered. */
        lateinit var work: Job
        internal var isRepeatRequested = false
    }

    private val runs = HashMap<Int, Run>()
    private val finished = HashSet<Int>()

    /** Registers and starts [run]. */
    fun start(run: Run) {
        synchronized(this) {
            runs[run.id] = run
            finished -= run.id
        }
        // However it ends; a run that is canceled before it starts does not call `finish`.
        run.work.invokeOnCompletion { remove(run) }
        run.work.start()
    }

    /** Makes the running job with this [id] repeat its work. Returns whether there is one. */
    @Synchronized
    fun requestRepeat(id: Int): Boolean {
        val run = runs[id]?.takeUnless { it.work.isCancelled } ?: return false
        run.isRepeatRequested = true
        return true
    }

    /**
     * Finishes [run], which has no work left. Returns whether it may finish: not if a repeat was requested, or if it was
     * stopped. A run that [isRescheduled] always finishes, because the system starts it again.
     */
    @Synchronized
    fun finish(run: Run, isRescheduled: Boolean): Boolean {
        if (runs[run.id] !== run) return false
        if (run.isRepeatRequested && !isRescheduled) {
            run.isRepeatRequested = false
            return false
        }
        runs -= run.id
        if (!isRescheduled) finished += run.id
        return true
    }

    /** Stops the job with this [id], if it is running. */
    @Synchronized
    fun stop(id: Int) {
        runs.remove(id)?.work?.cancel()
    }

    /**
     * Whether the last job with this [id] in this process has finished and is not rescheduled. If the system still lists
     * a job with this id, it may be that one.
     */
    @Synchronized
    fun hasFinished(id: Int): Boolean = id in finished

    /** Records that a job with this [id] was scheduled. */
    @Synchronized
    fun onScheduled(id: Int) {
        finished -= id
    }

    @Synchronized
    private fun remove(run: Run) {
        if (runs[run.id] === run) runs -= run.id
    }
}
