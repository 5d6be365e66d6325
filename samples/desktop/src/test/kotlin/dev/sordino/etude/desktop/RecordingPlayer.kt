package dev.sordino.etude.desktop

import java.io.File
import kotlin.concurrent.thread

/** Plays a recording into the test's microphone, repeatedly, until it is closed. */
internal class RecordingPlayer(recording: File) : AutoCloseable {
    @Volatile
    private var isPlaying = true

    @Volatile
    private var process: Process? = null

    private val playing = thread {
        while (isPlaying) {
            process = ProcessBuilder("paplay", "--device=microphone", recording.path).inheritIO().start()
            process?.waitFor()
        }
    }

    override fun close() {
        isPlaying = false
        process?.destroy()
        playing.join()
    }
}
