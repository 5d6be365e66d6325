package dev.sordino

import java.io.File

/** Options of [Sordino.open]. */
class Options internal constructor() {
    /** Whether the person reviews each sample before it is sealed, even if the plan does not require it. */
    var reviewRequired: Boolean = false

    /** The largest number of samples to keep until they are sent, 1 or more. The oldest are dropped first. */
    var maxPendingSamples: Int = 200

    /** The largest total size of the samples to keep until they are sent, in bytes. The oldest are dropped first. */
    var maxPendingBytes: Long = 32L shl 20

    /** Sends the requests: [UrlConnectionTransport] by default, or the app's HTTP client. */
    var transport: Transport = UrlConnectionTransport()
}

/** Opens the engine of the generated bindings. */
internal fun openEngine(
    folder: File,
    organizationKey: String,
    collectorUrl: String,
    options: Options,
    eventBus: EventBus,
): Engine {
    keepCallbackThreadsAttached()
    // Each call returns a new builder; `use` frees the previous one without waiting for the garbage collector.
    var builder = EngineBuilder(folder.path, organizationKey, collectorUrl)
        .use { it.quota(options.quotaSamples(), options.quotaBytes()) }
        .use { it.eventListener(eventBus) }
    if (options.reviewRequired) builder = builder.use { it.reviewRequired() }
    return builder.use { it.open() }
}

private fun Options.quotaSamples(): UInt = unsigned(maxPendingSamples, "maxPendingSamples")

private fun Options.quotaBytes(): ULong {
    if (maxPendingBytes < 0) throw argumentError("invalid maxPendingBytes $maxPendingBytes; pass 0 or more")
    return maxPendingBytes.toULong()
}
