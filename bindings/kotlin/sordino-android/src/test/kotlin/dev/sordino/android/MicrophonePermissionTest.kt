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
    fun `denials lead to the rationale, then to the settings`() {
        assertEquals(State.NOT_REQUESTED, MicrophonePermission.state(activity))
        MicrophonePermission.request(activity)
        val requested = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.RECORD_AUDIO), requested.requestedPermissions.toList())
        assertEquals(MicrophonePermission.REQUEST_CODE, requested.requestCode)

        setRationale(true)
        assertEquals(State.SHOW_RATIONALE, answer(PackageManager.PERMISSION_DENIED))
        setRationale(false)
        assertEquals(State.DENIED_PERMANENTLY, answer(PackageManager.PERMISSION_DENIED))
        assertEquals(State.DENIED_PERMANENTLY, MicrophonePermission.state(activity))

        val settings = MicrophonePermission.settingsIntent(activity)
        assertEquals("package:${activity.packageName}", settings.dataString)
    }

    @Test
    fun `a grant in the dialog or in the settings is seen`() {
        grant()
        assertEquals(State.GRANTED, answer(PackageManager.PERMISSION_GRANTED))
        assertEquals(State.GRANTED, MicrophonePermission.state(activity))
    }

    @Test
    fun `other requests and interrupted dialogs return null`() {
        assertNull(MicrophonePermission.onResult(activity, 7, intArrayOf(PackageManager.PERMISSION_DENIED)))
        assertNull(MicrophonePermission.onResult(activity, MicrophonePermission.REQUEST_CODE, IntArray(0)))
        assertEquals(State.NOT_REQUESTED, MicrophonePermission.state(activity))
    }

    private fun answer(result: Int) =
        MicrophonePermission.onResult(activity, MicrophonePermission.REQUEST_CODE, intArrayOf(result))

    private fun setRationale(isDue: Boolean) =
        packages.setShouldShowRequestPermissionRationale(Manifest.permission.RECORD_AUDIO, isDue)

    private fun grant() = shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.RECORD_AUDIO)
}
