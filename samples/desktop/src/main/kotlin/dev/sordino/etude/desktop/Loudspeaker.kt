package dev.sordino.etude.desktop

import dev.sordino.etude.SoundOutput
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import javax.sound.sampled.AudioFormat
import javax.sound.sampled.AudioSystem
import javax.sound.sampled.LineUnavailableException
import javax.sound.sampled.SourceDataLine
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/** The machine's default sound output, by Java Sound. */
class Loudspeaker : SoundOutput {
    override suspend fun play(sound: ShortArray, rate: Int, onPosition: (Int) -> Unit) = withContext(Dispatchers.IO) {
        val format = AudioFormat(rate.toFloat(), Short.SIZE_BITS, 1, true, false)
        val bytes = ByteBuffer.allocate(sound.size * Short.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN)
        bytes.asShortBuffer().put(sound)
        val piece = rate / PIECES_A_SECOND
        open(format, 2 * piece * Short.SIZE_BYTES).use { line ->
            line.start()
            for (start in sound.indices step piece) {
                ensureActive()
                line.write(bytes.array(), start * Short.SIZE_BYTES, minOf(piece, sound.size - start) * Short.SIZE_BYTES)
                onPosition(start)
            }
            line.drain()
        }
    }

    /** With a short [buffer], in bytes, so that silence follows soon after “Stop”. */
    private fun open(format: AudioFormat, buffer: Int): SourceDataLine = try {
        AudioSystem.getSourceDataLine(format).apply { open(format, buffer) }
    } catch (problem: LineUnavailableException) {
        throw IOException("there is no sound output free: ${problem.message}; close other apps that play")
    } catch (problem: IllegalArgumentException) {
        throw IOException("there is no sound output on this machine: ${problem.message}")
    }

    private companion object {
        const val PIECES_A_SECOND = 10
    }
}
