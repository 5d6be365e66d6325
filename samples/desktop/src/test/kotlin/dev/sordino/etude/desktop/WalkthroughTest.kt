package dev.sordino.etude.desktop

import androidx.compose.ui.unit.dp
import androidx.compose.ui.window.WindowPosition
import dev.sordino.SordinoException
import dev.sordino.demo.Demo
import dev.sordino.etude.Etude
import dev.sordino.etude.Setup
import java.awt.Rectangle
import java.awt.Robot
import java.awt.Window
import java.awt.event.KeyEvent
import java.io.File
import javax.imageio.ImageIO
import javax.swing.SwingUtilities
import kotlin.concurrent.thread
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/**
 * A child and a parent use every screen of the app: in a window, with mouse and keyboard, with a virtual microphone that
 * plays a recording, and with a collector. `cargo xtask samples test` starts the screen and the microphone.
 */
internal class WalkthroughTest(@TempDir private val folder: File) {
    private lateinit var demo: Demo
    private lateinit var etude: Etude
    private lateinit var window: Window
    private lateinit var ui: UiDriver
    private val saved = folder.resolve("saved")

    @BeforeEach
    fun open() {
        assumeTrue(System.getenv("ETUDE_VIRTUAL_AUDIO") != null, "cargo xtask samples test starts the screen and the microphone")
        demo = Demo(folder.resolve("organization"), File(System.getProperty("sordino.programs")), PLAN)
        val setup = Setup(folder.resolve("state"), demo.organizationKey, demo.collectorUrl, demo.plan)
        etude = runBlocking { Etude.open(setup, FolderDocumentStore(saved), JavaAudioOutput()) }
        thread(isDaemon = true) { show(etude, WindowPosition(0.dp, 0.dp)) }
        while (Window.getWindows().none { it.isShowing }) Thread.sleep(50)
        window = Window.getWindows().first { it.isShowing }
        ui = UiDriver(window)
    }

    @AfterEach
    fun close() {
        if (!::window.isInitialized) return
        etude.close()
        SwingUtilities.invokeAndWait { window.dispose() }
        demo.close()
    }

    @Test
    fun `a child practices, consents, reviews, sends and withdraws`() {
        RecordingPlayer(RECORDING).use {
            notesAreShown()
            nothingIsRecordedYet()
            noticeIsRead()
            childConsents()
            parentApproves()
            repeat(2) { wrongNoteIsReported() }
            thirdMomentIsDiscarded()
        }
        clipsAreReviewed()
        samplesAreSent()
        oneIsDeleted()
        consentIsWithdrawn()
    }

    private fun notesAreShown() {
        ui.waitFor("Nothing is recorded: you have not agreed.")
        ui.press("Start listening")
        // The first notes of the melody.
        for (note in listOf("G4", "A4", "B4")) ui.waitFor(note)
        awaitNote()
        screenshot("1-practice")
    }

    private fun nothingIsRecordedYet() {
        ui.press("Report a wrong note")
        ui.press("I do not know")
        await { etude.practice.problem.value != null }
        val problem = etude.practice.problem.value
        assertEquals("mark-not-permitted", (problem as? SordinoException.Mark)?.code)
        ui.waitFor(problem!!.message!!)
        ui.press("Review")
        ui.waitFor("Nothing to review")
    }

    private fun noticeIsRead() {
        ui.press("Consent")
        ui.press("Language: English")
        ui.press("Deutsch")
        ui.waitFor("Dürfen wir")
        ui.press("Language: Deutsch")
        ui.press("English")
        ui.waitFor("May we learn from a few seconds of your playing?")
        screenshot("2-consent")
        ui.press("Read the full notice")
        ui.waitFor("Voices are taken out")
        screenshot("3-consent-full")
        ui.press("Show less")
        assertEquals(0, etude.consent.state.value.selected.size)
    }

    private fun childConsents() {
        ui.press("Quality assurance")
        // With the keyboard only: the next switch.
        ui.pressKey(KeyEvent.VK_TAB)
        ui.pressKey(KeyEvent.VK_SPACE)
        await { etude.consent.state.value.selected.size == 2 }
        ui.press("A child")
        screenshot("4-consent-answered")
        ui.press("I agree to the selected uses")
        ui.waitFor("Waiting for your parent")
        screenshot("5-waiting")
    }

    private fun parentApproves() {
        ui.press("I am the parent or guardian")
        ui.press("A text message, confirmed by a second step")
        // With the keyboard only: the text field.
        ui.pressKey(KeyEvent.VK_TAB)
        ui.type("check5f0c99d177abe2c4")
        screenshot("6-guardian")
        ui.press("I agree for my child")
        ui.waitFor("Your receipt")
        screenshot("7-consented")
        ui.press("Save the receipt")
        ui.waitFor("Saved: ")
        assertEquals(etude.consent.state.value.receipt, saved.resolve("receipt.json").readText())
    }

    /** The anonymizer may reject a moment, depending on its random draws; then another one is marked. */
    private tailrec fun wrongNoteIsReported(tries: Int = 3) {
        ui.press("Practice")
        if (!etude.practice.state.value.isListening) ui.press("Start listening")
        val before = etude.review.state.value.clips.size
        etude.practice.clearMessage()
        awaitNote()
        Thread.sleep(PRACTICE_MILLIS)
        ui.press("Report a wrong note")
        ui.waitFor("What did you play? Press its key above.")
        if (before == 0) screenshot("8-correction")
        ui.press("G♯4")
        await { message().run { contains("The moment is ready") || contains("The moment was not recorded") } }
        if ("not recorded" in message()) {
            check(tries > 1) { message() }
            return wrongNoteIsReported(tries - 1)
        }
        await { etude.review.state.value.clips.size == before + 1 }
    }

    private fun thirdMomentIsDiscarded() {
        wrongNoteIsReported()
        ui.press("Stop listening")
        ui.press("Review")
        ui.press("Discard")
        ui.waitFor("Discarded and erased.")
        await { etude.review.state.value.clips.size == 2 }
    }

    private fun clipsAreReviewed() {
        assertEquals(emptySet<String>(), demo.storedSamples())
        ui.press("Play")
        ui.waitFor("Stop")
        await { etude.review.state.value.progress >= 0.3f }
        screenshot("9-review")
        ui.press("Stop")
        ui.waitFor("Play")
        for (left in 1 downTo 0) {
            ui.press("Accept")
            await { etude.review.state.value.clips.size == left }
            ui.waitFor("Accepted.")
        }
        ui.waitFor("Nothing to review")
    }

    private fun samplesAreSent() {
        ui.press("Samples")
        ui.press("Send now (2 waiting)")
        ui.waitFor("Done: sent 2 moments.")
        assertEquals(2, demo.storedSamples().size)
        demo.pull(folder.resolve("dataset"))
        ui.press("Who opened it?")
        ui.waitFor("Opened by “quality team”")
        screenshot("10-samples")
        ui.press("Save all my data")
        ui.waitFor("Saved: ")
        assertEquals("PK", saved.resolve("my-data.zip").readBytes().decodeToString(0, 2))
    }

    private fun oneIsDeleted() {
        ui.press("Delete")
        ui.waitFor("Deletion requested")
        ui.press("Send now")
        ui.waitFor("Deleted everywhere")
        assertEquals(1, demo.storedSamples().size)
        ui.press("Delete all …")
        ui.waitFor("Delete all samples?")
        screenshot("11-delete-all")
        ui.press("Keep them")
        assertEquals(1, demo.storedSamples().size)
    }

    private fun consentIsWithdrawn() {
        ui.press("Withdraw")
        screenshot("12-withdrawal")
        ui.press("Only recognition research")
        ui.waitFor("Consent withdrawn.")
        ui.press("All uses")
        ui.waitFor("Deletion requested")
        screenshot("13-withdrawn")
        ui.press("Request now")
        ui.waitFor("confirmed")
        await { !ui.sees("Deletion requested") }
        assertEquals(emptySet<String>(), demo.storedSamples())
        screenshot("14-deleted")
        ui.press("Practice")
        ui.waitFor("Nothing is recorded: you withdrew your consent.")
        // The width of a phone.
        SwingUtilities.invokeAndWait { window.setSize(420, window.height) }
        Thread.sleep(1_000)
        screenshot("15-narrow")
        ui.press("Consent")
        screenshot("16-narrow-consent")
    }

    private fun message() = etude.practice.message.value.orEmpty()

    /** Waits until a note sounds and some have been shown. */
    private fun awaitNote() = await { etude.practice.state.value.run { sounding != null && recent.size >= 4 } }

    private fun await(condition: () -> Boolean) {
        val deadline = System.nanoTime() + UiDriver.TIMEOUT_NANOS
        while (!condition()) {
            check(System.nanoTime() < deadline) { "timeout; visible: ${ui.visibleNames()}" }
            Thread.sleep(5)
        }
    }

    private fun screenshot(name: String) {
        Thread.sleep(200)
        val image = Robot().createScreenCapture(Rectangle(window.bounds))
        SCREENS.mkdirs()
        assertTrue(ImageIO.write(image, "png", SCREENS.resolve("$name.png")))
    }

    private companion object {
        val ROOT: File = File(System.getProperty("sordino.root")).canonicalFile
        val PLAN = ROOT.resolve("samples/plan.toml")
        val RECORDING = ROOT.resolve("samples/audio/flute-alone.wav")
        val SCREENS = ROOT.resolve("samples/desktop/target/screens")

        /** The part of a moment before its mark. */
        const val PRACTICE_MILLIS = 8_000L
    }
}
