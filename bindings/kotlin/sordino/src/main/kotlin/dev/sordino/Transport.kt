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

/** Sends requests to the collector. */
fun interface Transport {
    /**
     * Sends one request unchanged and returns the result. It does not follow redirects, because the signature covers the
     * host, and it adds no cookies and no header that names the app, the device or a locale.
     *
     * An exception ends the upload. For a network failure return [UploadResult.Unreachable] instead.
     */
    suspend fun send(request: Request): UploadResult
}

/**
 * Sends requests with the platform's `HttpURLConnection`, on the JVM and Android. If canceled, it aborts the connection
 * and returns immediately.
 *
 * It refuses to send a request if the app's `CookieHandler` would add cookies, because they could identify the person.
 * Use a separate host for the collector.
 *
 * @param connectMillis the connect timeout, in milliseconds.
 * @param readMillis the timeout for the next bytes of a response, in milliseconds.
 */
class UrlConnectionTransport(
    private val connectMillis: Int = 15_000,
    private val readMillis: Int = 30_000,
) : Transport {
    override suspend fun send(request: Request): UploadResult = suspendCancellableCoroutine { continuation ->
        val current = AtomicReference<HttpURLConnection?>()
        continuation.invokeOnCancellation { current.get()?.disconnect() }
        Dispatchers.IO.asExecutor().execute {
            val result = try {
                val connection = connect(request)
                current.set(connection)
                // An earlier cancellation found no connection to abort.
                if (continuation.isActive) exchange(connection, request.body) else null
            } catch (failure: IOException) {
                UploadResult.Unreachable(oneLine(failure))
            } catch (refused: RuntimeException) {
                // On Android, for example a policy against cleartext traffic, or a missing permission.
                UploadResult.Unreachable(oneLine(refused))
            } finally {
                current.get()?.disconnect()
            }
            result?.let { continuation.resume(it) }
        }
    }

    private fun connect(request: Request): HttpURLConnection {
        val url = URL(request.url)
        val cookies = CookieHandler.getDefault()?.get(url.toURI(), emptyMap()).orEmpty()
        if (cookies.values.any { it.isNotEmpty() }) {
            throw IOException("the app's cookies would be sent to ${url.host}; use a separate host for the collector")
        }
        val connection = url.openConnection() as HttpURLConnection
        connection.requestMethod = request.method
        connection.connectTimeout = connectMillis
        connection.readTimeout = readMillis
        connection.instanceFollowRedirects = false
        connection.useCaches = false
        // The default names the device's model, its system and the version of Java.
        connection.setRequestProperty("User-Agent", "")
        connection.setRequestProperty("Accept", "*/*")
        connection.setRequestProperty("Accept-Encoding", "identity")
        for (header in request.headers) connection.setRequestProperty(header.name, header.value)
        return connection
    }

    private fun exchange(connection: HttpURLConnection, body: RequestBody): UploadResult {
        when (body) {
            is RequestBody.Empty -> if (connection.requestMethod == "PUT") send(connection, 0, ByteArray(0).inputStream())
            is RequestBody.Document -> send(connection, body.content.size.toLong(), body.content.inputStream())
            is RequestBody.File -> File(body.path).let { send(connection, it.length(), it.inputStream()) }
        }
        val status = connection.responseCode
        val headers = connection.headerFields.flatMap { (name, values) ->
            if (name == null) emptyList() else values.map { Header(name, it) }
        }
        val response = if (status >= 400) connection.errorStream else connection.inputStream
        val content = response?.use { it.readAtMost(MAX_RESPONSE_BYTES) } ?: ByteArray(0)
        return UploadResult.Response(HttpResponse(status.toUShort(), headers, content))
    }

    private fun send(connection: HttpURLConnection, length: Long, body: InputStream) = body.use {
        connection.doOutput = true
        connection.setFixedLengthStreamingMode(length)
        connection.outputStream.use { out -> body.copyTo(out) }
    }

    private companion object {
        /** The part of a response that is read; the engine needs no more. */
        const val MAX_RESPONSE_BYTES = 1 shl 20
    }
}

private fun InputStream.readAtMost(limit: Int): ByteArray {
    val bytes = ByteArray(limit)
    var length = 0
    while (length < limit) {
        val read = read(bytes, length, limit - length)
        if (read < 0) break
        length += read
    }
    return bytes.copyOf(length)
}

private fun oneLine(failure: Exception): String =
    "${failure.javaClass.simpleName}: ${failure.message.orEmpty().lineSequence().first()}"
