package dev.sordino.etude.desktop

import dev.sordino.etude.AudioOutput
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

/** Plays on the default output device with Java Sound. */
class JavaAudioOutput : AudioOutput {
    override suspend fun play(samples: ShortArray, rate: Int, onPosition: (Int) -> Unit) = withContext(Dispatchers.IO) {
        val format = AudioFormat(rate.toFloat(), Short.SIZE_BITS, 1, true, false)
        val bytes = ByteBuffer.allocate(samples.size * Short.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN)
        bytes.asShortBuffer().put(samples)
        val block = rate / BLOCKS_PER_SECOND
        open(format, 2 * block * Short.SIZE_BYTES).use { line ->
            line.start()
            for (start in samples.indices step block) {
                ensureActive()
                line.write(bytes.array(), start * Short.SIZE_BYTES, minOf(block, samples.size - start) * Short.SIZE_BYTES)
                onPosition(start)
            }
            line.drain()
        }
    }

    /** Opens a line with a short [buffer], in bytes, so that it stops soon after a cancellation. */
    private fun open(format: AudioFormat, buffer: Int): SourceDataLine = try {
        AudioSystem.getSourceDataLine(format).apply { open(format, buffer) }
    } catch (problem: LineUnavailableException) {
        throw IOException("the audio output is in use (${problem.message}); close other apps that play")
    } catch (problem: IllegalArgumentException) {
        throw IOException("this machine has no audio output (${problem.message}); connect one")
    }

    private companion object {
        const val BLOCKS_PER_SECOND = 10
    }
}
