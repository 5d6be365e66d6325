// Robolectric signals to these classes of androidx.test:monitor, which Maven Central does not have. Nothing here asks
// them, so that stand-ins which listen to nobody do.
package androidx.test.platform.app

import android.app.Instrumentation
import android.os.Bundle

object InstrumentationRegistry {
    private var registered: Pair<Instrumentation?, Bundle?> = null to null

    @JvmStatic fun registerInstance(instrumentation: Instrumentation?, arguments: Bundle?) {
        registered = instrumentation to arguments
    }

    @JvmStatic fun getInstrumentation(): Instrumentation? = registered.first
    @JvmStatic fun getArguments(): Bundle? = registered.second
}
