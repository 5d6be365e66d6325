package dev.sordino

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** The timeout of every test, so that a deadlock fails instead of hanging. Much longer than the slowest machine needs. */
internal val TIMEOUT = 10.minutes

internal const val RATE = 48_000
internal const val FRAME_SIZE = RATE / 100

/** A URL without a server. */
internal const val UNREACHABLE_URL = "http://127.0.0.1:9"

/** Runs a test with a timeout. */
internal fun runTest(test: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(TIMEOUT, test) }

internal suspend fun waitUntil(condition: suspend () -> Boolean) {
    while (!condition()) delay(2)
}

internal class Recording(val samples: FloatArray, val rate: Int)

/** Reads a mono 16-bit WAV file with a header of 44 bytes. */
internal fun readWav(file: File): Recording {
    val bytes = ByteBuffer.wrap(file.readBytes()).order(ByteOrder.LITTLE_ENDIAN)
    check(bytes.getShort(22) == 1.toShort() && bytes.getShort(34) == 16.toShort()) { "$file is not mono, 16 bit" }
    bytes.position(44)
    val shorts = bytes.slice().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer()
    return Recording(FloatArray(shorts.remaining()) { shorts.get(it) / 32768f }, bytes.getInt(24))
}

/** The app's name and contact in the consent notice. */
internal val APP = AppInfo("Etude", "privacy@etude.example")

/** The bundled English notice, also without a plan. */
internal fun notice(version: UInt): Notice =
    bundledNotice("en", APP, NoticeTerms(version, consentDays = 365u, retentionDays = emptyMap())).notice

/** Plays a recording as fast as its frames are collected, and calls [onFrame] with each. */
internal suspend fun Sordino.play(recording: Recording, onFrame: suspend (Frame) -> Unit) {
    val block = recording.rate / 100
    var received = 0L
    val frames: Flow<Frame> = frames(recording.rate) { writer ->
        for (start in recording.samples.indices step block) {
            val length = minOf(block, recording.samples.size - start)
            check(writer.push(recording.samples, start, length) == 0L) { "samples were dropped" }
            // The flow buffers one second.
            while (start - received > recording.rate / 2) delay(1)
        }
    }
    frames.collect { frame ->
        received += frame.samples.size
        onFrame(frame)
    }
}
