package dev.sordino

import java.io.File
import java.util.concurrent.TimeUnit

/** The repository's root. */
internal val ROOT: File = File(System.getProperty("sordino.root")).canonicalFile

/** The folder of the programs `sordino` and `sordino-collector`. */
private val PROGRAMS: File = File(System.getProperty("sordino.programs")).canonicalFile

/** Runs a program with `--json` and returns its output. */
internal fun run(program: String, vararg arguments: Any): Json {
    val command = listOf("$PROGRAMS/$program", "--json") + arguments.map(Any::toString)
    val process = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    val printed = process.inputStream.bufferedReader().readText()
    check(process.waitFor() == 0) { "$program ${arguments.first()} failed" }
    return Json.of(printed)
}

/** An organization whose plan selects every marked moment and none at random; [review] makes review required. */
internal class Organization(val folder: File, review: Boolean = false) {
    val identity = folder.resolve("qa.key")
    val key: String
    val plan: ByteArray
    val planFile = folder.resolve("plan.json")

    init {
        val recipient = run("sordino", "keygen", "--out", identity)["recipient"].text
        val signingKey = folder.resolve("plan.key")
        key = run("sordino", "plan", "keygen", "--out", signingKey)["public_key"].text
        var toml = ROOT.resolve("samples/plan.toml").readText()
            .replace(Regex("age1\\w+"), recipient)
            .replace(Regex("random_probability = .*"), "random_probability = 0.0")
        if (review) toml = toml.replace("\n[triggers]", "\nreview = \"required\"\n\n[triggers]")
        val written = folder.resolve("plan.toml").apply { writeText(toml) }
        run("sordino", "plan", "sign", written, "--key", signingKey, "--out", planFile)
        plan = planFile.readBytes()
    }
}

/** A collector on a free loopback port, and a reader's token for it. */
internal class Collector(private val organization: Organization) : AutoCloseable {
    val data = organization.folder.resolve("collector")
    private val process = ProcessBuilder(
        "$PROGRAMS/sordino-collector", "serve", "--data", "$data", "--listen", "127.0.0.1:0",
        "--plan", "${organization.planFile}",
    ).redirectError(ProcessBuilder.Redirect.DISCARD).start()
    val url: String = process.inputStream.bufferedReader().readLine().substringAfterLast(' ').trim()
    private val token = organization.folder.resolve("token")

    init {
        val made = run(
            "sordino-collector", "token", "create", "--data", data, "--name", "qa",
            "--purpose", "quality-assurance",
        )
        token.writeText(made["token"].text)
    }

    /** Pulls into [dataset], and returns the CLI's summary. */
    fun pull(dataset: File): Json = run(
        "sordino", "pull", "--collector", url, "--token-file", token,
        "--identity", organization.identity, "--out", dataset, "--format", "bundle",
    )

    /** The ids of the stored samples. */
    fun samples(): Set<String> =
        data.walk().filter { it.extension == "age" }.map { it.nameWithoutExtension }.toSet()

    override fun close() {
        process.destroy()
        process.waitFor(30, TimeUnit.SECONDS)
    }
}
