package dev.sordino.etude.android

import android.media.AudioAttributes
import android.media.AudioFormat
import android.media.AudioTrack
import dev.sordino.etude.SoundOutput
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext

/** Plays by Android's `AudioTrack`. */
class TrackOutput : SoundOutput {
    override suspend fun play(sound: ShortArray, rate: Int, onPosition: (Int) -> Unit) = withContext(Dispatchers.IO) {
        val track = open(sound.size * Short.SIZE_BYTES, rate)
        try {
            track.write(sound, 0, sound.size)
            track.play()
            while (track.playbackHeadPosition < sound.size) {
                onPosition(track.playbackHeadPosition)
                delay(MILLIS_BETWEEN_POSITIONS)
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
        throw IOException("the sound cannot be played: ${problem.message}; close other apps that play")
    }

    private companion object {
        const val MILLIS_BETWEEN_POSITIONS = 100L
    }
}
