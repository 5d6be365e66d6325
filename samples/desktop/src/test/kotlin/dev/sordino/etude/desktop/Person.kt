package dev.sordino.etude.desktop

import java.awt.Point
import java.awt.Rectangle
import java.awt.Robot
import java.awt.Window
import java.awt.event.InputEvent
import java.awt.event.KeyEvent
import javax.accessibility.Accessible
import javax.swing.SwingUtilities

/** Somebody at the app's window, who finds things by what a screen reader says of them, and presses with the mouse. */
internal class Person(private val window: Window) {
    private val robot = Robot().apply { autoDelay = 30 }

    /** Whether something is in view that has [words] in its name. */
    fun sees(words: String): Boolean = all().any { words in it.name }

    fun waitFor(words: String) {
        val until = System.nanoTime() + NANOS_OF_PATIENCE
        while (!sees(words)) {
            check(System.nanoTime() < until) { "“$words” did not come; in view: ${namesInView()}" }
            Thread.sleep(PAUSE)
        }
    }

    /** Presses what is named exactly [name], as soon as it is there; scrolls down to it. */
    fun press(name: String) {
        waitFor(name)
        repeat(SCROLLS) {
            val place = settledPlace(name)
            if (place != null && window.bounds.contains(place.center)) {
                robot.mouseMove(place.center.x, place.center.y)
                robot.mousePress(InputEvent.BUTTON1_DOWN_MASK)
                robot.mouseRelease(InputEvent.BUTTON1_DOWN_MASK)
                Thread.sleep(SETTLING)
                return
            }
            scroll(3)
        }
        error("“$name” cannot be scrolled into view")
    }

    fun type(text: String) {
        for (letter in text) {
            val key = KeyEvent.getExtendedKeyCodeForChar(letter.code)
            robot.keyPress(key)
            robot.keyRelease(key)
        }
        Thread.sleep(SETTLING)
    }

    fun strike(key: Int) {
        robot.keyPress(key)
        robot.keyRelease(key)
        Thread.sleep(SETTLING)
    }

    /** Turns the wheel over the content, down for positive [clicks]. */
    fun scroll(clicks: Int) {
        robot.mouseMove(window.x + window.width - MARGIN, window.y + window.height / 2)
        robot.mouseWheel(clicks)
        Thread.sleep(SETTLING)
    }

    fun namesInView(): List<String> = all().map { it.name }

    private fun place(name: String): Rectangle? = all().firstOrNull { it.name == name }?.bounds

    /** Where it is once it no longer moves. */
    private fun settledPlace(name: String): Rectangle? {
        var before: Rectangle? = null
        while (true) {
            val now = place(name)
            if (now == before) return now
            before = now
            Thread.sleep(SETTLING)
        }
    }

    private val Rectangle.center get() = Point(centerX.toInt(), centerY.toInt())

    /** All that has a name. The tree may be walked by the thread only that draws it. */
    private fun all(): List<Thing> {
        val things = mutableListOf<Thing>()
        SwingUtilities.invokeAndWait { things.gather(window as Accessible) }
        return things
    }

    private fun MutableList<Thing>.gather(node: Accessible) {
        val context = node.accessibleContext ?: return
        // Text has its words for a name; what has none, a key of the piano say, has a description.
        val name = context.accessibleName?.takeIf { it.isNotBlank() } ?: context.accessibleDescription
        val shown = context.accessibleComponent
        if (!name.isNullOrBlank() && shown != null && shown.isShowing) {
            add(Thing(name, Rectangle(shown.locationOnScreen, shown.size)))
        }
        for (index in 0 until context.accessibleChildrenCount) context.getAccessibleChild(index)?.let { gather(it) }
    }

    private class Thing(val name: String, val bounds: Rectangle)

    companion object {
        /** How long anything is waited for: a deadlock is a failure, not a hang. No machine is as slow as that. */
        const val NANOS_OF_PATIENCE = 600_000_000_000L
        private const val PAUSE = 50L
        private const val SETTLING = 350L
        private const val SCROLLS = 20
        private const val MARGIN = 20
    }
}
