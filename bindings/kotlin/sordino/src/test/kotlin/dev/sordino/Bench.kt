package dev.sordino

import java.lang.management.ManagementFactory
import java.util.Locale
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.locks.LockSupport
import kotlin.io.path.createTempDirectory
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** Before anything counts: long enough for the JVM to have compiled what runs a hundred times a second. */
private const val WARM_UP_SECONDS = 300
private const val SECONDS = 30

/** The share is that of the cheapest window, since what else the machine does can only add to it. */
private const val WINDOWS = 5

/** Frames that are pushed ahead of the collector where nobody waits for the clock: half of what a flow of frames holds. */
private const val AHEAD = 50

/**
 * What pushing 48 kHz mono in 10 ms frames and receiving it costs in real time, without consent: CPU time of the whole
 * process, with what JVM and engine do meanwhile, less that of a loop that does nothing every 10 ms.
 */
internal fun main() = runBlocking {
    val sound = FloatArray(FRAME) { kotlin.math.sin(it * 0.0576f) / 2 }
    val folder = createTempDirectory("sordino").toFile()
    val organization = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    Sordino.open(folder, organization, NOWHERE).use { sordino ->
        val heard = AtomicLong()
        var worked = 0.0
        var both = 0.0
        val frames = sordino.frames(RATE) { feed ->
            faster(heard, WARM_UP_SECONDS) { feed.push(sound) }
            worked = faster(heard, SECONDS) { feed.push(sound) }
            both = share { feed.push(sound) }
        }
        launch { frames.collect { heard.addAndGet(it.samples.size.toLong()) } }.join()
        check(heard.get() == (WARM_UP_SECONDS + 2 * SECONDS) * RATE.toLong()) { "${heard.get()} samples were heard" }
        val pushed = sordino.openFeed(RATE).use { feed -> share { feed.push(sound) } }
        val loop = share { }
        println(
            "kotlin push+receive: %.2f %% of a core (the work alone %.2f %%; pushing and the engine without a collector %.2f %%; an empty loop %.2f %%, not counted)"
                .format(Locale.ROOT, both - loop, worked, pushed - loop, loop),
        )
    }
    folder.deleteRecursively()
    Unit
}

private fun share(each: () -> Unit): Double = (1..WINDOWS).minOf { window(SECONDS / WINDOWS, each) }

private fun window(seconds: Int, each: () -> Unit): Double {
    val spent = processorNanos()
    val start = System.nanoTime()
    for (frame in 1..seconds * 100) {
        each()
        while (true) {
            val early = start + frame * 10_000_000L - System.nanoTime()
            if (early <= 0) break
            LockSupport.parkNanos(early)
        }
    }
    return 100.0 * (processorNanos() - spent) / (System.nanoTime() - start)
}

/** What a second of sound costs when nobody waits for the clock: the work without the waking up. */
private fun faster(heard: AtomicLong, seconds: Int, each: () -> Unit): Double {
    val spent = processorNanos()
    val before = heard.get()
    for (frame in 0 until seconds * 100) {
        each()
        while (frame - (heard.get() - before) / FRAME > AHEAD) LockSupport.parkNanos(1_000_000)
    }
    return 100.0 * (processorNanos() - spent) / (seconds * 1e9)
}

private fun processorNanos(): Long {
    val system = ManagementFactory.getOperatingSystemMXBean() as com.sun.management.OperatingSystemMXBean
    return system.processCpuTime
}
