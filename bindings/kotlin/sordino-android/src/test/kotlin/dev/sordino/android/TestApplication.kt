package dev.sordino.android

import android.app.Application
import dev.sordino.Outcome
import dev.sordino.Request
import dev.sordino.Sordino
import dev.sordino.Transport
import java.io.File
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.awaitCancellation

/** An app with the real engine, whose network the tests are. */
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

/** A network that cannot be reached, or never answers. */
internal class Network : Transport {
    val sent = CopyOnWriteArrayList<Request>()
    @Volatile var neverAnswers = false
    @Volatile var wasLetGo = false

    override suspend fun send(request: Request): Outcome {
        sent += request
        if (neverAnswers) {
            try { awaitCancellation() } finally { wasLetGo = true }
        }
        return Outcome.Unreachable("no network")
    }
}

/** How long anything is waited for, in milliseconds: a deadlock is a failure, not a hang. No machine is as slow as that. */
private const val PATIENCE = 600_000L

/** Waits until [condition] holds, and runs what the main thread is to do meanwhile. */
internal fun waitUntil(condition: () -> Boolean) {
    val end = System.currentTimeMillis() + PATIENCE
    while (!condition()) {
        check(System.currentTimeMillis() < end) { "it did not come to pass in time" }
        org.robolectric.shadows.ShadowLooper.idleMainLooper()
        Thread.sleep(5)
    }
}
