package dev.sordino

/** Audio that the app records itself, for [Sordino.frames]. */
interface PcmSource {
    /** The sample rate in Hz when the source starts. */
    val rate: Int

    /** The number of interleaved channels when the source starts. */
    val channels: Int

    /**
     * Records and pushes the samples into [writer], until the source ends or the coroutine is canceled. Runs on
     * `Dispatchers.IO`, where short blocking calls are allowed.
     */
    suspend fun run(writer: PcmWriter)
}

/** A format in the number types of the generated bindings. */
internal class PcmFormat(val rate: Int, val channels: Int) {
    val engineRate: UInt = unsigned(rate, "the sample rate")
    val engineChannels: UShort

    init {
        if (channels !in 0..UShort.MAX_VALUE.toInt()) {
            throw formatError("unsupported number of channels $channels; pass 1 to 65535")
        }
        engineChannels = channels.toUShort()
    }
}
