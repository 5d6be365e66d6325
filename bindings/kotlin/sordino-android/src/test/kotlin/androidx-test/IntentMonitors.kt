// Robolectric signals to these classes of androidx.test:monitor, which Maven Central does not have. Nothing here asks
// them, so that stand-ins which listen to nobody do.
package androidx.test.internal.runner.intent

import android.content.Intent
import androidx.test.runner.intent.IntentMonitor

class IntentMonitorImpl : IntentMonitor {
    fun signalIntent(intent: Intent) = Unit
}
