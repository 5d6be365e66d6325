// Robolectric calls these classes of androidx.test:monitor, which is not on Maven Central. The tests do not use them, so
// empty implementations are enough.
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
