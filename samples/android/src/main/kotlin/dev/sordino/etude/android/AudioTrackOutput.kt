package dev.sordino.etude.android

import android.media.AudioAttributes
import android.media.AudioFormat
import android.media.AudioTrack
import dev.sordino.etude.AudioOutput
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext

/** Plays with Android's `AudioTrack`. */
class AudioTrackOutput : AudioOutput {
    override suspend fun play(samples: ShortArray, rate: Int, onPosition: (Int) -> Unit) = withContext(Dispatchers.IO) {
        val track = open(samples.size * Short.SIZE_BYTES, rate)
        try {
            track.write(samples, 0, samples.size)
            track.play()
            while (track.playbackHeadPosition < samples.size) {
                onPosition(track.playbackHeadPosition)
                delay(POSITION_MILLIS)
            }
        } finally {
            track.release()
        }
    }

    private fun open(bytes: Int, rate: Int): AudioTrack = try {
        AudioTrack.Builder()
            .setAudioAttributes(AudioAttributes.Builder().setUsage(AudioAttributes.USAGE_MEDIA).build())
            .setAudioFormat(
                AudioFormat.Builder().setEncoding(AudioFormat.ENCODING_PCM_16BIT).setSampleRate(rate)
                    .setChannelMask(AudioFormat.CHANNEL_OUT_MONO).build(),
            )
            .setTransferMode(AudioTrack.MODE_STATIC)
            .setBufferSizeInBytes(bytes)
            .build()
    } catch (problem: UnsupportedOperationException) {
        throw IOException("cannot play the clip (${problem.message}); close other apps that play")
    }

    private companion object {
        const val POSITION_MILLIS = 100L
    }
}
