// Robolectric calls these classes of androidx.test:monitor, which is not on Maven Central. The tests do not use them, so
// empty implementations are enough.
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
    @JvmStatic fun getInstance(): IntentStubber = error("no stubber is loaded")
}
