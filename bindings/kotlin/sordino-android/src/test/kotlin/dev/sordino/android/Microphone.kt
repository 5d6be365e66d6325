package dev.sordino.android

import android.media.AudioRecord
import org.robolectric.shadows.ShadowAudioRecord

/** A fake microphone: a constant level in real time, or an error. */
internal class Microphone : ShadowAudioRecord.AudioRecordSource {
    @Volatile var level: Short = 8192

    /** An `ERROR_…` constant of [AudioRecord], or 0. */
    @Volatile var failure = 0

    @Volatile private var record: AudioRecord? = null

    val session: Int get() = record!!.audioSessionId

    /** Makes this the source of every recorder. */
    fun connect() = ShadowAudioRecord.setSourceProvider { record -> also { this.record = record } }

    fun isReleased(): Boolean = record!!.state == AudioRecord.STATE_UNINITIALIZED

    override fun readInShortArray(sound: ShortArray, offset: Int, length: Int, isBlocking: Boolean): Int {
        if (failure != 0) return failure
        Thread.sleep(length / 48L)
        sound.fill(level, offset, offset + length)
        return length
    }
}
