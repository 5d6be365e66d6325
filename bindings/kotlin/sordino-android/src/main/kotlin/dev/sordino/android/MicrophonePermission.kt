package dev.sordino.android

import android.Manifest
import android.app.Activity
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.provider.Settings

/**
 * Asks for the microphone (`RECORD_AUDIO`).
 *
 * ```kotlin
 * when (MicrophonePermission.state(activity)) {
 *     GRANTED -> listen()
 *     TO_ASK -> MicrophonePermission.ask(activity)
 *     TO_EXPLAIN -> explain { MicrophonePermission.ask(activity) }
 *     DENIED_FOR_EVER -> offer { startActivity(MicrophonePermission.settings(activity)) }
 * }
 * ```
 *
 * This is not the person's consent to sampling, which is `Sordino.giveConsent` and a question of its own.
 */
object MicrophonePermission {
    /** Where the permission stands. */
    enum class State {
        /** The app may record. */
        GRANTED,

        /** It was not asked for yet: [ask]. */
        TO_ASK,

        /** The person said no once: explain what the microphone is for, then [ask]. */
        TO_EXPLAIN,

        /** The system asks no more; only the person can grant it, in [settings]. */
        DENIED_FOR_EVER,
    }

    /** What [ask] is known by in `onRequestPermissionsResult`. */
    const val REQUEST: Int = 0x50D1

    /** Whether the app may record at this instant. */
    fun isGranted(context: Context): Boolean =
        context.checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED

    /** Where the permission stands. */
    fun state(activity: Activity): State = when {
        isGranted(activity) -> State.GRANTED
        activity.shouldShowRequestPermissionRationale(Manifest.permission.RECORD_AUDIO) -> State.TO_EXPLAIN
        // The system says the same before the first question and after the last.
        wasAsked(activity) -> State.DENIED_FOR_EVER
        else -> State.TO_ASK
    }

    /** Has the system ask; the answer comes to the activity's `onRequestPermissionsResult`, for [answered]. */
    fun ask(activity: Activity): Unit =
        activity.requestPermissions(arrayOf(Manifest.permission.RECORD_AUDIO), REQUEST)

    /**
     * Where the permission stands after the person answered, from `onRequestPermissionsResult`; `null` where that was
     * about something else, or the person was interrupted before an answer.
     */
    fun answered(activity: Activity, request: Int, results: IntArray): State? {
        if (request != REQUEST || results.isEmpty()) return null
        memory(activity).edit().putBoolean(ASKED, true).apply()
        return state(activity)
    }

    /** The system's page on which the person can grant it after all. */
    fun settings(context: Context): Intent =
        Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", context.packageName, null))

    private fun wasAsked(context: Context) = memory(context).getBoolean(ASKED, false)

    private fun memory(context: Context) = context.getSharedPreferences("dev.sordino", Context.MODE_PRIVATE)

    private const val ASKED = "asked-for-microphone"
}
