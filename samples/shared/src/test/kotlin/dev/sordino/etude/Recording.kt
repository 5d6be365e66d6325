package dev.sordino.etude

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The repository's root. */
internal val ROOT: File = File(System.getProperty("sordino.root")).canonicalFile

/** A played note from `truth.json`, in seconds. */
internal class PlayedNote(val onset: Double, val offset: Double, val midi: Int)

/** A mono recording of the repository. */
internal class Recording(name: String) {
    val rate: Int
    val samples: FloatArray

    /** The notes that were played. */
    val notes: List<PlayedNote>

    init {
        val bytes = ByteBuffer.wrap(AUDIO.resolve("$name.wav").readBytes()).order(ByteOrder.LITTLE_ENDIAN)
        check(bytes.getShort(22) == 1.toShort() && bytes.getShort(34) == 16.toShort()) { "$name is not mono, 16 bit" }
        rate = bytes.getInt(24)
        bytes.position(HEADER_BYTES)
        val shorts = bytes.slice().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer()
        samples = FloatArray(shorts.remaining()) { shorts.get(it) / -Short.MIN_VALUE.toFloat() }
        val entry = AUDIO.resolve("truth.json").readText().substringAfter("\"$name\":").substringAfter("\"notes\":")
        notes = TRIPLE.findAll(entry.substringBefore("]]")+ "]").map { match ->
            val (onset, offset, midi) = match.destructured
            PlayedNote(onset.toDouble(), offset.toDouble(), midi.toInt())
        }.toList()
    }

    private companion object {
        val AUDIO = ROOT.resolve("samples/audio")
        val TRIPLE = Regex("""\[\s*([\d.]+),\s*([\d.]+),\s*(\d+)\s*]""")
        const val HEADER_BYTES = 44
    }
}
