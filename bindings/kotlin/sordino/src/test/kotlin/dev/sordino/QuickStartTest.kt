package dev.sordino

import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The program of docs/quickstart/kotlin.md, unchanged. */
internal class QuickStartTest(@TempDir private val folder: File) {
    @Test
    fun `the quick start runs as documented`() {
        val organization = Organization(folder)
        Collector(organization).use { collector ->
            val printed = quickStart(
                folder.resolve("state"), organization.key, organization.planFile, collector.url,
                ROOT.resolve("samples/audio/flute-alone.wav"),
            )
            assertTrue("1 samples sent, no problem" in printed, "$printed")
            assertTrue(printed.any { it.endsWith("s, SENT") }, "$printed")
            assertTrue(printed.none { "lost" in it }, "$printed")
            assertEquals("WITHDRAWN", printed.last())
            assertEquals(emptySet<String>(), collector.samples())
        }
    }

    /** Runs it as a separate program and returns the lines of its output. */
    private fun quickStart(vararg arguments: Any): List<String> {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val command = listOf(java, "-cp", System.getProperty("java.class.path"), "QuickStartKt")
        val program = ProcessBuilder(command + arguments.map(Any::toString)).redirectErrorStream(true).start()
        val printed = program.inputStream.bufferedReader().readLines()
        assertEquals(0, program.waitFor(), "$printed")
        return printed
    }
}
