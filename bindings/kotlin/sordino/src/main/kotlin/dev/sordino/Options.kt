package dev.sordino

import java.io.File

/** What [Sordino.open] can be told. */
class Options internal constructor() {
    /** Whether the person hears each sample before it is sealed, also where the plan does not ask for that. */
    var reviewRequired: Boolean = false

    /** How many samples may wait to be sent, 1 or more. The oldest go first. */
    var mostPending: Int = 200

    /** How many bytes of samples may wait to be sent. The oldest go first. */
    var mostPendingBytes: Long = 32L shl 20

    /** How requests are sent: by [UrlConnectionTransport], unless the app has an HTTP client of its own. */
    var transport: Transport = UrlConnectionTransport()
}

/** The one place that opens the face. */
internal fun openEngine(
    folder: File,
    organizationKey: String,
    collectorUrl: String,
    options: Options,
    happenings: Happenings,
): Engine {
    keepListenersAttached()
    // Each step makes another builder; none waits for a garbage collector.
    var builder = EngineBuilder(folder.path, organizationKey, collectorUrl)
        .use { it.quota(options.pendingSamples(), options.pendingBytes()) }
        .use { it.eventListener(happenings) }
    if (options.reviewRequired) builder = builder.use { it.reviewRequired() }
    return builder.use { it.open() }
}

private fun Options.pendingSamples(): UInt = unsigned(mostPending, "mostPending")

private fun Options.pendingBytes(): ULong {
    if (mostPendingBytes < 0) throw SordinoException.Argument("mostPendingBytes cannot be $mostPendingBytes")
    return mostPendingBytes.toULong()
}
