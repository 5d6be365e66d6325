// Robolectric signals to these classes of androidx.test:monitor, which Maven Central does not have. Nothing here asks
// them, so that stand-ins which listen to nobody do.
package androidx.test.runner.intent

import android.app.Instrumentation.ActivityResult
import android.content.Intent

interface IntentMonitor

interface IntentStubber {
    fun getActivityResultForIntent(intent: Intent): ActivityResult?
}

object IntentMonitorRegistry {
    @JvmStatic fun registerInstance(monitor: IntentMonitor?) = Unit
}

object IntentStubberRegistry {
    @JvmStatic fun isLoaded(): Boolean = false
    @JvmStatic fun getInstance(): IntentStubber = error("there is none")
}
