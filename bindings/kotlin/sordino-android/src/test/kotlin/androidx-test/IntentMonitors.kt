// Robolectric calls these classes of androidx.test:monitor, which is not on Maven Central. The tests do not use them, so
// empty implementations are enough.
package androidx.test.internal.runner.intent

import android.content.Intent
import androidx.test.runner.intent.IntentMonitor

class IntentMonitorImpl : IntentMonitor {
    fun signalIntent(intent: Intent) = Unit
}
