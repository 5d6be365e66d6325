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
 * Uploads what is due with the system's `JobScheduler` when there is a network, also while the app is in the background.
 * It retries with exponential backoff if the collector is unreachable.
 *
 * Requirements: the app's `Application` class implements [SordinoHost] and is named in the app's manifest
 * (`<application android:name=…>`), since the system may start the app only for the job. The library's manifest declares
 * the service and the permissions `INTERNET` and `ACCESS_NETWORK_STATE`.
 */
class UploadJob : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.IO)

    override fun onStartJob(parameters: JobParameters): Boolean {
        val run = RunningJobs.Run(parameters.jobId)
        run.work = scope.launch(start = CoroutineStart.LAZY) { uploadUntilFinished(run, parameters) }
        running.start(run)
        return true
    }

    /** The network was lost, or the time limit is reached: aborts the current request, which stays due. */
    override fun onStopJob(parameters: JobParameters): Boolean {
        running.stop(parameters.jobId)
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    private suspend fun uploadUntilFinished(run: RunningJobs.Run, parameters: JobParameters) {
        while (true) {
            val isRescheduled = upload(isUrgent = parameters.jobId == URGENT_ID)
            if (running.finish(run, isRescheduled)) return jobFinished(parameters, isRescheduled)
            currentCoroutineContext().ensureActive()
        }
    }

    /** Returns whether the system should run the job again later. */
    private suspend fun upload(isUrgent: Boolean): Boolean {
        val host = application as? SordinoHost
        if (host == null) {
            Log.e(TAG, SordinoHost.missingHost(application))
            return false
        }
        return try {
            val summary = if (isUrgent) host.sordino.uploadUrgent() else host.sordino.uploadInBackground()
            summary.failed > 0
        } catch (closed: SordinoException.Closed) {
            // The app schedules an upload when it opens Sordino again.
            false
        } catch (failure: SordinoException) {
            Log.w(TAG, "the upload failed: ${failure.message}")
            true
        }
    }

    companion object {
        /** The id of the job. */
        const val ID: Int = 0x50D1

        /** The id of the job that sends only withdrawals and deletions. */
        const val URGENT_ID: Int = 0x50D2

        private const val TAG = "sordino"
        private const val INITIAL_BACKOFF_MILLIS = 30_000L

        internal val running = RunningJobs()

        /**
         * Schedules an upload for when there is a network. Calling it twice schedules one upload: a job that waits,
         * also after a failure, is not changed, and a running job is not stopped but repeats its work before it
         * finishes. A call with another value of [unmetered] replaces the earlier job, even if it is running.
         *
         * @param context any context of the app.
         * @param unmetered whether to wait for an unmetered network, such as Wi-Fi.
         * @throws IllegalStateException if the app's `Application` does not implement [SordinoHost].
         */
        fun schedule(context: Context, unmetered: Boolean = false) {
            val network = if (unmetered) JobInfo.NETWORK_TYPE_UNMETERED else JobInfo.NETWORK_TYPE_ANY
            schedule(context, ID, network)
        }

        /**
         * Schedules withdrawals and deletions for when there is any network, regardless of [schedule], and without the
         * backoff of an earlier failure. A running job is not stopped but repeats its work before it finishes.
         *
         * @param context any context of the app.
         * @throws IllegalStateException if the app's `Application` does not implement [SordinoHost].
         */
        fun scheduleUrgent(context: Context): Unit =
            schedule(context, URGENT_ID, JobInfo.NETWORK_TYPE_ANY, keepPending = false)

        /**
         * Cancels the job of [schedule]; a running upload is aborted. The job of [scheduleUrgent] is not affected.
         *
         * @param context any context of the app.
         */
        fun cancel(context: Context) {
            scheduler(context).cancel(ID)
            // The system calls `onStopJob` a little later; work scheduled until then must not go to the ending job.
            running.stop(ID)
        }

        /**
         * Schedules an upload now, for what is left from earlier runs, and whenever a sample is queued or consent
         * changes. A change of consent aborts a running upload, and its withdrawals do not wait for an unmetered
         * network. Runs until it is canceled; launch it once, in a scope of the `Application`. After a deletion the app
         * calls [scheduleUrgent] itself.
         *
         * @param context any context of the app.
         * @param sordino the one of the app's [SordinoHost].
         * @param unmetered whether uploads wait for an unmetered network; urgent ones never do.
         * @throws IllegalStateException if the app's `Application` does not implement [SordinoHost].
         */
        suspend fun scheduleWhenDue(context: Context, sordino: Sordino, unmetered: Boolean = false) {
            // The system may have started the app for one of these jobs, which is then about to run.
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
         * Schedules a job unless it is running. With [keepPending] a job that waits for the same [network] is not
         * replaced: the system may be about to start it, and after a failure it must wait for its backoff.
         */
        private fun schedule(context: Context, id: Int, network: Int, keepPending: Boolean = true) {
            SordinoHost.of(context)
            val scheduler = scheduler(context)
            val pending = scheduler.getPendingJob(id)
            val isSame = pending == null || @Suppress("DEPRECATION") pending.networkType == network
            if (isSame && running.requestRepeat(id)) return
            if (keepPending && isSame && pending != null && !running.hasFinished(id)) return
            val job = JobInfo.Builder(id, ComponentName(context, UploadJob::class.java))
                .setRequiredNetworkType(network)
                .setBackoffCriteria(INITIAL_BACKOFF_MILLIS, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
                .build()
            running.onScheduled(id)
            scheduler.schedule(job)
        }

        private fun scheduler(context: Context): JobScheduler =
            context.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler
    }
}
