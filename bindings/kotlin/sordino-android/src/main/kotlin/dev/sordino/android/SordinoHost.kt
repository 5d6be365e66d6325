package dev.sordino.android

import android.content.Context
import dev.sordino.Sordino
import java.io.File

/**
 * An app with a [Sordino]. Its `Application` class implements this interface, so that an upload finds the engine when the
 * system starts the app only for the upload:
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
    /** The app's only `Sordino`, opened on first use. It may be read from any thread. */
    val sordino: Sordino

    companion object {
        /**
         * The state folder: in the folder of the app that the system neither backs up nor moves to another device, so that
         * an earlier state of consent is never restored.
         */
        fun stateFolder(context: Context): File = File(context.noBackupFilesDir, "sordino")

        /**
         * The app that [context] belongs to.
         *
         * @throws IllegalStateException if its `Application` does not implement `SordinoHost`.
         */
        fun of(context: Context): SordinoHost {
            val application = context.applicationContext
            return application as? SordinoHost ?: error(missingHost(application))
        }

        internal fun missingHost(application: Context): String =
            "${application.javaClass.name} does not implement SordinoHost; implement it in the app's Application class"
    }
}
