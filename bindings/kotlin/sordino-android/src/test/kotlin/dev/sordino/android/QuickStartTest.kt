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

/** The app of docs/quickstart/kotlin.md, as the page has it: nothing is added. */
@RunWith(RobolectricTestRunner::class)
@Config(application = EtudeApplication::class)
internal class QuickStartTest {
    private val application = RuntimeEnvironment.getApplication() as EtudeApplication
    private val scheduler = application.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler

    @After
    fun close() = application.sordino.close()

    @Test
    fun `the app has its uploads scheduled when it starts`() {
        waitUntil { scheduler.allPendingJobs.size == 2 }
        assertEquals(setOf(UploadJob.ID, UploadJob.URGENT_ID), scheduler.allPendingJobs.map { it.id }.toSet())
    }

    @Test
    fun `its activity listens once the microphone is granted`() {
        shadowOf(application.packageManager).setSystemFeature(PackageManager.FEATURE_MICROPHONE, true)
        Microphone().plugIn()
        var isHeard = false
        val watch = GlobalScope.launch(Dispatchers.Unconfined) {
            application.sordino.events.collect { if (it is Event.Capture && it.event is CaptureEvent.Opened) isHeard = true }
        }
        val activity = Robolectric.buildActivity(PracticeActivity::class.java).setup()
        val asked = shadowOf(activity.get()).lastRequestedPermission
        shadowOf(application).grantPermissions(*asked.requestedPermissions)
        activity.get().onRequestPermissionsResult(
            asked.requestCode, asked.requestedPermissions, intArrayOf(PackageManager.PERMISSION_GRANTED),
        )
        waitUntil { isHeard }
        activity.pause().stop().destroy()
        watch.cancel()
    }

    @Test
    fun `what the page says of the manifest is what the library's has`() {
        val manifest = DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(File(System.getProperty("sordino.manifest")))
        val permissions = manifest.getElementsByTagName("uses-permission")
        val named = List(permissions.length) { permissions.item(it).attributes.getNamedItem("android:name").nodeValue }
        val page = File(System.getProperty("sordino.root"), "docs/quickstart/kotlin.md").readText()
        for (permission in named) assertTrue(permission, "`${permission.substringAfterLast('.')}`" in page)
        assertTrue("android:name=\".${EtudeApplication::class.java.simpleName}\"" in page)
    }
}
