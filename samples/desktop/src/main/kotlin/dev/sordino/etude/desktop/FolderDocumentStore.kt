package dev.sordino.etude.desktop

import dev.sordino.etude.DocumentStore
import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** Saves the person's documents in a folder. */
class FolderDocumentStore(private val folder: File) : DocumentStore {
    override suspend fun save(name: String, content: ByteArray): String = withContext(Dispatchers.IO) {
        folder.mkdirs()
        folder.resolve(name).apply { writeBytes(content) }.path
    }
}
