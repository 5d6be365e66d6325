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
 * The practice app with a demo organization and a collector on this machine.
 *
 * @param arguments the folder for all data, the folder of Sordino's programs, and the example plan.
 */
fun main(arguments: Array<String>) {
    if (arguments.size != 3) fail("usage: FOLDER PROGRAMS PLAN.toml; run cargo xtask samples run, which passes them")
    val (folder, programs, plan) = arguments.map(::File)
    Demo(folder.resolve("organization"), programs, plan).use { demo ->
        println("the collector listens on ${demo.collectorUrl}; all data is in $folder")
        val setup = Setup(folder.resolve("state"), demo.organizationKey, demo.collectorUrl, demo.plan)
        try {
            runBlocking { Etude.open(setup, FolderDocumentStore(folder.resolve("saved")), JavaAudioOutput()) }.use(::show)
        } catch (problem: SordinoException) {
            fail(problem.message)
        }
    }
    // AWT's thread is not a daemon and would keep the program alive.
    exitProcess(0)
}

/** Shows the window until the person closes it. */
internal fun show(etude: Etude, position: WindowPosition = WindowPosition.PlatformDefault) = application(exitProcessOnExit = false) {
    val state = rememberWindowState(position = position, size = DpSize(WIDTH.dp, HEIGHT.dp))
    Window(onCloseRequest = ::exitApplication, state = state, title = "Etude") { EtudeApp(etude) }
}

private fun fail(problem: String?): Nothing {
    System.err.println(problem)
    exitProcess(1)
}

private const val WIDTH = 1080
private const val HEIGHT = 760
