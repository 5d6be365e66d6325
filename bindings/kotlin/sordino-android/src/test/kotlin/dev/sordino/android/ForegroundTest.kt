package dev.sordino.android

import android.app.Activity
import android.content.pm.PackageManager
import dev.sordino.Frame
import dev.sordino.SordinoException
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
internal class ForegroundTest {
    private val application = RuntimeEnvironment.getApplication() as TestApplication
    private val foreground = Foreground.of(application)
    private val activity = Robolectric.buildActivity(Activity::class.java)
    private val microphone = Microphone()
    private val frames = CopyOnWriteArrayList<Frame>()
    private val scope = CoroutineScope(Dispatchers.Default)

    @Before
    fun allow() {
        shadowOf(application).grantPermissions(android.Manifest.permission.RECORD_AUDIO)
        shadowOf(application.packageManager).setSystemFeature(PackageManager.FEATURE_MICROPHONE, true)
        microphone.connect()
    }

    @After
    fun close() {
        runBlocking { scope.coroutineContext[Job]!!.cancelAndJoin() }
        application.onTerminate()
    }

    @Test
    fun `the microphone is closed in the background`() {
        activity.setup()
        listen(inBackground = false)
        waitUntil { frames.size >= 3 }
        activity.pause().stop()
        waitUntil { microphone.isReleased() && canListen() }
        val before = frames.size
        Thread.sleep(100)
        // The collector may have held one frame.
        assertTrue(frames.size <= before + 1)
        activity.restart().start().resume()
        waitUntil { frames.size >= before + 4 }
    }

    @Test
    fun `inBackground keeps the microphone open`() {
        activity.setup()
        listen(inBackground = true)
        waitUntil { frames.size >= 3 }
        activity.pause().stop()
        val before = frames.size
        waitUntil { frames.size >= before + 10 }
        assertFalse(foreground.isVisible.value)
    }

    @Test
    fun `the app is visible while one activity is started`() {
        activity.setup()
        val other = Robolectric.buildActivity(Activity::class.java).setup()
        activity.pause().stop()
        assertTrue(foreground.isVisible.value)
        other.pause().stop()
        assertFalse(foreground.isVisible.value)
    }

    @Test
    fun `a rotation does not change the visibility`() {
        activity.setup()
        val seen = CopyOnWriteArrayList<Boolean>()
        val watch = scope.launch(Dispatchers.Unconfined) { foreground.isVisible.collect { seen += it } }
        activity.recreate()
        assertEquals(listOf(true), seen)
        watch.cancel()
    }

    @Test
    fun `a flow that completes is not collected again`() = runBlocking {
        assertEquals(listOf(1, 2), flowOf(1, 2).during(MutableStateFlow(true)).toList())
    }

    private fun listen(inBackground: Boolean) = scope.launch {
        application.sordino.frames(application, inBackground).collect { frames += it; delay(1) }
    }

    private fun canListen(): Boolean = try {
        application.sordino.listenToPcmSource(48_000).close()
        true
    } catch (busy: SordinoException.AlreadyListening) {
        false
    }
}
