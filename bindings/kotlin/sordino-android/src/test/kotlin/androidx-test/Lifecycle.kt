// Robolectric calls these classes of androidx.test:monitor, which is not on Maven Central. The tests do not use them, so
// empty implementations are enough.
package androidx.test.runner.lifecycle

enum class ApplicationStage { PRE_ON_CREATE, CREATED }

enum class Stage { PRE_ON_CREATE, CREATED, STARTED, RESUMED, PAUSED, STOPPED, RESTARTED, DESTROYED }

interface ActivityLifecycleMonitor
interface ApplicationLifecycleMonitor

object ActivityLifecycleMonitorRegistry {
    @JvmStatic fun registerInstance(monitor: ActivityLifecycleMonitor?) = Unit
}

object ApplicationLifecycleMonitorRegistry {
    @JvmStatic fun registerInstance(monitor: ApplicationLifecycleMonitor?) = Unit
}
