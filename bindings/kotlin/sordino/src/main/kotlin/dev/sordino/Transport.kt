package dev.sordino

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.net.CookieHandler
import java.net.HttpURLConnection
import java.net.URL
import java.util.concurrent.atomic.AtomicReference
import kotlin.coroutines.resume
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.suspendCancellableCoroutine

/** Sends requests. */
fun interface Transport {
    /**
     * Sends one request as it is, without following redirects (the signature names the host), and tells what came of
     * it. It adds nothing that names the app, the device or a locale, and no cookies.
     *
     * What it throws ends the upload with that; for a network that fails, return [Outcome.Unreachable].
     */
    suspend fun send(request: Request): Outcome
}

/**
 * Sends requests by the platform's own `HttpURLConnection`, on JVM and Android. Cancelled, it breaks the connection and
 * comes back at once.
 *
 * It sends nothing where the app's `CookieHandler` would put cookies into the request: they name the person. Let the
 * collector have a host of its own.
 *
 * @param connectMillis how long to wait for a connection, in milliseconds.
 * @param readMillis how long to wait for the next bytes of an answer, in milliseconds.
 */
class UrlConnectionTransport(
    private val connectMillis: Int = 15_000,
    private val readMillis: Int = 30_000,
) : Transport {
    override suspend fun send(request: Request): Outcome = suspendCancellableCoroutine { waiting ->
        val underWay = AtomicReference<HttpURLConnection?>()
        waiting.invokeOnCancellation { underWay.get()?.disconnect() }
        Dispatchers.IO.asExecutor().execute {
            val outcome = try {
                val connection = connect(request)
                underWay.set(connection)
                // A cancellation that came before found nothing to break.
                if (waiting.isActive) exchange(connection, request.body) else null
            } catch (failure: IOException) {
                Outcome.Unreachable(oneLine(failure))
            } catch (refused: RuntimeException) {
                // On Android a policy against clear text, or a missing permission.
                Outcome.Unreachable(oneLine(refused))
            } finally {
                underWay.get()?.disconnect()
            }
            outcome?.let { waiting.resume(it) }
        }
    }

    private fun connect(request: Request): HttpURLConnection {
        val url = URL(request.url)
        val cookies = CookieHandler.getDefault()?.get(url.toURI(), emptyMap()).orEmpty()
        if (cookies.values.any { it.isNotEmpty() }) {
            throw IOException("the app's cookies would go along to ${url.host}; give the collector a host of its own")
        }
        val connection = url.openConnection() as HttpURLConnection
        connection.requestMethod = request.method
        connection.connectTimeout = connectMillis
        connection.readTimeout = readMillis
        connection.instanceFollowRedirects = false
        connection.useCaches = false
        // What stands there of itself names the device's model, its system and the version of Java.
        connection.setRequestProperty("User-Agent", "")
        connection.setRequestProperty("Accept", "*/*")
        connection.setRequestProperty("Accept-Encoding", "identity")
        for (header in request.headers) connection.setRequestProperty(header.name, header.value)
        return connection
    }

    private fun exchange(connection: HttpURLConnection, body: RequestBody): Outcome {
        when (body) {
            is RequestBody.Empty -> if (connection.requestMethod == "PUT") send(connection, 0, ByteArray(0).inputStream())
            is RequestBody.Document -> send(connection, body.content.size.toLong(), body.content.inputStream())
            is RequestBody.File -> File(body.path).let { send(connection, it.length(), it.inputStream()) }
        }
        val status = connection.responseCode
        val headers = connection.headerFields.flatMap { (name, values) ->
            if (name == null) emptyList() else values.map { Header(name, it) }
        }
        val answer = if (status >= 400) connection.errorStream else connection.inputStream
        val content = answer?.use { it.readFirst(MOST_ANSWER) } ?: ByteArray(0)
        return Outcome.Answered(status.toUShort(), headers, content)
    }

    private fun send(connection: HttpURLConnection, length: Long, body: InputStream) = body.use {
        connection.doOutput = true
        connection.setFixedLengthStreamingMode(length)
        connection.outputStream.use { out -> body.copyTo(out) }
    }

    private companion object {
        /** Bytes of an answer that are read; the engine needs no more. */
        const val MOST_ANSWER = 1 shl 20
    }
}

private fun InputStream.readFirst(most: Int): ByteArray {
    val bytes = ByteArray(most)
    var length = 0
    while (length < most) {
        val read = read(bytes, length, most - length)
        if (read < 0) break
        length += read
    }
    return bytes.copyOf(length)
}

private fun oneLine(failure: Exception): String =
    "${failure.javaClass.simpleName}: ${failure.message.orEmpty().lineSequence().first()}"
