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
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/**
 * Sends what is due when there is a network, by the system's own `JobScheduler`: also while the app is not shown, and
 * once more, after a growing while, where the collector could not be reached.
 *
 * The library's manifest declares it. The app's `Application` is a [SordinoHost].
 */
class UploadJob : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.IO)
    private val running = ConcurrentHashMap<Int, Job>()

    override fun onStartJob(parameters: JobParameters): Boolean {
        running[parameters.jobId] = scope.launch {
            val isToComeAgain = upload(isUrgent = parameters.jobId == URGENT_ID)
            running.remove(parameters.jobId)
            jobFinished(parameters, isToComeAgain)
        }
        return true
    }

    /** The network went, or time is up: what is under way is let go of, and is due again. */
    override fun onStopJob(parameters: JobParameters): Boolean {
        running.remove(parameters.jobId)?.cancel()
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
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

        /**
         * Has what is due sent as soon as there is a network. Called twice, it is done once.
         *
         * @param unmetered whether to wait for a network that costs nothing, such as Wi-Fi.
         * @throws IllegalStateException where the app's `Application` is no [SordinoHost].
         */
        fun schedule(context: Context, unmetered: Boolean = false) {
            SordinoHost.of(context)
            val network = if (unmetered) JobInfo.NETWORK_TYPE_UNMETERED else JobInfo.NETWORK_TYPE_ANY
            val job = JobInfo.Builder(ID, ComponentName(context, UploadJob::class.java))
                .setRequiredNetworkType(network)
                .setBackoffCriteria(FIRST_WAIT_MILLIS, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
                .build()
            scheduler(context).schedule(job)
        }

        /**
         * Has withdrawals and deletions sent as soon as there is any network, whatever [schedule] waits for.
         *
         * @throws IllegalStateException where the app's `Application` is no [SordinoHost].
         */
        fun scheduleUrgent(context: Context) {
            SordinoHost.of(context)
            val job = JobInfo.Builder(URGENT_ID, ComponentName(context, UploadJob::class.java))
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setBackoffCriteria(FIRST_WAIT_MILLIS, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
                .build()
            scheduler(context).schedule(job)
        }

        /** Takes back what [schedule] asked for; an upload under way is let go of. What is urgent goes all the same. */
        fun cancel(context: Context): Unit = scheduler(context).cancel(ID)

        /**
         * Schedules an upload now, for what is left of earlier days, and whenever a sample is queued or consent changes;
         * what a change of consent takes back waits for no cheap network, and an upload that is under way is let go of. It
         * goes on until it is cancelled; launch it once, in a scope of the `Application`. After a deletion the app calls
         * [scheduleUrgent] itself.
         */
        suspend fun scheduleWhenDue(context: Context, sordino: Sordino, unmetered: Boolean = false) {
            scheduleUrgent(context)
            schedule(context, unmetered)
            sordino.events.collect { event ->
                if (event is Event.ConsentChanged) {
                    cancel(context)
                    scheduleUrgent(context)
                }
                if (event is Event.Queued || event is Event.ConsentChanged) schedule(context, unmetered)
            }
        }

        private fun scheduler(context: Context): JobScheduler =
            context.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler
    }
}
