package dev.sordino

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.io.File
import java.net.CookieHandler
import java.net.CookieManager
import java.net.HttpCookie
import java.net.InetSocketAddress
import java.net.URI
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Requests on the wire, and network failures. */
internal class TransportTest(@TempDir private val folder: File) {
    private var respond: (HttpExchange) -> Unit = { it.respond(200) }
    private val threads = Executors.newCachedThreadPool()
    private val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0).apply {
        executor = threads
        createContext("/") { exchange -> exchange.use { respond(it) } }
        start()
    }
    private val url = "http://127.0.0.1:${server.address.port}/"
    private val transport = UrlConnectionTransport()

    @AfterEach
    fun stop() {
        server.stop(0)
        threads.shutdownNow()
        CookieHandler.setDefault(null)
    }

    @Test
    fun `a request is sent unchanged, without app or device headers`() = runTest {
        val content = folder.resolve("sample").apply { writeBytes(ByteArray(100_000) { it.toByte() }) }
        var method = ""
        var body = ByteArray(0)
        val headers = mutableMapOf<String, String>()
        respond = {
            method = it.requestMethod
            body = it.requestBody.readBytes()
            it.requestHeaders.forEach { (name, values) -> headers[name.lowercase()] = values.single() }
            it.respond(201, "made")
        }
        val request = request("PUT", RequestBody.File(content.path), Header("content-digest", "sha-256=:abc:"))
        val response = (transport.send(request) as UploadResult.Response).response
        assertEquals(201.toUShort() to "made", response.status to response.body.decodeToString())
        assertEquals("PUT" to "sha-256=:abc:", method to headers["content-digest"])
        assertArrayEquals(content.readBytes(), body)
        val known = setOf(
            "content-digest", "content-length", "content-type", "host", "connection", "accept", "accept-encoding",
            "user-agent", "cache-control", "pragma",
        )
        assertTrue(known.containsAll(headers.keys), "$headers")
        assertEquals("", headers["user-agent"].orEmpty())
        // The platform's default content type is the same on every device.
        assertTrue(headers["content-type"] in setOf(null, "application/x-www-form-urlencoded"), "$headers")
    }

    @Test
    fun `a refusal is a response, and a redirect is not followed`() = runTest {
        respond = { it.respond(410, "gone") }
        assertEquals(410.toUShort(), (transport.send(request("DELETE")) as UploadResult.Response).response.status)
        var requests = 0
        respond = {
            requests++
            it.responseHeaders.add("Location", url + "elsewhere")
            it.respond(302)
        }
        assertEquals(302.toUShort(), (transport.send(request("GET")) as UploadResult.Response).response.status)
        assertEquals(1, requests)
    }

    @Test
    fun `at most one MiB of a response is read`() = runTest {
        respond = { it.respond(200, "a".repeat(2_000_000)) }
        assertEquals(1 shl 20, (transport.send(request("GET")) as UploadResult.Response).response.body.size)
    }

    @Test
    fun `the app's cookies are never sent`() = runTest {
        val cookies = CookieManager()
        cookies.cookieStore.add(URI(url), HttpCookie("session", "somebody").apply { path = "/" })
        CookieHandler.setDefault(cookies)
        var requests = 0
        respond = { requests++; it.respond(200) }
        val result = transport.send(request("GET"))
        assertTrue(result is UploadResult.Unreachable && "cookies" in result.reason, "$result")
        assertEquals(0, requests)
    }

    @Test
    fun `canceling a request aborts its connection`() = runTest {
        val isRequested = CountDownLatch(1)
        val forever = CountDownLatch(1)
        respond = { isRequested.countDown(); forever.await() }
        val transport = UrlConnectionTransport(readMillis = 2 * TIMEOUT.inWholeMilliseconds.toInt())
        val sending = async(kotlinx.coroutines.Dispatchers.Default) { transport.send(request("GET")) }
        kotlinx.coroutines.runInterruptible(kotlinx.coroutines.Dispatchers.IO) { isRequested.await() }
        // There is no response, and its timeout is longer than that of the test.
        try { sending.cancelAndJoin() } finally { forever.countDown() }
    }

    @Test
    fun `network failures and missing files are one line each`() = runTest {
        respond = { it.responseBody.close() }
        val isDone = CountDownLatch(1)
        val results = listOf(
            transport.send(request("GET").copy(url = "$UNREACHABLE_URL/")),
            transport.send(request("PUT", RequestBody.File(folder.resolve("missing").path))),
            transport.send(request("GET").copy(url = "http://no.such.host.invalid/")),
            UrlConnectionTransport(readMillis = 100).also { respond = { isDone.await() } }.send(request("GET")),
        )
        isDone.countDown()
        for (result in results) {
            assertTrue(result is UploadResult.Unreachable && result.reason.isNotEmpty() && '\n' !in result.reason, "$result")
        }
    }

    @Test
    fun `every task is processed, also without a collector`() = runTest {
        for (continueIfUnreachable in listOf(false, true)) {
            val due = ArrayDeque(listOf("plan@a", "register@a", "delete@b"))
            val tasks = mutableListOf<UploadTask>()
            val processed = mutableListOf<UploadTask>()
            val summary = sendAll(
                { UploadResult.Unreachable("no network") },
                { due.removeFirstOrNull()?.let { task -> request("PUT").copy(task = task).also { tasks += task } } },
                { task, _ -> TaskStatus.Retry("no network").also { processed += task } },
                continueIfUnreachable,
            )
            assertEquals(tasks, processed)
            assertEquals(if (continueIfUnreachable) 3 else 1, summary.failed)
        }
    }

    private fun request(method: String, body: RequestBody = RequestBody.Empty, vararg headers: Header) =
        Request("plan", kind = null, urgent = false, method, url, headers.toList(), body)

    private fun HttpExchange.respond(status: Int, body: String = "") {
        sendResponseHeaders(status, if (body.isEmpty()) -1 else body.length.toLong())
        runCatching { responseBody.write(body.toByteArray()) }
    }
}
