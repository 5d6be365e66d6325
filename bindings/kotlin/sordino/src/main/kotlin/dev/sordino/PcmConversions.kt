package dev.sordino

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The preview as 16-bit samples, for an audio output. */
fun PreviewSound.toShorts(): ShortArray {
    val shorts = ShortArray(samples.size / Short.SIZE_BYTES)
    ByteBuffer.wrap(samples).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(shorts)
    return shorts
}

/** Converts little-endian bytes to floats. */
internal fun ByteArray.toFloats(): FloatArray {
    val floats = FloatArray(size / Float.SIZE_BYTES)
    ByteBuffer.wrap(this).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats)
    return floats
}

internal fun ByteArray.toDirectBuffer(): ByteBuffer = directBuffer(size).put(this).apply { flip() }

internal fun FloatArray.toDirectBuffer(): ByteBuffer {
    val bytes = directBuffer(size * Float.SIZE_BYTES)
    bytes.asFloatBuffer().put(this)
    return bytes
}

/** Converts a number to the unsigned type of the bindings. */
internal fun unsigned(number: Int, name: String): UInt {
    if (number < 0) throw argumentError("$name cannot be $number; pass a positive number")
    return number.toUInt()
}
