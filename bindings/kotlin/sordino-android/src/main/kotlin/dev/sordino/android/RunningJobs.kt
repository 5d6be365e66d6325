package dev.sordino.android

import kotlinx.coroutines.Job

/**
 * What became of this process's jobs, by their number. The system stops a job that runs when its number is scheduled
 * again; so what comes up meanwhile is left to the job that runs, which looks once more before it ends.
 */
internal class RunningJobs {
    /** One job, from its start to its end. */
    class Run(val number: Int) {
        /** Does the work; it begins once the run is known. */
        lateinit var work: Job
        internal var isWantedAgain = false
    }

    private val runs = HashMap<Int, Run>()
    private val ended = HashSet<Int>()

    /** [run] begins. */
    fun start(run: Run) {
        synchronized(this) {
            runs[run.number] = run
            ended -= run.number
        }
        // However it ends; one that is stopped before it began has no end of its own.
        run.work.invokeOnCompletion { forget(run) }
        run.work.start()
    }

    /** Returns whether a job of this [number] runs, which now looks once more before it ends. */
    @Synchronized
    fun wantAgain(number: Int): Boolean {
        val run = runs[number]?.takeUnless { it.work.isCancelled } ?: return false
        run.isWantedAgain = true
        return true
    }

    /**
     * Whether [run], which has nothing left to do, ends here; otherwise it was wanted again meanwhile, or was stopped.
     * One that [isToComeAgain] ends in any case: the system starts it anew.
     */
    @Synchronized
    fun ends(run: Run, isToComeAgain: Boolean): Boolean {
        if (runs[run.number] !== run) return false
        if (run.isWantedAgain && !isToComeAgain) {
            run.isWantedAgain = false
            return false
        }
        runs -= run.number
        if (!isToComeAgain) ended += run.number
        return true
    }

    /** Stops the job of this [number], if one runs. */
    @Synchronized
    fun stop(number: Int) {
        runs.remove(number)?.work?.cancel()
    }

    /**
     * Whether the last job of this [number] in this process has ended for good, so that one that the system still lists
     * may be that one, on its way out.
     */
    @Synchronized
    fun hasEnded(number: Int): Boolean = number in ended

    /** A job of this [number] was scheduled. */
    @Synchronized
    fun scheduled(number: Int) {
        ended -= number
    }

    @Synchronized
    private fun forget(run: Run) {
        if (runs[run.number] === run) runs -= run.number
    }
}
