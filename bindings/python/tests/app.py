"""An app: its own audio, its own HTTP client, and listeners."""

import array
import contextlib
import http.client
import threading
import time
import urllib.parse
import wave

import sordino

# Timeout in seconds: a deadlock fails instead of hanging. No machine is that slow.
TIMEOUT = 600


def read_wav(path):
    """Mono samples as floats within ±1, and their rate."""
    with wave.open(str(path)) as recording:
        assert (recording.getnchannels(), recording.getsampwidth()) == (1, 2)
        integers = array.array("h", recording.readframes(recording.getnframes()))
        return array.array("f", (sample / 32768 for sample in integers)), recording.getframerate()


INFO = sordino.AppInfo(name="Etude", contact="privacy@etude.example")


def notice(version):
    """The bundled English notice, as this app shows it."""
    return sordino.bundled_notice(
        "en",
        INFO,
        sordino.NoticeTerms(version=version, consent_days=365),
    ).notice


@contextlib.contextmanager
def raises(case, kind, code):
    """Checks, as `assertRaises` of the test case, that an error of this kind with this code is raised."""
    with case.assertRaises(kind) as raised:
        yield raised
    case.assertEqual(raised.exception.code, code)


def wait_until(condition):
    """Waits until `condition` is true."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("timeout")
        time.sleep(0.002)


class Recognizer(sordino.FrameListener):
    """Receives frames, and marks `moment` with `engine` after its last frame."""

    def __init__(self, engine=None, moment=None):
        self.engine = engine
        self.moment = moment
        self.marked = None
        self.position = 0
        self.received = bytearray()

    def on_frame(self, frame):
        assert frame.lost == 0 and frame.position == self.position
        self.received += frame.samples
        self.position += len(frame.samples) // 4
        if self.moment is not None and self.position >= self.moment.at:
            moment, self.moment = self.moment, None
            try:
                self.marked = self.engine.mark(moment)
            except sordino.SordinoError as error:
                self.marked = error


class EventLog(sordino.EventListener):
    """Records all events."""

    def __init__(self):
        self.events = []
        self.lock = threading.Lock()

    def on_event(self, event):
        with self.lock:
            self.events.append(event)

    def of(self, kind):
        with self.lock:
            return [event for event in self.events if isinstance(event, kind)]


def play(engine, samples, rate, recognizer):
    """Pushes a recording in chunks of 10 ms, as fast as it is processed, and stops."""
    writer = engine.listen_to_pcm_source(rate, 1, recognizer)
    block = rate // 100
    for start in range(0, len(samples), block):
        lost = writer.push(samples[start : start + block].tobytes())
        assert lost == 0
        # The buffer holds two seconds; a microphone is not faster than real time either.
        wait_until(lambda: start - recognizer.position < rate)
    writer.stop()


def upload(engine):
    """Sends everything that is due with the app's own HTTP client. Returns the status of each task."""
    outcomes = []
    while (request := engine.next_upload_task()) is not None:
        outcomes.append((request.task, engine.process_upload_result(request.task, send(request))))
    return outcomes


def send(request):
    """Sends one request with `http.client`, with exactly its headers."""
    url = urllib.parse.urlsplit(request.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)
    try:
        connection.putrequest(request.method, url.path, skip_accept_encoding=True)
        for header in request.headers:
            connection.putheader(header.name, header.value)
        body = body_of(request.body)
        if request.method == "PUT":
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        headers = [sordino.Header(name=name, value=value) for name, value in response.getheaders()]
        return sordino.UploadResult.RESPONSE(
            sordino.HttpResponse(status=response.status, headers=headers, body=response.read(1 << 20))
        )
    except OSError as error:
        return sordino.UploadResult.UNREACHABLE(reason=str(error))
    finally:
        connection.close()


def body_of(body):
    if body.is_file():
        with open(body.path, "rb") as file:
            return file.read()
    return body.content if body.is_document() else b""
