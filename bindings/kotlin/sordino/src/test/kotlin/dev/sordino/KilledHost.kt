package dev.sordino

import java.io.File
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking

/** A host that is killed, or with a third argument exits, while it processes a frame. */
internal fun main(arguments: Array<String>) = runBlocking {
    val sordino = Sordino.open(File(arguments[0]), arguments[1], UNREACHABLE_URL)
    sordino.frames(RATE) { writer -> while (true) { writer.push(FloatArray(FRAME_SIZE)); delay(10) } }.collect {
        if (arguments.size > 2) kotlin.system.exitProcess(0)
        ProcessHandle.current().pid().let { Runtime.getRuntime().exec(arrayOf("kill", "-9", "$it")) }
        Thread.sleep(Long.MAX_VALUE)
    }
}
