package dev.sordino.android

import android.content.Context
import android.content.pm.PackageManager
import android.media.AudioFormat
import android.media.AudioManager
import android.media.AudioRecord
import android.media.MediaRecorder
import android.os.Build
import dev.sordino.PcmSource
import dev.sordino.PcmWriter
import dev.sordino.SordinoException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive

/**
 * Records the microphone with Android's `AudioRecord`: mono, 16 bit, unprocessed if the device supports it.
 *
 * If a phone call or another app takes the microphone, `Sordino.events` reports `CaptureEvent.Lost`, and
 * `CaptureEvent.Reopened` when it is available again. Positions then restart at 0.
 *
 * It throws [SordinoException.PermissionDenied] if the app may not record, [SordinoException.NoDevice] if the device has
 * no microphone, [SordinoException.Capture] if it does not support [rate], and [SordinoException.DeviceBusy] if another
 * app uses the microphone.
 *
 * @property rate the sample rate in Hz; every device supports 44100, almost all support 48000.
 */
class AudioRecordSource(context: Context, override val rate: Int = 48_000) : PcmSource {
    private val context = context.applicationContext
    private val manager = this.context.getSystemService(Context.AUDIO_SERVICE) as AudioManager

    override val channels: Int get() = 1

    override suspend fun run(writer: PcmWriter) {
        checkMicrophone()
        if (!isRateSupported()) {
            throw SordinoException.Capture(
                "unsupported-format", "the microphone does not support a rate of $rate Hz; use 44100 or 48000",
            )
        }
        var record = open() ?: throw SordinoException.DeviceBusy(
            "device-busy", "cannot open the microphone at $rate Hz; close other apps that record",
        )
        while (true) {
            val reason = try {
                recordUntilLost(record, writer)
            } finally {
                record.release()
            }
            writer.reportInterrupted(reason)
            record = reopen()
            writer.changeFormat(rate, channels)
        }
    }

    /** Pushes the recorded samples. Returns the reason for the end, in one line. */
    private suspend fun recordUntilLost(record: AudioRecord, writer: PcmWriter): String =
        SilenceMonitor(manager, record).use { monitor ->
            val samples = ShortArray(rate / READS_PER_SECOND)
            while (true) {
                currentCoroutineContext().ensureActive()
                val read = record.read(samples, 0, samples.size)
                when {
                    monitor.isSilenced -> {
                        writer.reportInterrupted("a phone call or another app uses the microphone")
                        waitWhileSilenced(record, monitor)
                        writer.changeFormat(rate, channels)
                    }
                    read > 0 -> writer.push(samples, 0, read)
                    read < 0 -> return "the microphone was disconnected (AudioRecord error $read)"
                    // A stopped recorder returns 0 immediately; a running one blocks until it has samples.
                    else -> delay(1_000L / READS_PER_SECOND)
                }
            }
            @Suppress("UNREACHABLE_CODE") error("unreachable")
        }

    /** Waits, because the system returns silence, which must not be recorded as the person's playing. */
    private suspend fun waitWhileSilenced(record: AudioRecord, monitor: SilenceMonitor) {
        while (monitor.isSilenced) {
            delay(RETRY_MILLIS)
            // Discards the silence that was recorded in the meantime.
            record.stop()
        }
        record.startRecording()
    }

    private suspend fun reopen(): AudioRecord {
        while (true) {
            delay(RETRY_MILLIS)
            checkMicrophone()
            open()?.let { return it }
        }
    }

    /** Opens and starts a recorder; `null` if it is not available now. */
    private fun open(): AudioRecord? {
        val minBytes = minBufferSize()
        if (minBytes <= 0) return null
        val bytes = maxOf(minBytes, rate / BUFFERS_PER_SECOND * Short.SIZE_BYTES)
        val record = try {
            AudioRecord(audioSource(), rate, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT, bytes)
        } catch (unsupported: IllegalArgumentException) {
            return null
        }
        try {
            if (record.state == AudioRecord.STATE_INITIALIZED) {
                record.startRecording()
                if (record.recordingState == AudioRecord.RECORDSTATE_RECORDING) return record
            }
        } catch (busy: IllegalStateException) {
            // Another app uses the microphone.
        }
        record.release()
        return null
    }

    private fun isRateSupported(): Boolean =
        rate in RATES && minBufferSize() != AudioRecord.ERROR_BAD_VALUE

    private fun minBufferSize(): Int =
        AudioRecord.getMinBufferSize(rate, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT)

    /** The source without effects for calls, or the one with the fewest. */
    private fun audioSource(): Int {
        val isSupported = manager.getProperty(AudioManager.PROPERTY_SUPPORT_AUDIO_SOURCE_UNPROCESSED).toBoolean()
        return if (isSupported) MediaRecorder.AudioSource.UNPROCESSED else MediaRecorder.AudioSource.VOICE_RECOGNITION
    }

    private fun checkMicrophone() {
        if (!MicrophonePermission.isGranted(context)) {
            throw SordinoException.PermissionDenied(
                "permission-denied", "the app may not record; request the permission RECORD_AUDIO first",
            )
        }
        if (!context.packageManager.hasSystemFeature(PackageManager.FEATURE_MICROPHONE)) {
            throw SordinoException.NoDevice(
                "no-microphone", "this device has no microphone; push audio of another source into a PcmWriter",
            )
        }
    }

    private companion object {
        /** The rates that `AudioRecord` accepts on any device. */
        val RATES = 4_000..192_000

        /** Reads of 10 ms, like the engine's frames. */
        const val READS_PER_SECOND = 100

        /** The recorder's buffer is a fifth of a second, so that a delayed thread loses nothing. */
        const val BUFFERS_PER_SECOND = 5

        const val RETRY_MILLIS = 500L
    }
}

/** Observes whether the system returns silence to a recorder because another app uses the microphone. */
private class SilenceMonitor(private val manager: AudioManager, record: AudioRecord) : AutoCloseable {
    private val session = record.audioSessionId

    @Volatile
    private var isReportedSilenced = false

    /** Before Android 10 the system does not report it; then only a call is detected. */
    val isSilenced: Boolean
        get() = isReportedSilenced ||
            Build.VERSION.SDK_INT < Build.VERSION_CODES.Q && manager.mode == AudioManager.MODE_IN_CALL

    private val callback = object : AudioManager.AudioRecordingCallback() {
        override fun onRecordingConfigChanged(configurations: List<android.media.AudioRecordingConfiguration>) {
            if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return
            val ours = configurations.find { it.clientAudioSessionId == session }
            isReportedSilenced = ours != null && ours.isClientSilenced
        }
    }

    init {
        manager.registerAudioRecordingCallback(callback, android.os.Handler(android.os.Looper.getMainLooper()))
    }

    override fun close(): Unit = manager.unregisterAudioRecordingCallback(callback)
}
