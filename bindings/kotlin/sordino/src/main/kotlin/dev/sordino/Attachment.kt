package dev.sordino

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native

/**
 * Leaves the engine's threads attached to the JVM between their calls of listeners. JNA would attach and detach them a
 * hundred times a second, which costs more than all the rest. They are daemons: they keep no program from ending.
 */
internal fun keepListenersAttached(): Unit = attached

private val attached: Unit by lazy {
    val attachment = CallbackThreadInitializer(true, false, "sordino")
    Native.setCallbackThreadInitializer(uniffiCallbackInterfaceFrameListener.onFrame, attachment)
}
