package dev.sordino.android

import android.app.job.JobScheduler
import android.content.Context
import android.content.pm.PackageManager
import com.example.etude.EtudeApplication
import com.example.etude.PracticeActivity
import dev.sordino.CaptureEvent
import dev.sordino.Event
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.launch
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** The app of docs/quickstart/kotlin.md, unchanged. */
@RunWith(RobolectricTestRunner::class)
@Config(application = EtudeApplication::class)
internal class QuickStartTest {
    private val application = RuntimeEnvironment.getApplication() as EtudeApplication
    private val scheduler = application.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler

    @After
    fun close() = application.sordino.close()

    @Test
    fun `the app schedules its uploads when it starts`() {
        waitUntil { scheduler.allPendingJobs.size == 2 }
        assertEquals(setOf(UploadJob.ID, UploadJob.URGENT_ID), scheduler.allPendingJobs.map { it.id }.toSet())
    }

    @Test
    fun `the activity listens once the permission is granted`() {
        shadowOf(application.packageManager).setSystemFeature(PackageManager.FEATURE_MICROPHONE, true)
        Microphone().connect()
        var isOpened = false
        val watch = GlobalScope.launch(Dispatchers.Unconfined) {
            application.sordino.events.collect { if (it is Event.Capture && it.event is CaptureEvent.Opened) isOpened = true }
        }
        val activity = Robolectric.buildActivity(PracticeActivity::class.java).setup()
        val requested = shadowOf(activity.get()).lastRequestedPermission
        shadowOf(application).grantPermissions(*requested.requestedPermissions)
        activity.get().onRequestPermissionsResult(
            requested.requestCode, requested.requestedPermissions, intArrayOf(PackageManager.PERMISSION_GRANTED),
        )
        waitUntil { isOpened }
        activity.pause().stop().destroy()
        watch.cancel()
    }

    @Test
    fun `the page names the permissions of the manifest`() {
        val manifest = DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(File(System.getProperty("sordino.manifest")))
        val permissions = manifest.getElementsByTagName("uses-permission")
        val named = List(permissions.length) { permissions.item(it).attributes.getNamedItem("android:name").nodeValue }
        val page = File(System.getProperty("sordino.root"), "docs/quickstart/kotlin.md").readText()
        for (permission in named) assertTrue(permission, "`${permission.substringAfterLast('.')}`" in page)
        assertTrue("android:name=\".${EtudeApplication::class.java.simpleName}\"" in page)
    }
}
