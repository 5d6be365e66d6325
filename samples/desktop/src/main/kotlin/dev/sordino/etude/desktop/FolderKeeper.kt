package dev.sordino.etude.desktop

import dev.sordino.etude.Keeper
import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** Keeps the person's documents in a folder. */
class FolderKeeper(private val folder: File) : Keeper {
    override suspend fun keep(name: String, content: ByteArray): String = withContext(Dispatchers.IO) {
        folder.mkdirs()
        folder.resolve(name).apply { writeBytes(content) }.path
    }
}
