package dev.sordino

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The sound as 16-bit samples, as an audio output takes them. */
fun PreviewSound.toShorts(): ShortArray {
    val shorts = ShortArray(samples.size / Short.SIZE_BYTES)
    ByteBuffer.wrap(samples).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(shorts)
    return shorts
}

/** The floats that little-endian bytes are. */
internal fun ByteArray.toFloats(): FloatArray {
    val floats = FloatArray(size / Float.SIZE_BYTES)
    ByteBuffer.wrap(this).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats)
    return floats
}

internal fun ByteArray.toDirect(): ByteBuffer = direct(size).put(this).apply { flip() }

internal fun FloatArray.toDirect(): ByteBuffer {
    val bytes = direct(size * Float.SIZE_BYTES)
    bytes.asFloatBuffer().put(this)
    return bytes
}

/** A number that the face takes without a sign. */
internal fun unsigned(number: Int, what: String): UInt {
    if (number < 0) throw SordinoException.Argument("$what cannot be $number; give a number above 0")
    return number.toUInt()
}
