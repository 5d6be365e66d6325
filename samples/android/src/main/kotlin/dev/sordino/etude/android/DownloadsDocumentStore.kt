package dev.sordino.etude.android

import android.content.Context
import android.os.Environment
import dev.sordino.etude.DocumentStore
import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** Saves documents in the app's downloads folder, which needs no permission and is deleted with the app. */
class DownloadsDocumentStore(private val context: Context) : DocumentStore {
    override suspend fun save(name: String, content: ByteArray): String = withContext(Dispatchers.IO) {
        val folder = context.getExternalFilesDir(Environment.DIRECTORY_DOWNLOADS) ?: context.filesDir
        File(folder, name).apply { writeBytes(content) }.path
    }
}
