package dev.sordino.android

import android.app.Application
import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.ComponentName
import android.content.Context
import dev.sordino.AgeBand
import dev.sordino.AppInfo
import dev.sordino.Event
import dev.sordino.SubmitOutcome
import dev.sordino.Purpose
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.CopyOnWriteArrayList
import javax.xml.parsers.DocumentBuilderFactory
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotSame
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowJobService
import org.robolectric.util.ReflectionHelpers

@RunWith(RobolectricTestRunner::class)
internal class UploadJobTest {
    private val application = RuntimeEnvironment.getApplication() as TestApplication
    private val scheduler = application.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler
    private val service = Robolectric.buildService(UploadJob::class.java).create()
    private val job: UploadJob = service.get()
    private val shadow: ShadowJobService = shadowOf(job)

    @After
    fun close() = application.onTerminate()

    @Test
    fun `an upload is scheduled once, with backoff`() {
        UploadJob.schedule(application)
        UploadJob.schedule(application)
        val scheduled = scheduler.allPendingJobs.single()
        assertEquals(ComponentName(application, UploadJob::class.java), scheduled.service)
        assertEquals(JobInfo.NETWORK_TYPE_ANY, scheduled.networkType)
        assertEquals(JobInfo.BACKOFF_POLICY_EXPONENTIAL, scheduled.backoffPolicy)
        UploadJob.schedule(application, unmetered = true)
        assertEquals(JobInfo.NETWORK_TYPE_UNMETERED, scheduler.allPendingJobs.single().networkType)
        UploadJob.cancel(application)
        assertEquals(emptyList<JobInfo>(), scheduler.allPendingJobs)
    }

    @Test
    fun `the job is not rescheduled if nothing is due`() {
        assertTrue(job.onStartJob(parameters()))
        waitUntil { shadow.isJobFinished }
        assertFalse(shadow.isRescheduleNeeded)
        assertEquals(0, application.network.sent.size)
    }

    @Test
    fun `the job is rescheduled without a response`() {
        consent()
        assertTrue(job.onStartJob(parameters()))
        waitUntil { shadow.isJobFinished }
        assertTrue(shadow.isRescheduleNeeded)
        assertEquals(1, application.network.sent.size)
    }

    @Test
    fun `stopping the job aborts its request, which stays due`() {
        consent()
        application.network.neverAnswers = true
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        assertTrue(job.onStopJob(parameters()))
        waitUntil { application.network.wasCancelled }
        waitUntil { runBlocking { application.sordino.nextUploadTask() } != null }
        // A stopped job is not also reported as finished.
        assertFalse(shadow.isJobFinished)
    }

    @Test
    fun `destroying the job aborts its request`() {
        consent()
        application.network.neverAnswers = true
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        service.destroy()
        waitUntil { application.network.wasCancelled }
    }

    @Test
    fun `the job ends if Sordino is closed`() {
        application.sordino.close()
        job.onStartJob(parameters())
        waitUntil { shadow.isJobFinished }
        assertFalse(shadow.isRescheduleNeeded)
    }

    @Test
    fun `uploads are scheduled at start and on changes of consent`() {
        val watch = watch()
        val pending = { scheduler.allPendingJobs.map { it.id }.sorted() }
        // An upload, and the urgent one, which does not wait for an unmetered network.
        val both = listOf(UploadJob.ID, UploadJob.URGENT_ID).sorted()
        assertEquals(both, pending())
        UploadJob.cancel(application)
        assertEquals(listOf(UploadJob.URGENT_ID), pending())
        scheduler.cancelAll()
        consent()
        assertEquals(both, pending())
        scheduler.cancelAll()
        runBlocking { application.sordino.withdraw() }
        assertEquals(both, pending())
        watch.cancel()
    }

    @Test
    fun `a queued sample does not stop a running upload`() {
        consent()
        application.network.neverAnswers = true
        UploadJob.schedule(application)
        val scheduled = scheduler.allPendingJobs.single()
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        val watch = watch()
        val events = CopyOnWriteArrayList<Event>()
        val log = GlobalScope.launch(Dispatchers.Unconfined) { application.sordino.events.collect { events += it } }
        queueSample()
        waitUntil { events.any { it is Event.Queued } }
        log.cancel()
        // Scheduling the id again would have stopped it.
        assertSame(scheduled, scheduler.getPendingJob(UploadJob.ID))
        assertFalse(application.network.wasCancelled)
        watch.cancel()
        job.onStopJob(parameters())
    }

    @Test
    fun `a change of consent stops the upload, not the urgent job`() {
        consent()
        application.network.neverAnswers = true
        val watch = watch()
        val urgent = scheduler.getPendingJob(UploadJob.URGENT_ID)
        val upload = scheduler.getPendingJob(UploadJob.ID)
        // Consent that was never registered has no withdrawal to send, so the test runs the urgent job itself.
        val withdrawal = RunningJobs.Run(UploadJob.URGENT_ID).also { it.work = Job() }
        UploadJob.running.start(withdrawal)
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        runBlocking { application.sordino.withdraw() }
        waitUntil { application.network.wasCancelled }
        assertNotSame(upload, scheduler.getPendingJob(UploadJob.ID))
        assertSame(urgent, scheduler.getPendingJob(UploadJob.URGENT_ID))
        assertTrue(withdrawal.work.isActive)
        watch.cancel()
        UploadJob.running.stop(UploadJob.URGENT_ID)
    }

    @Test
    fun `an app started for a job does not replace that job`() {
        UploadJob.schedule(application)
        UploadJob.scheduleUrgent(application)
        val started = scheduler.allPendingJobs.associateBy { it.id }
        val watch = watch()
        for ((id, job) in started) assertSame(job, scheduler.getPendingJob(id))
        watch.cancel()
    }

    @Test
    fun `another network type replaces a running upload`() {
        consent()
        application.network.neverAnswers = true
        UploadJob.schedule(application)
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        UploadJob.schedule(application, unmetered = true)
        assertEquals(JobInfo.NETWORK_TYPE_UNMETERED, scheduler.allPendingJobs.single().networkType)
        job.onStopJob(parameters())
    }

    @Test
    fun `a new upload is scheduled after a finished one`() {
        UploadJob.schedule(application)
        val finished = scheduler.allPendingJobs.single()
        job.onStartJob(parameters())
        waitUntil { shadow.isJobFinished }
        UploadJob.schedule(application)
        assertNotSame(finished, scheduler.allPendingJobs.single())
    }

    @Test
    fun `schedule fails if the Application is not a SordinoHost`() {
        val context = object : android.content.ContextWrapper(application) {
            override fun getApplicationContext(): Context = Application()
        }
        val error = assertThrows(IllegalStateException::class.java) { UploadJob.schedule(context) }
        assertTrue(error.message!!, "SordinoHost" in error.message!!)
    }

    @Test
    fun `the manifest declares the job service`() {
        val manifest = DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(File(System.getProperty("sordino.manifest")))
        val service = manifest.getElementsByTagName("service").item(0).attributes
        assertEquals(UploadJob::class.java.name, service.getNamedItem("android:name").nodeValue)
        assertEquals("android.permission.BIND_JOB_SERVICE", service.getNamedItem("android:permission").nodeValue)
    }

    /** Like the app's `Application`. */
    private fun watch(): Job = GlobalScope.launch(Dispatchers.Unconfined) {
        UploadJob.scheduleWhenDue(application, application.sordino)
    }

    /** Submits a recording of a flute, which is queued as a sample. */
    private fun queueSample() = runBlocking {
        val wav = File(System.getProperty("sordino.root"), "samples/audio/flute-alone.wav").readBytes()
        val bytes = ByteBuffer.wrap(wav).order(ByteOrder.LITTLE_ENDIAN)
        // The header is 44 bytes.
        val samples = FloatArray((wav.size - 44) / Short.SIZE_BYTES) { bytes.getShort(44 + 2 * it) / 32768f }
        val queued = application.sordino.submit(samples, bytes.getInt(24))
        assertTrue("$queued", queued is SubmitOutcome.Queued)
    }

    /** Gives consent, which the next upload registers with the collector. */
    private fun consent() = runBlocking {
        val sordino = application.sordino
        sordino.installPlan(Organization.plan)
        val notice = sordino.notice("en", AppInfo("Etude", "privacy@etude.example")).notice
        sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.ADULT, notice)
    }

    private fun parameters(): android.app.job.JobParameters =
        ReflectionHelpers.newInstance(android.app.job.JobParameters::class.java).also {
            ReflectionHelpers.setField(it, "jobId", UploadJob.ID)
        }
}
