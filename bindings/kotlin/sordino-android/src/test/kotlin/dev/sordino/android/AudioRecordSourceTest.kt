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
    private val told = CopyOnWriteArrayList<CaptureEvent>()
    private val scope = CoroutineScope(Dispatchers.Default)

    @Before
    fun allow() {
        shadowOf(application).grantPermissions(Manifest.permission.RECORD_AUDIO)
        shadowOf(application.packageManager).setSystemFeature(PackageManager.FEATURE_MICROPHONE, true)
        microphone.plugIn()
    }

    @After
    fun close() {
        runBlocking { scope.coroutineContext[Job]!!.cancelAndJoin() }
        application.onTerminate()
        ShadowAudioRecord.clearSource()
    }

    @Test
    fun `what the microphone hears comes as frames, until the collection is cancelled`() {
        val listening = listen()
        waitUntil { frames.size >= 5 }
        assertEquals(48_000, frames[0].rate)
        assertTrue(frames.all { frame -> frame.samples.all { it == LEVEL / 32768f } })
        runBlocking { listening.cancelAndJoin() }
        assertTrue(microphone.isReleased())
        application.sordino.openFeed(48_000).close()
    }

    @Test
    fun `without the permission it throws and says what to ask for`() {
        shadowOf(application).denyPermissions(Manifest.permission.RECORD_AUDIO)
        val error = failure()
        assertTrue("$error", error is SordinoException.Capture && "RECORD_AUDIO" in error.message!!)
    }

    @Test
    fun `without a microphone it throws`() {
        shadowOf(application.packageManager).setSystemFeature(PackageManager.FEATURE_MICROPHONE, false)
        val error = failure()
        assertTrue("$error", error is SordinoException.Capture && "no microphone" in error.message!!)
    }

    @Test
    fun `a rate that the device has not is refused`() {
        val error = failure(AudioRecordSource(application, rate = 1))
        assertTrue("$error", error is SordinoException.Capture)
    }

    @Test
    fun `a microphone that a phone call takes is told, and opened anew after it`() {
        listen()
        waitUntil { frames.size >= 3 }
        microphone.failure = AudioRecord.ERROR_DEAD_OBJECT
        waitUntil { told.any { it is CaptureEvent.Lost } }
        microphone.failure = 0
        waitUntil { told.any { it is CaptureEvent.Reopened } }
        val before = frames.size
        waitUntil { frames.size > before + 3 }
        assertEquals(1, told.count { it is CaptureEvent.Lost })
        assertEquals(2, frames.count { it.position == 0UL })
    }

    @Test
    @Config(sdk = [35])
    fun `silence that the system gives in its place is not taken for playing`() {
        listen()
        waitUntil { frames.size >= 3 }
        val session = microphone.session
        silenced(session, true)
        waitUntil { told.any { it is CaptureEvent.Lost } }
        microphone.level = 0
        Thread.sleep(700)
        microphone.level = LEVEL
        silenced(session, false)
        waitUntil { told.any { it is CaptureEvent.Reopened } }
        val before = frames.size
        waitUntil { frames.size > before + 3 }
        assertTrue(frames.all { frame -> frame.samples.all { it != 0f } })
    }

    @Test
    @Config(sdk = [24])
    fun `before Android 10 a call is known by the mode of the audio`() {
        listen()
        waitUntil { frames.size >= 3 }
        manager.mode = AudioManager.MODE_IN_CALL
        waitUntil { told.any { it is CaptureEvent.Lost } }
        manager.mode = AudioManager.MODE_NORMAL
        waitUntil { told.any { it is CaptureEvent.Reopened } }
    }

    private fun listen(): Job {
        val sordino = application.sordino
        scope.launch(Dispatchers.Unconfined) {
            sordino.events.collect { if (it is Event.Capture) told += it.event }
        }
        return scope.launch { sordino.frames(AudioRecordSource(application)).collect { frames += it } }
    }

    private fun failure(source: AudioRecordSource = AudioRecordSource(application)) =
        runCatching { runBlocking { application.sordino.frames(source).first() } }.exceptionOrNull()

    /** Has the system tell that our recorder is given silence, or no more. */
    private fun silenced(session: Int, isSilenced: Boolean) {
        val format = AudioFormat.Builder().setSampleRate(48_000).setEncoding(AudioFormat.ENCODING_PCM_16BIT)
            .setChannelMask(AudioFormat.CHANNEL_IN_MONO).build()
        val configuration = AudioRecordingConfiguration(
            1, session, MediaRecorder.AudioSource.MIC, format, format, 0, application.packageName,
            0, isSilenced, MediaRecorder.AudioSource.MIC, emptyArray(), emptyArray(),
        )
        shadowOf(manager).setActiveRecordingConfigurations(listOf(configuration), true)
    }
}
