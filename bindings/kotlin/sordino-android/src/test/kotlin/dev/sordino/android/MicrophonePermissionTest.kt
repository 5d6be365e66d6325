package dev.sordino.android

import android.Manifest
import android.app.Activity
import android.content.pm.PackageManager
import dev.sordino.android.MicrophonePermission.State
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
internal class MicrophonePermissionTest {
    private val activity: Activity = Robolectric.buildActivity(Activity::class.java).setup().get()
    private val packages = shadowOf(RuntimeEnvironment.getApplication().packageManager)

    @Test
    fun `it is asked, explained, asked again, and then left to the settings`() {
        assertEquals(State.TO_ASK, MicrophonePermission.state(activity))
        MicrophonePermission.ask(activity)
        val asked = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.RECORD_AUDIO), asked.requestedPermissions.toList())
        assertEquals(MicrophonePermission.REQUEST, asked.requestCode)

        rationale(true)
        assertEquals(State.TO_EXPLAIN, answered(PackageManager.PERMISSION_DENIED))
        rationale(false)
        assertEquals(State.DENIED_FOR_EVER, answered(PackageManager.PERMISSION_DENIED))
        assertEquals(State.DENIED_FOR_EVER, MicrophonePermission.state(activity))

        val settings = MicrophonePermission.settings(activity)
        assertEquals("package:${activity.packageName}", settings.dataString)
    }

    @Test
    fun `a yes is a yes, also one that the person gave in the settings`() {
        grant()
        assertEquals(State.GRANTED, answered(PackageManager.PERMISSION_GRANTED))
        assertEquals(State.GRANTED, MicrophonePermission.state(activity))
    }

    @Test
    fun `another question and one without an answer say nothing`() {
        assertNull(MicrophonePermission.answered(activity, 7, intArrayOf(PackageManager.PERMISSION_DENIED)))
        assertNull(MicrophonePermission.answered(activity, MicrophonePermission.REQUEST, IntArray(0)))
        assertEquals(State.TO_ASK, MicrophonePermission.state(activity))
    }

    private fun answered(result: Int) =
        MicrophonePermission.answered(activity, MicrophonePermission.REQUEST, intArrayOf(result))

    private fun rationale(isDue: Boolean) =
        packages.setShouldShowRequestPermissionRationale(Manifest.permission.RECORD_AUDIO, isDue)

    private fun grant() = shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.RECORD_AUDIO)
}
