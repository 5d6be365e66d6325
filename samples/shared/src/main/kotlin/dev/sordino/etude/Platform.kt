package dev.sordino.etude

/** Plays sound to the person. */
fun interface SoundOutput {
    /**
     * Plays to the end; cancelled, it falls silent at once.
     *
     * @param sound mono, 16 bit.
     * @param rate samples a second.
     * @param onPosition is told how many samples have been heard, some times a second.
     * @throws java.io.IOException where there is no output, or another app has it.
     */
    suspend fun play(sound: ShortArray, rate: Int, onPosition: (Int) -> Unit)
}

/** Keeps documents where the person finds them. */
fun interface Keeper {
    /**
     * Returns where the document lies, in the person's words.
     *
     * @throws java.io.IOException where it cannot be written.
     */
    suspend fun keep(name: String, content: ByteArray): String
}
