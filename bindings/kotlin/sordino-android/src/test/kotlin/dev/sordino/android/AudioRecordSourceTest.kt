package dev.sordino.android

import android.Manifest
import android.content.Context
import android.content.pm.PackageManager
import android.media.AudioFormat
import android.media.AudioManager
import android.media.AudioRecord
import android.media.AudioRecordingConfiguration
import android.media.MediaRecorder
import dev.sordino.CaptureEvent
import dev.sordino.Event
import dev.sordino.Frame
import dev.sordino.SordinoException
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAudioRecord
import org.robolectric.util.ReflectionHelpers

private const val LEVEL: Short = 8192

@RunWith(RobolectricTestRunner::class)
internal class AudioRecordSourceTest {
    private val application = RuntimeEnvironment.getApplication() as TestApplication
    private val manager = application.getSystemService(Context.AUDIO_SERVICE) as AudioManager
    private val microphone = Microphone()
    private val frames = CopyOnWriteArrayList<Frame>()
    private val events = CopyOnWriteArrayList<CaptureEvent>()
    private val scope = CoroutineScope(Dispatchers.Default)

    @Before
    fun allow() {
        shadowOf(application).grantPermissions(Manifest.permission.RECORD_AUDIO)
        shadowOf(application.packageManager).setSystemFeature(PackageManager.FEATURE_MICROPHONE, true)
        microphone.connect()
    }

    @After
    fun close() {
        runBlocking { scope.coroutineContext[Job]!!.cancelAndJoin() }
        application.onTerminate()
        ShadowAudioRecord.clearSource()
    }

    @Test
    fun `the microphone delivers frames until canceled`() {
        val listening = listen()
        waitUntil { frames.size >= 5 }
        assertEquals(48_000, frames[0].rate)
        assertTrue(frames.all { frame -> frame.samples.all { it == LEVEL / 32768f } })
        runBlocking { listening.cancelAndJoin() }
        assertTrue(microphone.isReleased())
        application.sordino.listenToPcmSource(48_000).close()
    }

    @Test
    fun `without the permission it throws PermissionDenied`() {
        shadowOf(application).denyPermissions(Manifest.permission.RECORD_AUDIO)
        val error = failure()
        assertTrue("$error", error is SordinoException.PermissionDenied && error.code == "permission-denied")
    }

    @Test
    fun `without a microphone it throws NoDevice`() {
        shadowOf(application.packageManager).setSystemFeature(PackageManager.FEATURE_MICROPHONE, false)
        val error = failure()
        assertTrue("$error", error is SordinoException.NoDevice && error.code == "no-microphone")
    }

    @Test
    fun `an unsupported rate is refused`() {
        val error = failure(AudioRecordSource(application, rate = 1))
        assertTrue("$error", error is SordinoException.Capture)
    }

    @Test
    fun `a lost microphone is reported and reopened`() {
        listen()
        waitUntil { frames.size >= 3 }
        microphone.failure = AudioRecord.ERROR_DEAD_OBJECT
        waitUntil { events.any { it is CaptureEvent.Lost } }
        microphone.failure = 0
        waitUntil { events.any { it is CaptureEvent.Reopened } }
        val before = frames.size
        waitUntil { frames.size > before + 3 }
        assertEquals(1, events.count { it is CaptureEvent.Lost })
        assertEquals(2, frames.count { it.position == 0UL })
    }

    @Test
    @Config(sdk = [35])
    fun `silence of a silenced recorder is not recorded`() {
        listen()
        waitUntil { frames.size >= 3 }
        val session = microphone.session
        reportSilenced(session, true)
        waitUntil { events.any { it is CaptureEvent.Lost } }
        microphone.level = 0
        Thread.sleep(700)
        microphone.level = LEVEL
        reportSilenced(session, false)
        waitUntil { events.any { it is CaptureEvent.Reopened } }
        val before = frames.size
        waitUntil { frames.size > before + 3 }
        assertTrue(frames.all { frame -> frame.samples.all { it != 0f } })
    }

    @Test
    @Config(sdk = [24])
    fun `before Android 10 the audio mode shows a call`() {
        listen()
        waitUntil { frames.size >= 3 }
        manager.mode = AudioManager.MODE_IN_CALL
        waitUntil { events.any { it is CaptureEvent.Lost } }
        manager.mode = AudioManager.MODE_NORMAL
        waitUntil { events.any { it is CaptureEvent.Reopened } }
    }

    private fun listen(): Job {
        val sordino = application.sordino
        scope.launch(Dispatchers.Unconfined) {
            sordino.events.collect { if (it is Event.Capture) events += it.event }
        }
        return scope.launch { sordino.frames(AudioRecordSource(application)).collect { frames += it } }
    }

    private fun failure(source: AudioRecordSource = AudioRecordSource(application)) =
        runCatching { runBlocking { application.sordino.frames(source).first() } }.exceptionOrNull()

    /** Makes the system report whether the recorder is silenced. */
    private fun reportSilenced(session: Int, isSilenced: Boolean) {
        val format = AudioFormat.Builder().setSampleRate(48_000).setEncoding(AudioFormat.ENCODING_PCM_16BIT)
            .setChannelMask(AudioFormat.CHANNEL_IN_MONO).build()
        val configuration = AudioRecordingConfiguration(
            1, session, MediaRecorder.AudioSource.MIC, format, format, 0, application.packageName,
            0, isSilenced, MediaRecorder.AudioSource.MIC, emptyArray(), emptyArray(),
        )
        shadowOf(manager).setActiveRecordingConfigurations(listOf(configuration), true)
    }
}
