package dev.sordino.android

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** What of a job that runs is told to those who want another. */
internal class RunningJobsTest {
    private val jobs = RunningJobs()

    private fun started(work: Job = CompletableDeferred<Unit>()) =
        RunningJobs.Run(NUMBER).also { it.work = work; jobs.start(it) }

    @Test
    fun `a job that is wanted again while it runs looks once more before it ends`() {
        val run = started()
        assertTrue(jobs.wantAgain(NUMBER))
        assertTrue(jobs.wantAgain(NUMBER))
        assertFalse(jobs.ends(run, isToComeAgain = false))
        assertTrue(jobs.ends(run, isToComeAgain = false))
        assertFalse(jobs.wantAgain(NUMBER))
    }

    @Test
    fun `a job that comes again later does not try again at once`() {
        val run = started()
        assertTrue(jobs.wantAgain(NUMBER))
        assertTrue(jobs.ends(run, isToComeAgain = true))
        assertFalse(jobs.hasEnded(NUMBER))
    }

    @Test
    fun `nothing is left to a job that is stopped or cancelled`() {
        val stopped = started()
        jobs.stop(NUMBER)
        assertTrue(stopped.work.isCancelled)
        assertFalse(jobs.wantAgain(NUMBER))
        assertFalse(jobs.ends(stopped, isToComeAgain = false))

        val work = Job()
        started(work)
        work.cancel()
        assertFalse(jobs.wantAgain(NUMBER))
    }

    @Test
    fun `the end of an earlier job of the number is not that of the next one`() {
        val earlier = started()
        val next = started()
        assertFalse(jobs.ends(earlier, isToComeAgain = false))
        earlier.work.cancel()
        assertTrue(jobs.wantAgain(NUMBER))
        assertFalse(jobs.ends(next, isToComeAgain = false))
        assertTrue(jobs.ends(next, isToComeAgain = false))
    }

    private companion object {
        const val NUMBER = 7
    }
}
