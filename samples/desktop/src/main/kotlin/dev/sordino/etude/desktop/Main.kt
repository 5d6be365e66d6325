package dev.sordino.etude.desktop

import androidx.compose.ui.unit.DpSize
import androidx.compose.ui.unit.dp
import androidx.compose.ui.window.Window
import androidx.compose.ui.window.WindowPosition
import androidx.compose.ui.window.application
import androidx.compose.ui.window.rememberWindowState
import dev.sordino.SordinoException
import dev.sordino.demo.Demo
import dev.sordino.etude.Etude
import dev.sordino.etude.Setup
import dev.sordino.etude.screens.EtudeApp
import java.io.File
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking

/**
 * The practice app with an organization and a collector of its own on this machine.
 *
 * @param arguments the folder where all of it is kept, the folder of Sordino's programs, and the example plan.
 */
fun main(arguments: Array<String>) {
    if (arguments.size != 3) fail("usage: FOLDER PROGRAMS PLAN.toml; samples/desktop/run gives them")
    val (folder, programs, plan) = arguments.map(::File)
    Demo(folder.resolve("organization"), programs, plan).use { demo ->
        println("the collector is at ${demo.collectorUrl}; all is kept in $folder")
        val setup = Setup(folder.resolve("state"), demo.organizationKey, demo.collectorUrl, demo.plan)
        try {
            runBlocking { Etude.open(setup, FolderKeeper(folder.resolve("saved")), Loudspeaker()) }.use(::show)
        } catch (problem: SordinoException) {
            fail(problem.message)
        }
    }
    // Skia's and the engine's threads are daemons, AWT's is not.
    exitProcess(0)
}

/** Shows the window until the person closes it. */
internal fun show(etude: Etude, at: WindowPosition = WindowPosition.PlatformDefault) = application(exitProcessOnExit = false) {
    val state = rememberWindowState(position = at, size = DpSize(WIDTH.dp, HEIGHT.dp))
    Window(onCloseRequest = ::exitApplication, state = state, title = "Etude") { EtudeApp(etude) }
}

private fun fail(problem: String?): Nothing {
    System.err.println(problem)
    exitProcess(1)
}

private const val WIDTH = 1080
private const val HEIGHT = 760
