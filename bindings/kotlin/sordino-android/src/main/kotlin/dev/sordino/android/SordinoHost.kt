package dev.sordino.android

import android.content.Context
import dev.sordino.Sordino
import java.io.File

/**
 * The app that has a [Sordino]. Its `Application` class implements this, so that an upload finds it when the system
 * starts the app for nothing else:
 *
 * ```kotlin
 * class EtudeApplication : Application(), SordinoHost {
 *     override val sordino by lazy {
 *         Sordino.open(SordinoHost.stateFolder(this), ORGANIZATION_KEY, "https://collector.example")
 *     }
 * }
 * ```
 */
interface SordinoHost {
    /** The one of this app, opened when it is first asked for. It may be asked for on any thread. */
    val sordino: Sordino

    companion object {
        /**
         * Where the state lives: in the app's folder that the system neither backs up nor moves to another device, so
         * that no earlier state of consent comes back.
         */
        fun stateFolder(context: Context): File = File(context.noBackupFilesDir, "sordino")

        /**
         * The app that [context] belongs to.
         *
         * @throws IllegalStateException where its `Application` is no `SordinoHost`.
         */
        fun of(context: Context): SordinoHost {
            val application = context.applicationContext
            return application as? SordinoHost
                ?: error("${application.javaClass.name} is no SordinoHost; let the app's Application class be one")
        }
    }
}
