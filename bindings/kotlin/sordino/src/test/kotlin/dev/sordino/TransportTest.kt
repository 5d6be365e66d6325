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

/** What goes over the wire, and what comes of a network that fails. */
internal class TransportTest(@TempDir private val folder: File) {
    private var answer: (HttpExchange) -> Unit = { it.answer(200) }
    private val threads = Executors.newCachedThreadPool()
    private val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0).apply {
        executor = threads
        createContext("/") { exchange -> exchange.use { answer(it) } }
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
    fun `a request goes as it is, and says nothing of the app or the device`() = patiently {
        val content = folder.resolve("sample").apply { writeBytes(ByteArray(100_000) { it.toByte() }) }
        var method = ""
        var body = ByteArray(0)
        val headers = mutableMapOf<String, String>()
        answer = {
            method = it.requestMethod
            body = it.requestBody.readBytes()
            it.requestHeaders.forEach { (name, values) -> headers[name.lowercase()] = values.single() }
            it.answer(201, "made")
        }
        val request = request("PUT", RequestBody.File(content.path), Header("content-digest", "sha-256=:abc:"))
        val outcome = transport.send(request) as Outcome.Answered
        assertEquals(201.toUShort() to "made", outcome.status to outcome.body.decodeToString())
        assertEquals("PUT" to "sha-256=:abc:", method to headers["content-digest"])
        assertArrayEquals(content.readBytes(), body)
        val known = setOf(
            "content-digest", "content-length", "content-type", "host", "connection", "accept", "accept-encoding",
            "user-agent", "cache-control", "pragma",
        )
        assertTrue(known.containsAll(headers.keys), "$headers")
        assertEquals("", headers["user-agent"].orEmpty())
        // What the platform sets of itself for a body without one is the same for everybody.
        assertTrue(headers["content-type"] in setOf(null, "application/x-www-form-urlencoded"), "$headers")
    }

    @Test
    fun `a refusal is an answer, and a redirect is not followed`() = patiently {
        answer = { it.answer(410, "gone") }
        assertEquals(410.toUShort(), (transport.send(request("DELETE")) as Outcome.Answered).status)
        var asked = 0
        answer = {
            asked++
            it.responseHeaders.add("Location", url + "elsewhere")
            it.answer(302)
        }
        assertEquals(302.toUShort(), (transport.send(request("GET")) as Outcome.Answered).status)
        assertEquals(1, asked)
    }

    @Test
    fun `of a long answer one MiB is read`() = patiently {
        answer = { it.answer(200, "a".repeat(2_000_000)) }
        assertEquals(1 shl 20, (transport.send(request("GET")) as Outcome.Answered).body.size)
    }

    @Test
    fun `cookies of the app are never sent along`() = patiently {
        val cookies = CookieManager()
        cookies.cookieStore.add(URI(url), HttpCookie("who", "somebody").apply { path = "/" })
        CookieHandler.setDefault(cookies)
        var asked = 0
        answer = { asked++; it.answer(200) }
        val outcome = transport.send(request("GET"))
        assertTrue(outcome is Outcome.Unreachable && "cookies" in outcome.reason, "$outcome")
        assertEquals(0, asked)
    }

    @Test
    fun `a cancelled request comes back at once and breaks its connection`() = patiently {
        val isAsked = CountDownLatch(1)
        val forever = CountDownLatch(1)
        answer = { isAsked.countDown(); forever.await() }
        val patient = UrlConnectionTransport(readMillis = 2 * PATIENCE.inWholeMilliseconds.toInt())
        val sending = async(kotlinx.coroutines.Dispatchers.Default) { patient.send(request("GET")) }
        kotlinx.coroutines.runInterruptible(kotlinx.coroutines.Dispatchers.IO) { isAsked.await() }
        // The answer never comes, and is waited for longer than this test takes at most.
        try { sending.cancelAndJoin() } finally { forever.countDown() }
    }

    @Test
    fun `no network, a broken answer and a file that is gone are one line each`() = patiently {
        answer = { it.responseBody.close() }
        val isOver = CountDownLatch(1)
        val broken = listOf(
            transport.send(request("GET").copy(url = "$NOWHERE/")),
            transport.send(request("PUT", RequestBody.File(folder.resolve("gone").path))),
            transport.send(request("GET").copy(url = "http://no.such.host.invalid/")),
            UrlConnectionTransport(readMillis = 100).also { answer = { isOver.await() } }.send(request("GET")),
        )
        isOver.countDown()
        for (outcome in broken) {
            assertTrue(outcome is Outcome.Unreachable && outcome.reason.isNotEmpty() && '\n' !in outcome.reason, "$outcome")
        }
    }

    @Test
    fun `whatever is handed out is finished, also where no collector can be reached`() = patiently {
        for (passesOver in listOf(false, true)) {
            val due = ArrayDeque(listOf("plan@a", "register@a", "delete@b"))
            val handedOut = mutableListOf<Task>()
            val finished = mutableListOf<Task>()
            val report = sendAll(
                { Outcome.Unreachable("no network") },
                { due.removeFirstOrNull()?.let { task -> request("PUT").copy(task = task).also { handedOut += task } } },
                { task, _ -> Finished.Later("no network").also { finished += task } },
                passesOver,
            )
            assertEquals(handedOut, finished)
            assertEquals(if (passesOver) 3 else 1, report.failed.toInt())
        }
    }

    private fun request(method: String, body: RequestBody = RequestBody.Empty, vararg headers: Header) =
        Request("plan", urgent = false, method, url, headers.toList(), body)

    private fun HttpExchange.answer(status: Int, body: String = "") {
        sendResponseHeaders(status, if (body.isEmpty()) -1 else body.length.toLong())
        runCatching { responseBody.write(body.toByteArray()) }
    }
}
