package dev.sordino.android

import android.app.Application
import dev.sordino.UploadResult
import dev.sordino.Request
import dev.sordino.Sordino
import dev.sordino.Transport
import java.io.File
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.awaitCancellation

/** An app with the real engine and a fake network. */
internal class TestApplication : Application(), SordinoHost {
    val network = Network()

    override val sordino: Sordino by lazy {
        Sordino.open(File(filesDir, "sordino"), Organization.key, "https://collector.example") { transport = network }
    }

    override fun onTerminate() {
        sordino.close()
        super.onTerminate()
    }
}

/** A network that is unreachable, or never answers. */
internal class Network : Transport {
    val sent = CopyOnWriteArrayList<Request>()
    @Volatile var neverAnswers = false
    @Volatile var wasCancelled = false

    override suspend fun send(request: Request): UploadResult {
        sent += request
        if (neverAnswers) {
            try { awaitCancellation() } finally { wasCancelled = true }
        }
        return UploadResult.Unreachable("no network")
    }
}

/** The longest time to wait, in milliseconds, so that a deadlock fails instead of hanging. */
private const val TIMEOUT_MILLIS = 600_000L

/** Waits until [condition] is true, and runs the tasks of the main thread meanwhile. */
internal fun waitUntil(condition: () -> Boolean) {
    val end = System.currentTimeMillis() + TIMEOUT_MILLIS
    while (!condition()) {
        check(System.currentTimeMillis() < end) { "timeout: the condition is still false" }
        org.robolectric.shadows.ShadowLooper.idleMainLooper()
        Thread.sleep(5)
    }
}
