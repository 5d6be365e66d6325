package dev.sordino

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native

/**
 * Keeps the engine's threads attached to the JVM between their calls of listeners. JNA otherwise attaches and detaches
 * them a hundred times a second, which costs more than the rest of the call. They are daemon threads and do not keep
 * a program alive.
 */
internal fun keepCallbackThreadsAttached(): Unit = attached

private val attached: Unit by lazy {
    val attachment = CallbackThreadInitializer(true, false, "sordino")
    Native.setCallbackThreadInitializer(uniffiCallbackInterfaceFrameListener.onFrame, attachment)
}
