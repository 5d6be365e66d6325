package dev.sordino.etude.desktop

import java.awt.Point
import java.awt.Rectangle
import java.awt.Robot
import java.awt.Window
import java.awt.event.InputEvent
import java.awt.event.KeyEvent
import javax.accessibility.Accessible
import javax.swing.SwingUtilities

/** Drives the app's window with mouse and keyboard, and finds elements by their accessible names. */
internal class UiDriver(private val window: Window) {
    private val robot = Robot().apply { autoDelay = 30 }

    /** Whether an element is visible whose name contains [text]. */
    fun sees(text: String): Boolean = elements().any { text in it.name }

    fun waitFor(text: String) {
        val deadline = System.nanoTime() + TIMEOUT_NANOS
        while (!sees(text)) {
            check(System.nanoTime() < deadline) { "timeout waiting for “$text”; visible: ${visibleNames()}" }
            Thread.sleep(POLL_MILLIS)
        }
    }

    /** Presses the element with this [name], or whose name begins with it and a colon, once it exists; scrolls down to it. */
    fun press(name: String) {
        waitFor(name)
        repeat(MAX_SCROLLS) {
            val bounds = settledBounds(name)
            if (bounds != null && window.bounds.contains(bounds.center)) {
                robot.mouseMove(bounds.center.x, bounds.center.y)
                robot.mousePress(InputEvent.BUTTON1_DOWN_MASK)
                robot.mouseRelease(InputEvent.BUTTON1_DOWN_MASK)
                Thread.sleep(SETTLING_MILLIS)
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
        Thread.sleep(SETTLING_MILLIS)
    }

    fun pressKey(key: Int) {
        robot.keyPress(key)
        robot.keyRelease(key)
        Thread.sleep(SETTLING_MILLIS)
    }

    /** Turns the wheel over the content, down for positive [clicks]. */
    fun scroll(clicks: Int) {
        robot.mouseMove(window.x + window.width - MARGIN, window.y + window.height / 2)
        robot.mouseWheel(clicks)
        Thread.sleep(SETTLING_MILLIS)
    }

    fun visibleNames(): List<String> = elements().map { it.name }

    private fun bounds(name: String): Rectangle? = elements().firstOrNull { it.name == name || it.name.startsWith("$name:") }?.bounds

    /** The bounds once the element no longer moves. */
    private fun settledBounds(name: String): Rectangle? {
        var previous: Rectangle? = null
        while (true) {
            val current = bounds(name)
            if (current == previous) return current
            previous = current
            Thread.sleep(SETTLING_MILLIS)
        }
    }

    private val Rectangle.center get() = Point(centerX.toInt(), centerY.toInt())

    /** All elements with a name. Only the UI thread may read the accessibility tree. */
    private fun elements(): List<Element> {
        val elements = mutableListOf<Element>()
        SwingUtilities.invokeAndWait { elements.collect(window as Accessible) }
        return elements
    }

    private fun MutableList<Element>.collect(node: Accessible) {
        val context = node.accessibleContext ?: return
        // Text is its own name; elements without text, such as piano keys, have a description.
        val name = context.accessibleName?.takeIf { it.isNotBlank() } ?: context.accessibleDescription
        val shown = context.accessibleComponent
        if (!name.isNullOrBlank() && shown != null && shown.isShowing) {
            add(Element(name, Rectangle(shown.locationOnScreen, shown.size)))
        }
        for (index in 0 until context.accessibleChildrenCount) context.getAccessibleChild(index)?.let { collect(it) }
    }

    private class Element(val name: String, val bounds: Rectangle)

    companion object {
        /** The longest time to wait, so that a deadlock fails instead of hanging. */
        const val TIMEOUT_NANOS = 600_000_000_000L
        private const val POLL_MILLIS = 50L
        private const val SETTLING_MILLIS = 350L
        private const val MAX_SCROLLS = 20
        private const val MARGIN = 20
    }
}
