package dev.sordino

/**
 * A stretch of captured sound: 10 ms, or shorter where something was lost after it.
 *
 * @property samples mono, full scale at ±1, finite. The array is this frame's own.
 * @property rate samples a second.
 * @property position where the first sample stands, counted in samples since the source was last opened; lost ones
 *   count. It is what [Moment.at] takes.
 * @property lost how many samples were lost immediately before this frame, because nobody took them in time.
 */
class Frame internal constructor(
    val samples: FloatArray,
    val rate: Int,
    val position: ULong,
    val lost: Long,
) {
    /** One line, without the sound. */
    override fun toString(): String =
        "Frame(${samples.size} samples at $rate Hz, position $position, $lost lost before)"

    internal companion object {
        /** What the face handed over, with [lost] samples more that went lost on this side of it. */
        fun of(frame: EngineFrame, lost: Long): Frame = Frame(
            samples = frame.samples.toFloats(),
            rate = frame.rate.toInt(),
            position = frame.position,
            lost = frame.lost.toLong() + lost,
        )
    }
}
