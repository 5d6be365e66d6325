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

/** How long anything is waited for: a deadlock is a failure, not a hang. No machine is as slow as that. */
internal val PATIENCE = 10.minutes

internal const val RATE = 48_000
internal const val FRAME = RATE / 100

/** Where nobody listens. */
internal const val NOWHERE = "http://127.0.0.1:9"

/** A test that ends. */
internal fun patiently(test: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(PATIENCE, test) }

internal suspend fun waitUntil(condition: suspend () -> Boolean) {
    while (!condition()) delay(2)
}

internal class Recording(val samples: FloatArray, val rate: Int)

/** A mono WAV file of 16 bits, as all of ours are: 44 bytes of header. */
internal fun readWav(file: File): Recording {
    val bytes = ByteBuffer.wrap(file.readBytes()).order(ByteOrder.LITTLE_ENDIAN)
    check(bytes.getShort(22) == 1.toShort() && bytes.getShort(34) == 16.toShort()) { "$file is not mono, 16 bit" }
    bytes.position(44)
    val shorts = bytes.slice().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer()
    return Recording(FloatArray(shorts.remaining()) { shorts.get(it) / 32768f }, bytes.getInt(24))
}

/** The bundled English notice, as this app shows it. */
internal fun notice(version: UInt): Notice =
    bundledNotice(version, "en", "Etude", "privacy@etude.example", 365u).notice

/** Frames of a recording that is pushed as fast as they are collected; [onFrame] is called with each. */
internal suspend fun Sordino.play(recording: Recording, onFrame: suspend (Frame) -> Unit) {
    val piece = recording.rate / 100
    var heard = 0L
    val frames: Flow<Frame> = frames(recording.rate) { feed ->
        for (start in recording.samples.indices step piece) {
            val length = minOf(piece, recording.samples.size - start)
            check(feed.push(recording.samples, start, length) == 0L) { "sound was lost" }
            // A second is held for the collector; a microphone would not run ahead either.
            while (start - heard > recording.rate / 2) delay(1)
        }
    }
    frames.collect { frame ->
        heard += frame.samples.size
        onFrame(frame)
    }
}
