package dev.sordino.android

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import android.util.Log
import dev.sordino.Event
import dev.sordino.Sordino
import dev.sordino.SordinoException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch

/**
 * Sends what is due when there is a network, by the system's own `JobScheduler`: also while the app is not shown, and
 * once more, after a growing while, where the collector could not be reached.
 *
 * What it needs: the app's `Application` class is a [SordinoHost] and is named in the app's manifest
 * (`<application android:name=…>`), since the system starts the app for the job alone. The library's manifest brings the
 * rest: the service, and the permissions `INTERNET` and `ACCESS_NETWORK_STATE`.
 */
class UploadJob : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.IO)

    override fun onStartJob(parameters: JobParameters): Boolean {
        val run = RunningJobs.Run(parameters.jobId)
        run.work = scope.launch(start = CoroutineStart.LAZY) { uploadAsOftenAsWanted(run, parameters) }
        running.start(run)
        return true
    }

    /** The network went, or time is up: what is under way is let go of, and is due again. */
    override fun onStopJob(parameters: JobParameters): Boolean {
        running.stop(parameters.jobId)
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    private suspend fun uploadAsOftenAsWanted(run: RunningJobs.Run, parameters: JobParameters) {
        while (true) {
            val isToComeAgain = upload(isUrgent = parameters.jobId == URGENT_ID)
            if (running.ends(run, isToComeAgain)) return jobFinished(parameters, isToComeAgain)
            currentCoroutineContext().ensureActive()
        }
    }

    /** Returns whether something is left to be sent later. */
    private suspend fun upload(isUrgent: Boolean): Boolean {
        val host = application as? SordinoHost
        if (host == null) {
            Log.e(TAG, "${application.javaClass.name} is no SordinoHost; let the app's Application class be one")
            return false
        }
        return try {
            val report = if (isUrgent) host.sordino.uploadUrgent() else host.sordino.upload()
            report.failed > 0
        } catch (closed: SordinoException.Closed) {
            // Whoever closed it will open it again, and schedule then.
            false
        } catch (failure: SordinoException) {
            Log.w(TAG, "the upload failed: ${failure.message}")
            true
        }
    }

    companion object {
        /** The job's number among those of the app. */
        const val ID: Int = 0x50D1

        /** The number of the job that sends withdrawals and deletions alone. */
        const val URGENT_ID: Int = 0x50D2

        private const val TAG = "sordino"
        private const val FIRST_WAIT_MILLIS = 30_000L

        internal val running = RunningJobs()

        /**
         * Has what is due sent as soon as there is a network. Called twice, it is done once: a job that waits, or waits
         * after a failure, is left as it is, and one that runs is not stopped but looks once more before it ends.
         * Called with another [unmetered] than before, it replaces the earlier job, also one that runs.
         *
         * @param context any of the app's, as an activity or the application.
         * @param unmetered whether to wait for a network that costs nothing, such as Wi-Fi.
         * @throws IllegalStateException where the app's `Application` is no [SordinoHost].
         */
        fun schedule(context: Context, unmetered: Boolean = false) {
            val network = if (unmetered) JobInfo.NETWORK_TYPE_UNMETERED else JobInfo.NETWORK_TYPE_ANY
            schedule(context, ID, network)
        }

        /**
         * Has withdrawals and deletions sent as soon as there is any network, whatever [schedule] waits for, and at once
         * also where an earlier try has failed. A job that runs is not stopped: it looks once more before it ends.
         *
         * @param context any of the app's, as an activity or the application.
         * @throws IllegalStateException where the app's `Application` is no [SordinoHost].
         */
        fun scheduleUrgent(context: Context): Unit =
            schedule(context, URGENT_ID, JobInfo.NETWORK_TYPE_ANY, isKept = false)

        /**
         * Takes back what [schedule] asked for; an upload under way is let go of. What is urgent goes all the same.
         *
         * @param context any of the app's, as an activity or the application.
         */
        fun cancel(context: Context) {
            scheduler(context).cancel(ID)
            // The system says so a little later, and what is scheduled meanwhile is not to be left to a job that ends.
            running.stop(ID)
        }

        /**
         * Schedules an upload now, for what is left of earlier days, and whenever a sample is queued or consent changes;
         * what a change of consent takes back waits for no cheap network, and an upload that is under way is let go of. It
         * goes on until it is cancelled; launch it once, in a scope of the `Application`. After a deletion the app calls
         * [scheduleUrgent] itself.
         *
         * @param context any of the app's, as the application itself.
         * @param sordino the one that the app's [SordinoHost] has.
         * @param unmetered whether uploads wait for a network that costs nothing; what is urgent waits for any.
         * @throws IllegalStateException where the app's `Application` is no [SordinoHost].
         */
        suspend fun scheduleWhenDue(context: Context, sordino: Sordino, unmetered: Boolean = false) {
            // The app may have been started for one of the jobs, which then is about to run.
            schedule(context, URGENT_ID, JobInfo.NETWORK_TYPE_ANY)
            schedule(context, unmetered)
            sordino.events.collect { event ->
                if (event is Event.ConsentChanged) {
                    cancel(context)
                    scheduleUrgent(context)
                }
                if (event is Event.Queued || event is Event.ConsentChanged) schedule(context, unmetered)
            }
        }

        /**
         * Schedules a job, unless it runs. One that waits for the same [network] is left as it is where [isKept] says so:
         * the system may be about to start it, and what waits after a failure waits for its time.
         */
        private fun schedule(context: Context, number: Int, network: Int, isKept: Boolean = true) {
            SordinoHost.of(context)
            val scheduler = scheduler(context)
            val pending = scheduler.getPendingJob(number)
            val isSame = pending == null || @Suppress("DEPRECATION") pending.networkType == network
            if (isSame && running.wantAgain(number)) return
            if (isKept && isSame && pending != null && !running.hasEnded(number)) return
            val job = JobInfo.Builder(number, ComponentName(context, UploadJob::class.java))
                .setRequiredNetworkType(network)
                .setBackoffCriteria(FIRST_WAIT_MILLIS, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
                .build()
            running.scheduled(number)
            scheduler.schedule(job)
        }

        private fun scheduler(context: Context): JobScheduler =
            context.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler
    }
}
