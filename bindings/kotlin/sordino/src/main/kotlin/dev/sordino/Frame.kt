package dev.sordino

/**
 * A frame of captured audio: 10 ms, or shorter if samples were lost after it.
 *
 * @property samples mono, full scale at ±1, finite. No other frame shares the array.
 * @property rate the sample rate in Hz.
 * @property position the position of the first sample, in samples since the source was last opened, including lost
 *   ones. [Moment.at] takes such a position.
 * @property lost the number of samples lost immediately before this frame because the app did not take them in time.
 */
class Frame internal constructor(
    val samples: FloatArray,
    val rate: Int,
    val position: ULong,
    val lost: Long,
) {
    /** One line, without the samples. */
    override fun toString(): String =
        "Frame(${samples.size} samples at $rate Hz, position $position, $lost lost before)"

    internal companion object {
        /** Converts a frame of the engine, and adds [lost] samples that were lost in Kotlin before it. */
        fun from(frame: EngineFrame, lost: Long): Frame = Frame(
            samples = frame.samples.toFloats(),
            rate = frame.rate.toInt(),
            position = frame.position,
            lost = frame.lost.toLong() + lost,
        )
    }
}
