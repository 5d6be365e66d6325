package dev.sordino.etude.android

import android.app.Application
import dev.sordino.android.AudioRecordSource
import dev.sordino.android.SordinoHost
import dev.sordino.etude.Etude
import dev.sordino.etude.Setup
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** Keeps the engine open for the lifetime of the process, which outlives activities. */
class EtudeApplication : Application() {
    val etude: Etude by lazy {
        val setup = Setup(
            SordinoHost.stateFolder(this),
            // Pinned in the app: only this organization's plans are accepted.
            assets.open("organization-key.txt").bufferedReader().readText().trim(),
            assets.open("collector-url.txt").bufferedReader().readText().trim(),
            assets.open("plan.json").readBytes(),
        )
        val documents = DownloadsDocumentStore(this)
        // Reads a few small files.
        runBlocking(Dispatchers.IO) {
            Etude.open(setup, documents, AudioTrackOutput()) { it.frames(AudioRecordSource(this@EtudeApplication)) }
        }
    }
}
