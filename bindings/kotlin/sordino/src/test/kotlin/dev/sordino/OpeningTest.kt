package dev.sordino

import java.io.File
import kotlin.io.path.createTempDirectory
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledOnOs
import org.junit.jupiter.api.condition.OS

/** MB that may come and go: the JVM's own heap and code. Of 2000 openings each may leave 30 kB, of 10 000 each 6. */
private const val SLACK = 48

/** Opening and closing leaves nothing behind. */
internal class OpeningTest : Opened() {
    @Test
    @EnabledOnOs(OS.LINUX)
    fun `thousands of openings leave neither memory nor files nor threads`() {
        val openings = System.getProperty("sordino.tests.openings").toInt()
        // In memory, where there is such a place: the disk is not what is tested.
        val place = File("/dev/shm").takeIf(File::canWrite) ?: folder
        val state = createTempDirectory(place.toPath(), "sordino").toFile()
        repeat(openings / 5) { openAndClose(state) }
        val before = Held.now()
        repeat(openings - openings / 5) { openAndClose(state) }
        state.deleteRecursively()
        val after = Held.now()
        println("$openings openings: before $before, after $after")
        assertTrue(after.residentMegabytes <= before.residentMegabytes + SLACK, "$before, then $after")
        assertTrue(after.files <= before.files + 4 && after.threads <= before.threads + 4, "$before, then $after")
    }

    private fun openAndClose(state: File) = Sordino.open(state, organization.key, NOWHERE).use { sordino ->
        sordino.openFeed(RATE).push(FloatArray(FRAME))
    }

    private data class Held(val residentMegabytes: Int, val files: Int, val threads: Int) {
        companion object {
            fun now(): Held {
                System.gc()
                Thread.sleep(500)
                val status = File("/proc/self/status").readLines()
                val kilobytes = status.first { it.startsWith("VmRSS:") }.filter(Char::isDigit).toInt()
                return Held(kilobytes / 1024, count("/proc/self/fd"), count("/proc/self/task"))
            }

            private fun count(folder: String) = File(folder).list()!!.size
        }
    }
}
