package dev.sordino

import java.lang.management.ManagementFactory
import java.util.Locale
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.locks.LockSupport
import kotlin.io.path.createTempDirectory
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** The warm-up: long enough for the JVM to compile code that runs a hundred times a second. */
private const val WARM_UP_SECONDS = 300
private const val SECONDS = 30

/** The result is the cheapest window, since other load on the machine only adds to the cost. */
private const val WINDOWS = 5

/** The number of frames that may be pushed ahead of the collector when not paced in real time: half the flow's buffer. */
private const val MAX_AHEAD = 50

/**
 * Measures what it costs to push 48 kHz mono in 10 ms frames and to receive it in real time, without consent: the CPU time
 * of the process, including the JVM and the engine, minus that of an empty loop every 10 ms.
 */
internal fun main() = runBlocking {
    val tone = FloatArray(FRAME_SIZE) { kotlin.math.sin(it * 0.0576f) / 2 }
    val folder = createTempDirectory("sordino").toFile()
    val organization = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    Sordino.open(folder, organization, UNREACHABLE_URL).use { sordino ->
        val received = AtomicLong()
        var unpaced = 0.0
        var paced = 0.0
        val frames = sordino.frames(RATE) { writer ->
            unpacedShare(received, WARM_UP_SECONDS) { writer.push(tone) }
            unpaced = unpacedShare(received, SECONDS) { writer.push(tone) }
            paced = pacedShare { writer.push(tone) }
        }
        launch { frames.collect { received.addAndGet(it.samples.size.toLong()) } }.join()
        check(received.get() == (WARM_UP_SECONDS + 2 * SECONDS) * RATE.toLong()) { "${received.get()} samples were received" }
        val pushOnly = sordino.listenToPcmSource(RATE).use { writer -> pacedShare { writer.push(tone) } }
        val loop = pacedShare { }
        println(
            "kotlin push+receive: %.2f %% of a core (unpaced %.2f %%; without a collector %.2f %%; an empty loop, not counted, %.2f %%)"
                .format(Locale.ROOT, paced - loop, unpaced, pushOnly - loop, loop),
        )
    }
    folder.deleteRecursively()
    Unit
}

private fun pacedShare(each: () -> Unit): Double = (1..WINDOWS).minOf { windowShare(SECONDS / WINDOWS, each) }

private fun windowShare(seconds: Int, each: () -> Unit): Double {
    val cpuBefore = processorNanos()
    val start = System.nanoTime()
    for (frame in 1..seconds * 100) {
        each()
        while (true) {
            val early = start + frame * 10_000_000L - System.nanoTime()
            if (early <= 0) break
            LockSupport.parkNanos(early)
        }
    }
    return 100.0 * (processorNanos() - cpuBefore) / (System.nanoTime() - start)
}

/** The cost of a second of audio when it is not paced in real time, without the wake-ups. */
private fun unpacedShare(received: AtomicLong, seconds: Int, each: () -> Unit): Double {
    val cpuBefore = processorNanos()
    val before = received.get()
    for (frame in 0 until seconds * 100) {
        each()
        while (frame - (received.get() - before) / FRAME_SIZE > MAX_AHEAD) LockSupport.parkNanos(1_000_000)
    }
    return 100.0 * (processorNanos() - cpuBefore) / (seconds * 1e9)
}

private fun processorNanos(): Long {
    val system = ManagementFactory.getOperatingSystemMXBean() as com.sun.management.OperatingSystemMXBean
    return system.processCpuTime
}
