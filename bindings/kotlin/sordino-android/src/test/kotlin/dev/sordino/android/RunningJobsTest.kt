package dev.sordino.android

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** Requests for a job that is already running. */
internal class RunningJobsTest {
    private val jobs = RunningJobs()

    private fun started(work: Job = CompletableDeferred<Unit>()) =
        RunningJobs.Run(JOB_ID).also { it.work = work; jobs.start(it) }

    @Test
    fun `a running job repeats its work on request`() {
        val run = started()
        assertTrue(jobs.requestRepeat(JOB_ID))
        assertTrue(jobs.requestRepeat(JOB_ID))
        assertFalse(jobs.finish(run, isRescheduled = false))
        assertTrue(jobs.finish(run, isRescheduled = false))
        assertFalse(jobs.requestRepeat(JOB_ID))
    }

    @Test
    fun `a rescheduled job does not repeat its work now`() {
        val run = started()
        assertTrue(jobs.requestRepeat(JOB_ID))
        assertTrue(jobs.finish(run, isRescheduled = true))
        assertFalse(jobs.hasFinished(JOB_ID))
    }

    @Test
    fun `a stopped or canceled job accepts no request`() {
        val stopped = started()
        jobs.stop(JOB_ID)
        assertTrue(stopped.work.isCancelled)
        assertFalse(jobs.requestRepeat(JOB_ID))
        assertFalse(jobs.finish(stopped, isRescheduled = false))

        val work = Job()
        started(work)
        work.cancel()
        assertFalse(jobs.requestRepeat(JOB_ID))
    }

    @Test
    fun `the end of an earlier run does not end the next`() {
        val earlier = started()
        val next = started()
        assertFalse(jobs.finish(earlier, isRescheduled = false))
        earlier.work.cancel()
        assertTrue(jobs.requestRepeat(JOB_ID))
        assertFalse(jobs.finish(next, isRescheduled = false))
        assertTrue(jobs.finish(next, isRescheduled = false))
    }

    private companion object {
        const val JOB_ID = 7
    }
}
