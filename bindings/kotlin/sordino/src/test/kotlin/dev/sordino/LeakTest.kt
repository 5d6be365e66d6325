package dev.sordino

import java.io.File
import kotlin.io.path.createTempDirectory
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledOnOs
import org.junit.jupiter.api.condition.OS

/** Tolerance in MB for the JVM's heap and code: with 2000 openings 30 kB for each, with 10 000 6 kB. */
private const val TOLERANCE = 48

/** Opening and closing leaks nothing. */
internal class LeakTest : EngineTestBase() {
    @Test
    @EnabledOnOs(OS.LINUX)
    fun `thousands of openings leak no memory, files or threads`() {
        val openings = System.getProperty("sordino.tests.openings").toInt()
        // In memory if possible, since this does not test the disk.
        val parent = File("/dev/shm").takeIf(File::canWrite) ?: folder
        val state = createTempDirectory(parent.toPath(), "sordino").toFile()
        repeat(openings / 5) { openAndClose(state) }
        val before = Resources.now()
        repeat(openings - openings / 5) { openAndClose(state) }
        state.deleteRecursively()
        val after = Resources.now()
        println("$openings openings: before $before, after $after")
        assertTrue(after.residentMegabytes <= before.residentMegabytes + TOLERANCE, "$before, then $after")
        assertTrue(after.files <= before.files + 4 && after.threads <= before.threads + 4, "$before, then $after")
    }

    private fun openAndClose(state: File) = Sordino.open(state, organization.key, UNREACHABLE_URL).use { sordino ->
        sordino.listenToPcmSource(RATE).push(FloatArray(FRAME_SIZE))
    }

    private data class Resources(val residentMegabytes: Int, val files: Int, val threads: Int) {
        companion object {
            fun now(): Resources {
                System.gc()
                Thread.sleep(500)
                val status = File("/proc/self/status").readLines()
                val kilobytes = status.first { it.startsWith("VmRSS:") }.filter(Char::isDigit).toInt()
                return Resources(kilobytes / 1024, count("/proc/self/fd"), count("/proc/self/task"))
            }

            private fun count(folder: String) = File(folder).list()!!.size
        }
    }
}
