package dev.sordino.demo

import java.io.File
import java.util.concurrent.TimeUnit

/**
 * A demo organization with keys, a plan and a collector on this machine, made with the programs `sordino` and
 * `sordino-collector`. In production all of this is elsewhere; none of it belongs in an app.
 *
 * @property folder the folder of the keys, the plan and the collector's data; data of an earlier run is reused.
 * @param programs the folder of the two programs.
 * @param examplePlan the repository's `samples/plan.toml`.
 */
class Demo(val folder: File, private val programs: File, examplePlan: File) : AutoCloseable {
    /** The organization's public key, which an app pins. */
    val organizationKey: String

    /** The signed plan: it selects every marked moment and none at random, and requires review. */
    val plan: ByteArray

    /** The collector's URL. */
    val collectorUrl: String

    private val identity = folder.resolve("qa.key")
    private val token = folder.resolve("token")
    private val data = folder.resolve("collector")
    private val collector: Process

    init {
        folder.mkdirs()
        val plan = folder.resolve("plan.json")
        val publicKey = folder.resolve("plan.pub")
        if (!plan.exists()) publicKey.writeText(makePlan(plan, examplePlan))
        this.plan = plan.readBytes()
        organizationKey = publicKey.readText()
        collector = process("sordino-collector", "serve", "--data", data, "--listen", "127.0.0.1:0", "--plan", plan)
        // In case the program is terminated without `close`.
        Runtime.getRuntime().addShutdownHook(Thread(collector::destroy))
        val ready = collector.inputStream.bufferedReader().readLine()
        collectorUrl = checkNotNull(ready) { "the collector did not start" }.lastWord()
        if (!token.exists()) {
            val made = run(
                "sordino-collector", "token", "create", "--data", data, "--name", "quality team",
                "--purpose", "quality-assurance", "--purpose", "recognition-research",
            )
            token.writeText(made.lastWord())
        }
    }

    /** Pulls and decrypts all samples for [purpose] into [dataset], as a reader does. */
    fun pull(dataset: File, purpose: String = "quality-assurance") {
        run(
            "sordino", "pull", "--collector", collectorUrl, "--token-file", token, "--identity", identity,
            "--out", dataset, "--purpose", purpose, "--format", "bundle",
        )
    }

    /** The ids of the samples that the collector stores. */
    fun storedSamples(): Set<String> = data.walk().filter { it.extension == "age" }.map { it.nameWithoutExtension }.toSet()

    override fun close() {
        collector.destroy()
        collector.waitFor(SHUTDOWN_SECONDS, TimeUnit.SECONDS)
    }

    private fun makePlan(plan: File, example: File): String {
        val recipient = run("sordino", "keygen", "--out", identity).lastWord()
        val signingKey = folder.resolve("plan.key")
        val publicKey = run("sordino", "plan", "keygen", "--out", signingKey).lastWord()
        val written = folder.resolve("plan.toml")
        written.writeText(
            example.readText()
                .replace(Regex("age1\\w+"), recipient)
                .replace(Regex("random_probability = .*"), "random_probability = 0.0")
                .replace("\n[triggers]", "\nreview = \"required\"\n\n[triggers]"),
        )
        run("sordino", "plan", "sign", written, "--key", signingKey, "--out", plan)
        return publicKey
    }

    private fun run(program: String, vararg arguments: Any): String {
        val process = process(program, *arguments)
        val printed = process.inputStream.bufferedReader().readText()
        check(process.waitFor() == 0) { "$program ${arguments.first()} failed" }
        return printed
    }

    private fun process(program: String, vararg arguments: Any): Process =
        ProcessBuilder(listOf("$programs/$program") + arguments.map(Any::toString))
            .redirectError(ProcessBuilder.Redirect.INHERIT).start()

    private companion object {
        const val SHUTDOWN_SECONDS = 30L
    }
}

private fun String.lastWord(): String = trim().substringAfterLast(' ').substringAfterLast('\n')
