package dev.sordino.android

import android.content.Context
import android.content.pm.PackageManager
import android.media.AudioFormat
import android.media.AudioManager
import android.media.AudioRecord
import android.media.MediaRecorder
import android.os.Build
import dev.sordino.AudioSource
import dev.sordino.Feed
import dev.sordino.SordinoException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive

/**
 * The microphone by Android's `AudioRecord`: mono, 16 bit, unprocessed where the device can.
 *
 * A phone call, or another app, may take it away meanwhile: that is told as `CaptureEvent.Lost` among
 * `Sordino.events`, and `CaptureEvent.Reopened` when it is back. Positions count from 0 again then.
 *
 * It throws [SordinoException.Capture] where the app may not record or there is no microphone.
 *
 * @property rate samples a second; every device has 44100, nearly all have 48000.
 */
class AudioRecordSource(context: Context, override val rate: Int = 48_000) : AudioSource {
    private val context = context.applicationContext
    private val manager = this.context.getSystemService(Context.AUDIO_SERVICE) as AudioManager

    override val channels: Int get() = 1

    override suspend fun run(feed: Feed) {
        checkPermission()
        var record = opened() ?: throw SordinoException.Capture(
            "the microphone cannot be opened at $rate Hz; another app may have it, or the device has none",
        )
        while (true) {
            val reason = try {
                readUntilLost(record, feed)
            } finally {
                record.release()
            }
            feed.interrupted(reason)
            record = reopened()
            feed.changeFormat(rate, channels)
        }
    }

    /** Pushes what is recorded. Returns why that ended, in one line. */
    private suspend fun readUntilLost(record: AudioRecord, feed: Feed): String =
        Silencing(manager, record).use { silencing ->
            val sound = ShortArray(rate / FRAMES_A_SECOND)
            while (true) {
                currentCoroutineContext().ensureActive()
                val read = record.read(sound, 0, sound.size)
                when {
                    silencing.isSilenced -> {
                        feed.interrupted("a phone call or another app has the microphone")
                        waitOut(record, silencing)
                        feed.changeFormat(rate, channels)
                    }
                    read > 0 -> feed.push(sound, 0, read)
                    read < 0 -> return "the microphone went away (AudioRecord's error $read)"
                    // A stopped recorder gives nothing at once; a running one waits until there is something.
                    else -> delay(1_000L / FRAMES_A_SECOND)
                }
            }
            @Suppress("UNREACHABLE_CODE") error("unreachable")
        }

    /** The system gives silence meanwhile, which is nobody's playing. */
    private suspend fun waitOut(record: AudioRecord, silencing: Silencing) {
        while (silencing.isSilenced) {
            delay(RETRY_MILLIS)
            // What was recorded meanwhile is let go of, so that what comes next is new.
            record.stop()
        }
        record.startRecording()
    }

    private suspend fun reopened(): AudioRecord {
        while (true) {
            delay(RETRY_MILLIS)
            checkPermission()
            opened()?.let { return it }
        }
    }

    /** The recorder, running; `null` where it cannot be had now. */
    private fun opened(): AudioRecord? {
        val least = AudioRecord.getMinBufferSize(rate, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT)
        if (least <= 0) return null
        val held = maxOf(least, rate / HELD_A_SECOND * Short.SIZE_BYTES)
        val record = try {
            AudioRecord(source(), rate, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT, held)
        } catch (refused: IllegalArgumentException) {
            return null
        }
        try {
            if (record.state == AudioRecord.STATE_INITIALIZED) {
                record.startRecording()
                if (record.recordingState == AudioRecord.RECORDSTATE_RECORDING) return record
            }
        } catch (taken: IllegalStateException) {
            // Another app has it.
        }
        record.release()
        return null
    }

    /** Without the effects that calls want; where that cannot be had, what comes nearest. */
    private fun source(): Int {
        val can = manager.getProperty(AudioManager.PROPERTY_SUPPORT_AUDIO_SOURCE_UNPROCESSED)
        return if (can.toBoolean()) MediaRecorder.AudioSource.UNPROCESSED else MediaRecorder.AudioSource.VOICE_RECOGNITION
    }

    private fun checkPermission() {
        if (!MicrophonePermission.isGranted(context)) {
            throw SordinoException.Capture("the app may not record; ask for the permission RECORD_AUDIO first")
        }
        if (!context.packageManager.hasSystemFeature(PackageManager.FEATURE_MICROPHONE)) {
            throw SordinoException.Capture("this device has no microphone; push sound of another source into a feed")
        }
    }

    private companion object {
        /** Pieces of 10 ms, as the engine's frames are. */
        const val FRAMES_A_SECOND = 100

        /** The system holds a fifth of a second for us, so that a late thread loses nothing. */
        const val HELD_A_SECOND = 5

        const val RETRY_MILLIS = 500L
    }
}

/** Watches whether the system gives a recorder silence because somebody else has the microphone. */
private class Silencing(private val manager: AudioManager, record: AudioRecord) : AutoCloseable {
    private val session = record.audioSessionId

    @Volatile
    private var isTold = false

    /** Before Android 10 the system does not tell; a call is then all that is known. */
    val isSilenced: Boolean
        get() = isTold || Build.VERSION.SDK_INT < Build.VERSION_CODES.Q && manager.mode == AudioManager.MODE_IN_CALL

    private val callback = object : AudioManager.AudioRecordingCallback() {
        override fun onRecordingConfigChanged(configurations: List<android.media.AudioRecordingConfiguration>) {
            if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return
            val ours = configurations.find { it.clientAudioSessionId == session }
            isTold = ours != null && ours.isClientSilenced
        }
    }

    init {
        manager.registerAudioRecordingCallback(callback, android.os.Handler(android.os.Looper.getMainLooper()))
    }

    override fun close(): Unit = manager.unregisterAudioRecordingCallback(callback)
}
