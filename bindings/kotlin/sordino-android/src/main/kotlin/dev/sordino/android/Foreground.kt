package dev.sordino.android

import android.app.Activity
import android.app.ActivityManager
import android.app.Application
import android.content.Context
import android.os.Bundle
import dev.sordino.Frame
import dev.sordino.Sordino
import java.util.Collections
import java.util.WeakHashMap
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.collectLatest

/**
 * Frames of the microphone by [AudioRecordSource], while the app is in the foreground: the microphone is closed when it
 * goes to the background and opened again, with positions from 0, when it is back.
 *
 * @param inBackground whether to go on in the background. Android then wants a foreground service of the type
 *   `microphone` that was started while the app was shown; without it, what comes is silence.
 * @param source what to record with.
 */
fun Sordino.frames(
    context: Context,
    inBackground: Boolean = false,
    source: AudioRecordSource = AudioRecordSource(context),
): Flow<Frame> {
    val frames = frames(source)
    return if (inBackground) frames else frames.during(Foreground.of(context).isShown)
}

/** Whether the app is shown, from the states of its activities. */
class Foreground private constructor(application: Application) {
    private val shown = MutableStateFlow(isShownNow())

    /** Whether an activity of the app is started. Turning the device makes it anew, which does not count. */
    val isShown: StateFlow<Boolean> = shown.asStateFlow()

    init {
        application.registerActivityLifecycleCallbacks(Activities())
    }

    private inner class Activities : Application.ActivityLifecycleCallbacks {
        private val started = Collections.newSetFromMap(WeakHashMap<Activity, Boolean>())

        override fun onActivityStarted(activity: Activity) {
            started += activity
            shown.value = true
        }

        override fun onActivityStopped(activity: Activity) {
            started -= activity
            if (started.isEmpty() && !activity.isChangingConfigurations) shown.value = false
        }

        override fun onActivityCreated(activity: Activity, state: Bundle?) = Unit
        override fun onActivityResumed(activity: Activity) = Unit
        override fun onActivityPaused(activity: Activity) = Unit
        override fun onActivitySaveInstanceState(activity: Activity, state: Bundle) = Unit
        override fun onActivityDestroyed(activity: Activity) = Unit
    }

    companion object {
        private var one: Pair<Application, Foreground>? = null

        /** The one of the app that [context] belongs to; it watches from the first call on. */
        @Synchronized
        fun of(context: Context): Foreground {
            val application = context.applicationContext as Application
            one?.let { (watched, foreground) -> if (watched === application) return foreground }
            return Foreground(application).also { one = application to it }
        }

        /** For an app whose activities started before anybody watched. */
        private fun isShownNow(): Boolean {
            val process = ActivityManager.RunningAppProcessInfo()
            ActivityManager.getMyMemoryState(process)
            return process.importance <= ActivityManager.RunningAppProcessInfo.IMPORTANCE_VISIBLE
        }
    }
}

/** Collects this while [isOpen], each time anew, until it completes. */
internal fun <T> Flow<T>.during(isOpen: StateFlow<Boolean>): Flow<T> = channelFlow {
    try {
        isOpen.collectLatest { open ->
            if (open) {
                collect { send(it) }
                throw Completed()
            }
        }
    } catch (completed: Completed) {
        // What was collected has come to its own end, and so does this.
    }
}.buffer(Channel.RENDEZVOUS)

private class Completed : RuntimeException(null, null, false, false)
