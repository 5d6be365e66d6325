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
 * Frames of the microphone from [AudioRecordSource] while the app is in the foreground: the microphone is closed when the
 * app moves to the background, and reopened, with positions from 0, when it returns.
 *
 * @param inBackground whether to continue in the background. Android then requires a foreground service of type
 *   `microphone` that was started while the app was visible; without it, the audio is silence.
 * @param source records the microphone.
 */
fun Sordino.frames(
    context: Context,
    inBackground: Boolean = false,
    source: AudioRecordSource = AudioRecordSource(context),
): Flow<Frame> {
    val frames = frames(source)
    return if (inBackground) frames else frames.during(Foreground.of(context).isVisible)
}

/** Whether the app is visible, derived from the states of its activities. */
class Foreground private constructor(application: Application) {
    private val visible = MutableStateFlow(isVisibleNow())

    /** Whether an activity of the app is started. Recreating it after a rotation does not change this. */
    val isVisible: StateFlow<Boolean> = visible.asStateFlow()

    init {
        application.registerActivityLifecycleCallbacks(Activities())
    }

    private inner class Activities : Application.ActivityLifecycleCallbacks {
        private val started = Collections.newSetFromMap(WeakHashMap<Activity, Boolean>())

        override fun onActivityStarted(activity: Activity) {
            started += activity
            visible.value = true
        }

        override fun onActivityStopped(activity: Activity) {
            started -= activity
            if (started.isEmpty() && !activity.isChangingConfigurations) visible.value = false
        }

        override fun onActivityCreated(activity: Activity, state: Bundle?) = Unit
        override fun onActivityResumed(activity: Activity) = Unit
        override fun onActivityPaused(activity: Activity) = Unit
        override fun onActivitySaveInstanceState(activity: Activity, state: Bundle) = Unit
        override fun onActivityDestroyed(activity: Activity) = Unit
    }

    companion object {
        private var instance: Pair<Application, Foreground>? = null

        /** The instance of the app that [context] belongs to, which observes the activities from the first call. */
        @Synchronized
        fun of(context: Context): Foreground {
            val application = context.applicationContext as Application
            instance?.let { (observed, foreground) -> if (observed === application) return foreground }
            return Foreground(application).also { instance = application to it }
        }

        /** The initial value, for an app whose activities started before the first call. */
        private fun isVisibleNow(): Boolean {
            val process = ActivityManager.RunningAppProcessInfo()
            ActivityManager.getMyMemoryState(process)
            return process.importance <= ActivityManager.RunningAppProcessInfo.IMPORTANCE_VISIBLE
        }
    }
}

/** Collects this flow whenever [isActive], starting again each time, until it completes. */
internal fun <T> Flow<T>.during(isActive: StateFlow<Boolean>): Flow<T> = channelFlow {
    try {
        isActive.collectLatest { active ->
            if (active) {
                collect { send(it) }
                throw Completed()
            }
        }
    } catch (completed: Completed) {
        // The collected flow completed, so this one does too.
    }
}.buffer(Channel.RENDEZVOUS)

private class Completed : RuntimeException(null, null, false, false)
