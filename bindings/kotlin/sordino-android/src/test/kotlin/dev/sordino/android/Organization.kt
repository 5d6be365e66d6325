package dev.sordino.android

import java.io.File

/** An organization's key and its signed plan, made by the program `sordino`. */
internal object Organization {
    private val folder = kotlin.io.path.createTempDirectory("sordino").toFile()
    private val root = File(System.getProperty("sordino.root"))
    private val signingKey = folder.resolve("plan.key")

    val key: String = sordino("plan", "keygen", "--out", signingKey.path)

    val plan: ByteArray by lazy {
        val recipient = sordino("keygen", "--out", folder.resolve("qa.key").path)
        val example = root.resolve("samples/plan.toml").readText()
        val written = folder.resolve("plan.toml").apply { writeText(example.replace(Regex("age1\\w+"), recipient)) }
        val signed = folder.resolve("plan.json")
        sordino("plan", "sign", written.path, "--key", signingKey.path, "--out", signed.path)
        signed.readBytes()
    }

    /** Runs the program and returns the last word of its output. */
    private fun sordino(vararg arguments: String): String {
        val process = ProcessBuilder(System.getProperty("sordino.programs") + "/sordino", *arguments)
            .redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val printed = process.inputStream.bufferedReader().readText()
        check(process.waitFor() == 0) { "sordino ${arguments.first()} failed" }
        return printed.trim().substringAfterLast(' ').substringAfterLast('\n')
    }
}
