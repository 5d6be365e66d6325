package dev.sordino

import dev.sordino.quickstart.quickStart
import java.io.File
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.delay
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The quick start of docs/quickstart/kotlin.md, as it stands there. */
internal class QuickStartTest(@TempDir private val folder: File) {
    @Test
    fun `the quick start works as it is written`() = patiently {
        val organisation = Organisation(folder)
        val recording = readWav(ROOT.resolve("samples/audio/flute-alone.wav"))
        val printed = mutableListOf<String>()
        Collector(organisation).use { collector ->
            var unsureAt = 400
            val heard = AtomicInteger()
            quickStart(
                folder.resolve("state"), organisation.key, collector.url, organisation.plan,
                record = { push -> push.recording(recording, heard) },
                isUnsure = { heard.addAndGet(it.size); unsureAt-- == 0 },
                println = { printed += it.toString() },
            )
            assertTrue(printed.any { it == "1 samples sent, no problem" }, "$printed")
            assertTrue(printed.any { it.endsWith("s, SENT") }, "$printed")
            assertEquals("WITHDRAWN", printed.last())
            assertEquals(emptySet<String>(), collector.samples())
        }
    }

    /** A microphone that hears the recording as fast as the app does. It is at 44.1 kHz, and taken for 48 here. */
    private suspend fun (suspend (FloatArray) -> Unit).recording(recording: Recording, heard: AtomicInteger) {
        for (start in 0 until recording.samples.size - FRAME step FRAME) {
            this(recording.samples.copyOfRange(start, start + FRAME))
            // A second is held for the app; a microphone would not run ahead either.
            while (start - heard.get() > RATE / 2) delay(1)
        }
    }
}
