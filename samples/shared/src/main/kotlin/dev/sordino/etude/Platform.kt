package dev.sordino.etude

/** Plays audio. */
fun interface AudioOutput {
    /**
     * Plays to the end; if canceled, it stops immediately.
     *
     * @param samples mono, 16 bit.
     * @param rate the sample rate in Hz.
     * @param onPosition receives the number of samples played, several times a second.
     * @throws java.io.IOException if there is no output, or another app uses it.
     */
    suspend fun play(samples: ShortArray, rate: Int, onPosition: (Int) -> Unit)
}

/** Saves documents where the person finds them. */
fun interface DocumentStore {
    /**
     * Saves a document and returns its location, as shown to the person.
     *
     * @throws java.io.IOException if it cannot be written.
     */
    suspend fun save(name: String, content: ByteArray): String
}
