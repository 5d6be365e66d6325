package dev.sordino

import java.io.File

/** Options of [Sordino.open]. */
class Options internal constructor() {
    /** Whether the person reviews each sample before it is sealed, even if the plan does not require it. */
    var reviewRequired: Boolean = false

    /** The limits of the queue of samples. */
    var quota: Quota = Quota()

    /** Sends the requests: [UrlConnectionTransport] by default, or the app's HTTP client. */
    var transport: Transport = UrlConnectionTransport()
}

/**
 * The limits of the queue of samples. The oldest are dropped first.
 *
 * @property samples the largest number of samples.
 * @property bytes the largest total size, in bytes.
 */
data class Quota(val samples: Int = 200, val bytes: Long = 32L shl 20)

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
        .use { it.quota(options.quota) }
        .use { it.eventListener(eventBus) }
    if (options.reviewRequired) builder = builder.use { it.reviewRequired() }
    return builder.use { it.open() }
}

private fun EngineBuilder.quota(quota: Quota): EngineBuilder {
    if (quota.bytes < 0) throw argumentError("invalid quota of ${quota.bytes} bytes; pass 0 or more")
    return quota(unsigned(quota.samples, "the quota of samples"), quota.bytes.toULong())
}
