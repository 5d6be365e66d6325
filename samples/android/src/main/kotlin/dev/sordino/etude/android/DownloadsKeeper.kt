package dev.sordino.etude.android

import android.content.Context
import android.os.Environment
import dev.sordino.etude.Keeper
import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** Keeps documents in the app's own folder of downloads, which needs no permission and goes with the app. */
class DownloadsKeeper(private val context: Context) : Keeper {
    override suspend fun keep(name: String, content: ByteArray): String = withContext(Dispatchers.IO) {
        val folder = context.getExternalFilesDir(Environment.DIRECTORY_DOWNLOADS) ?: context.filesDir
        File(folder, name).apply { writeBytes(content) }.path
    }
}
