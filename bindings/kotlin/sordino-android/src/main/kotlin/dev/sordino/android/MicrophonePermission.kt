package dev.sordino.android

import android.Manifest
import android.app.Activity
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.provider.Settings

/**
 * Requests the permission for the microphone (`RECORD_AUDIO`).
 *
 * ```kotlin
 * when (MicrophonePermission.state(activity)) {
 *     GRANTED -> listen()
 *     NOT_REQUESTED -> MicrophonePermission.request(activity)
 *     SHOW_RATIONALE -> explain { MicrophonePermission.request(activity) }
 *     DENIED_PERMANENTLY -> showSettings { startActivity(MicrophonePermission.settingsIntent(activity)) }
 * }
 * ```
 *
 * This is separate from the person's consent to sampling: `Sordino.giveConsent`.
 */
object MicrophonePermission {
    /** The state of the permission. */
    enum class State {
        /** The app may record. */
        GRANTED,

        /** The app has not requested it yet: [request]. */
        NOT_REQUESTED,

        /** The person denied it once: explain what the microphone is used for, then [request] again. */
        SHOW_RATIONALE,

        /** The system does not ask again; the person can grant it only in the settings: [settingsIntent]. */
        DENIED_PERMANENTLY,
    }

    /** The request code of [request] in `onRequestPermissionsResult`. */
    const val REQUEST_CODE: Int = 0x50D1

    /** Whether the app may record now. */
    fun isGranted(context: Context): Boolean =
        context.checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED

    /** The state of the permission. */
    fun state(activity: Activity): State = when {
        isGranted(activity) -> State.GRANTED
        activity.shouldShowRequestPermissionRationale(Manifest.permission.RECORD_AUDIO) -> State.SHOW_RATIONALE
        // The system returns the same before the first request and after the last.
        wasRequested(activity) -> State.DENIED_PERMANENTLY
        else -> State.NOT_REQUESTED
    }

    /** Shows the system's dialog. Pass the result of the activity's `onRequestPermissionsResult` to [onResult]. */
    fun request(activity: Activity): Unit =
        activity.requestPermissions(arrayOf(Manifest.permission.RECORD_AUDIO), REQUEST_CODE)

    /**
     * The state after the person answered, from `onRequestPermissionsResult`; `null` if that was another request, or the
     * dialog was interrupted before an answer.
     */
    fun onResult(activity: Activity, requestCode: Int, grantResults: IntArray): State? {
        if (requestCode != REQUEST_CODE || grantResults.isEmpty()) return null
        preferences(activity).edit().putBoolean(REQUESTED, true).apply()
        return state(activity)
    }

    /** Opens the app's page in the system settings, where the person can grant the permission. */
    fun settingsIntent(context: Context): Intent =
        Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", context.packageName, null))

    private fun wasRequested(context: Context) = preferences(context).getBoolean(REQUESTED, false)

    private fun preferences(context: Context) = context.getSharedPreferences("dev.sordino", Context.MODE_PRIVATE)

    private const val REQUESTED = "asked-for-microphone"
}
