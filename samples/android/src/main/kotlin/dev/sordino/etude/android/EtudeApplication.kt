package dev.sordino.etude.android

import android.app.Application
import dev.sordino.android.AudioRecordSource
import dev.sordino.android.SordinoHost
import dev.sordino.etude.Etude
import dev.sordino.etude.Setup
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** Has the engine open as long as the process lives, since activities come and go. */
class EtudeApplication : Application() {
    val etude: Etude by lazy {
        val setup = Setup(
            SordinoHost.stateFolder(this),
            // Pinned in the app: only this organization's plans count.
            assets.open("organization-key.txt").bufferedReader().readText().trim(),
            assets.open("collector-url.txt").bufferedReader().readText().trim(),
            assets.open("plan.json").readBytes(),
        )
        val keeper = DownloadsKeeper(this)
        // Reads a few small files.
        runBlocking(Dispatchers.IO) {
            Etude.open(setup, keeper, TrackOutput()) { it.frames(AudioRecordSource(this@EtudeApplication)) }
        }
    }
}
