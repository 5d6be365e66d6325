package dev.sordino.android

import android.app.Application
import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.ComponentName
import android.content.Context
import dev.sordino.AgeBand
import dev.sordino.Event
import dev.sordino.Offer
import dev.sordino.Purpose
import dev.sordino.bundledNotice
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
    fun `an upload is scheduled once, for a network, with a growing wait`() {
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
    fun `with nothing due the job is done and not wanted again`() {
        assertTrue(job.onStartJob(parameters()))
        waitUntil { shadow.isJobFinished }
        assertFalse(shadow.isRescheduleNeeded)
        assertEquals(0, application.network.sent.size)
    }

    @Test
    fun `without an answer the job is wanted again`() {
        consent()
        assertTrue(job.onStartJob(parameters()))
        waitUntil { shadow.isJobFinished }
        assertTrue(shadow.isRescheduleNeeded)
        assertEquals(1, application.network.sent.size)
    }

    @Test
    fun `a job that the system stops lets go of its request and is due again`() {
        consent()
        application.network.neverAnswers = true
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        assertTrue(job.onStopJob(parameters()))
        waitUntil { application.network.wasLetGo }
        waitUntil { runBlocking { application.sordino.nextRequest() } != null }
        // What was stopped is not finished as well.
        assertFalse(shadow.isJobFinished)
    }

    @Test
    fun `a job that is destroyed lets go of its request`() {
        consent()
        application.network.neverAnswers = true
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        service.destroy()
        waitUntil { application.network.wasLetGo }
    }

    @Test
    fun `a Sordino that was closed ends the job, without more`() {
        application.sordino.close()
        job.onStartJob(parameters())
        waitUntil { shadow.isJobFinished }
        assertFalse(shadow.isRescheduleNeeded)
    }

    @Test
    fun `an upload is scheduled at the start and after each change of consent`() {
        val watch = watch()
        val pending = { scheduler.allPendingJobs.map { it.id }.sorted() }
        // An upload, and what takes something back, which waits for no cheap network.
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
    fun `a sample that is queued while the upload runs does not stop it`() {
        consent()
        application.network.neverAnswers = true
        UploadJob.schedule(application)
        val scheduled = scheduler.allPendingJobs.single()
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        val watch = watch()
        val events = CopyOnWriteArrayList<Event>()
        val diary = GlobalScope.launch(Dispatchers.Unconfined) { application.sordino.events.collect { events += it } }
        queueSample()
        waitUntil { events.any { it is Event.Queued } }
        diary.cancel()
        // Its number scheduled again would have stopped it.
        assertSame(scheduled, scheduler.getPendingJob(UploadJob.ID))
        assertFalse(application.network.wasLetGo)
        watch.cancel()
        job.onStopJob(parameters())
    }

    @Test
    fun `a change of consent stops the upload, and not the withdrawal that is under way`() {
        consent()
        application.network.neverAnswers = true
        val watch = watch()
        val urgent = scheduler.getPendingJob(UploadJob.URGENT_ID)
        val upload = scheduler.getPendingJob(UploadJob.ID)
        // A withdrawal of what was never registered has nothing to send: the urgent job is held by the app's own.
        val withdrawal = RunningJobs.Run(UploadJob.URGENT_ID).also { it.work = Job() }
        UploadJob.running.start(withdrawal)
        job.onStartJob(parameters())
        waitUntil { application.network.sent.isNotEmpty() }
        runBlocking { application.sordino.withdraw() }
        waitUntil { application.network.wasLetGo }
        assertNotSame(upload, scheduler.getPendingJob(UploadJob.ID))
        assertSame(urgent, scheduler.getPendingJob(UploadJob.URGENT_ID))
        assertTrue(withdrawal.work.isActive)
        watch.cancel()
        UploadJob.running.stop(UploadJob.URGENT_ID)
    }

    @Test
    fun `an app that the system starts for a job leaves that job alone`() {
        UploadJob.schedule(application)
        UploadJob.scheduleUrgent(application)
        val started = scheduler.allPendingJobs.associateBy { it.id }
        val watch = watch()
        for ((id, job) in started) assertSame(job, scheduler.getPendingJob(id))
        watch.cancel()
    }

    @Test
    fun `an upload over another network replaces the one that runs`() {
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
    fun `an upload after one that is done is scheduled, also while the system still lists that`() {
        UploadJob.schedule(application)
        val done = scheduler.allPendingJobs.single()
        job.onStartJob(parameters())
        waitUntil { shadow.isJobFinished }
        UploadJob.schedule(application)
        assertNotSame(done, scheduler.allPendingJobs.single())
    }

    @Test
    fun `an Application that is no host is told so where the job is scheduled`() {
        val stranger = object : android.content.ContextWrapper(application) {
            override fun getApplicationContext(): Context = Application()
        }
        val error = assertThrows(IllegalStateException::class.java) { UploadJob.schedule(stranger) }
        assertTrue(error.message!!, "SordinoHost" in error.message!!)
    }

    @Test
    fun `the manifest declares the job as the system wants it`() {
        val manifest = DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(File(System.getProperty("sordino.manifest")))
        val service = manifest.getElementsByTagName("service").item(0).attributes
        assertEquals(UploadJob::class.java.name, service.getNamedItem("android:name").nodeValue)
        assertEquals("android.permission.BIND_JOB_SERVICE", service.getNamedItem("android:permission").nodeValue)
    }

    /** As the app's `Application` does. */
    private fun watch(): Job = GlobalScope.launch(Dispatchers.Unconfined) {
        UploadJob.scheduleWhenDue(application, application.sordino)
    }

    /** Offers a recording of a flute, of which a sample is queued. */
    private fun queueSample() = runBlocking {
        val wav = File(System.getProperty("sordino.root"), "samples/audio/flute-alone.wav").readBytes()
        val bytes = ByteBuffer.wrap(wav).order(ByteOrder.LITTLE_ENDIAN)
        // After a header of the usual 44 bytes.
        val sound = FloatArray((wav.size - 44) / Short.SIZE_BYTES) { bytes.getShort(44 + 2 * it) / 32768f }
        val queued = application.sordino.offer(sound, bytes.getInt(24))
        assertTrue("$queued", queued is Offer.Queued)
    }

    /** A person's yes, which is then to be registered with the collector. */
    private fun consent() = runBlocking {
        val sordino = application.sordino
        sordino.installPlan(Organization.plan)
        val notice = bundledNotice(1u, "en", "Etude", "privacy@etude.example", 365u).notice
        sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.ADULT, notice)
    }

    private fun parameters(): android.app.job.JobParameters =
        ReflectionHelpers.newInstance(android.app.job.JobParameters::class.java).also {
            ReflectionHelpers.setField(it, "jobId", UploadJob.ID)
        }
}
