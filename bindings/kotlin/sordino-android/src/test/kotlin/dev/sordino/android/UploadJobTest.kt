package dev.sordino.android

import android.app.Application
import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.ComponentName
import android.content.Context
import dev.sordino.AgeBand
import dev.sordino.Purpose
import dev.sordino.bundledNotice
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
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
        val watch = GlobalScope.launch(Dispatchers.Unconfined) {
            UploadJob.scheduleWhenDue(application, application.sordino)
        }
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


    /** A person's yes, which is then to be registered with the collector. */
    private fun consent() = runBlocking {
        val sordino = application.sordino
        sordino.installPlan(Organisation.plan)
        val notice = bundledNotice(1u, "en", "Etude", "privacy@etude.example", 365u).notice
        sordino.giveConsent(listOf(Purpose.QUALITY_ASSURANCE), AgeBand.ADULT, notice)
    }

    private fun parameters(): android.app.job.JobParameters =
        ReflectionHelpers.newInstance(android.app.job.JobParameters::class.java).also {
            ReflectionHelpers.setField(it, "jobId", UploadJob.ID)
        }
}
