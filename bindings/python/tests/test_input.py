"""Arrays, callables, processes that end, thousands of engines."""

import functools
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

import numpy as np
from device import NOWHERE, RATE, Device

import app
import sordino

BLOCK = np.linspace(-0.5, 0.5, 480, dtype=np.float32)
#: With SORDINO_SOAK=1 enough to detect a leak of 0.5 kB per engine, such as its key. Otherwise enough for 2.3 kB, such
#: as its store or a thread.
OPENINGS = 10_000 if os.environ.get("SORDINO_SOAK") == "1" else 2_000
#: The maximum growth of the process after the first tenth of them, in bytes.
GROWTH = 4 << 20


class Sound(Device):
    def received(self, *blocks, channels=1):
        frames = []
        with self.engine.listen_to_pcm_source(RATE, channels, frames.append) as writer:
            for block in blocks:
                self.assertEqual(writer.push(block), 0)
        return np.concatenate([frame.array for frame in frames])

    def test_all_float_arrays_and_buffers_arrive_equal(self):
        kinds = [BLOCK, BLOCK.tobytes(), bytearray(BLOCK.tobytes()), memoryview(BLOCK), BLOCK[::-1][::-1]]
        for kind in kinds:
            np.testing.assert_array_equal(self.received(kind), BLOCK)

    def test_integers_arrive_as_floats_and_channels_as_their_mean(self):
        integers = np.arange(-240, 240, dtype=np.int16)
        np.testing.assert_allclose(self.received(integers), integers / 32768, atol=1e-7)
        stereo = np.stack([BLOCK, BLOCK / 2], axis=1)
        np.testing.assert_allclose(self.received(stereo, channels=2), BLOCK * 0.75, atol=1e-7)

    def test_a_frames_array_is_its_bytes_and_read_only(self):
        frames = []
        with self.engine.listen_to_pcm_source(RATE, 1, frames.append) as writer:
            writer.push(BLOCK)
        [frame] = frames
        self.assertEqual((frame.array.dtype, len(frame), frame.rate), (np.float32, 480, RATE))
        self.assertEqual(frame.array.tobytes(), frame.samples)
        with self.assertRaises(ValueError):
            frame.array[0] = 0
        self.assertEqual(repr(frame), "<Frame at 0: 480 samples at 48000 Hz>")

    def test_wrong_sound_is_a_type_error_that_names_the_types(self):
        with self.engine.listen_to_pcm_source(RATE, 1) as writer:
            for wrong in (BLOCK.astype(float), BLOCK.astype(np.uint8), BLOCK.astype(object)):
                with self.assertRaisesRegex(TypeError, "float32 or int16"):
                    writer.push(wrong)
            for wrong in ([0.0], "sound", None, 1.0):
                with self.assertRaises(TypeError):
                    writer.push(wrong)
            with self.assertRaisesRegex(ValueError, "shape"):
                writer.push(np.zeros((1, 1, 480), np.float32))
        with self.assertRaisesRegex(TypeError, "int64"):
            self.engine.submit(np.arange(RATE), RATE)
        with self.assertRaisesRegex(ValueError, "shape"):
            self.engine.submit(np.zeros((2, 2, 2)), RATE)

    def test_channels_first_is_a_type_error_that_suggests_transposing(self):
        stereo = np.stack([BLOCK, BLOCK])
        with self.engine.listen_to_pcm_source(RATE, 2) as writer:
            for call in (
                writer.push,
                writer.write,
                lambda sound: self.engine.submit(sound, RATE),
                lambda sound: sordino.anonymize(sound, RATE),
            ):
                with self.assertRaisesRegex(TypeError, r"\(2, 480\).*sound\.T"):
                    call(stereo)
            # The suggested conversion is accepted.
            self.assertEqual(writer.push(stereo.T), 0)
            self.assertIsInstance(self.engine.submit(stereo.T, RATE), sordino.SubmitOutcome.WITHHELD)
            with self.assertRaisesRegex(TypeError, "1 channels, and the writer has 2"):
                writer.push(BLOCK[:, np.newaxis])

    def test_the_shape_is_checked_against_a_changed_format(self):
        with self.engine.listen_to_pcm_source(RATE, 2) as writer:
            writer.change_format(RATE, 1)
            self.assertEqual(writer.push(BLOCK[:, np.newaxis]), 0)
            with self.assertRaises(sordino.SordinoError.Capture):
                writer.change_format(1, 2)
            self.assertEqual(writer.push(BLOCK[:, np.newaxis]), 0)

    def test_the_suggested_conversion_of_a_dtype_works(self):
        others = {
            np.dtype(np.float64): BLOCK,
            np.dtype(np.float16): BLOCK,
            np.dtype(">f4"): BLOCK,
            np.dtype(">i2"): BLOCK * 2**15,
            np.dtype(np.int32): BLOCK * 2.0**31,
            np.dtype(np.int8): BLOCK * 2**7,
            np.dtype(np.uint8): BLOCK * 2**7 + 2**7,
        }
        for dtype, values in others.items():
            sound = values.astype(dtype)
            with self.subTest(dtype=dtype), self.engine.listen_to_pcm_source(RATE, 1) as writer:
                with self.assertRaisesRegex(TypeError, "float32 or int16") as raised:
                    writer.push(sound)
                hint = str(raised.exception).rpartition("convert it by ")[2]
                converted = eval(hint, {"numpy": np, "sound": sound})
                self.assertEqual(writer.push(converted), 0)
                scale = 2**15 if converted.dtype == np.int16 else 1
                np.testing.assert_allclose(converted / scale, BLOCK, atol=0.01)

    def test_a_recording_can_be_written_at_once(self):
        ten_seconds = np.sin(np.arange(10 * RATE) * 0.01).astype(np.float32)
        for sound in (ten_seconds, ten_seconds.tobytes(), bytearray(ten_seconds.tobytes())):
            events, frames = [], []
            self.engine.set_event_listener(events.append)
            with self.engine.listen_to_pcm_source(RATE, 1, frames.append) as writer:
                self.assertEqual(writer.write(sound), 0)
            np.testing.assert_array_equal(np.concatenate([frame.array for frame in frames]), ten_seconds)
            self.assertFalse([event for event in events if event.event.is_overrun()])

    def test_integers_and_several_channels_can_be_written(self):
        frames = []
        stereo = np.repeat(np.arange(3 * RATE, dtype=np.int16)[:, np.newaxis], 2, axis=1)
        with self.engine.listen_to_pcm_source(RATE, 2, frames.append) as writer:
            self.assertEqual(writer.write(stereo), 0)
            self.assertEqual(writer.write_i16(stereo.tobytes()), 0)
        self.assertEqual(sum(map(len, frames)), 6 * RATE)

    def test_dropped_frames_are_returned_warned_of_and_an_event(self):
        events = queue.Queue()
        self.engine.set_event_listener(events.put)
        ten_seconds = np.zeros(10 * RATE, np.float32)
        with self.engine.listen_to_pcm_source(RATE, 1) as writer:
            with self.assertWarnsRegex(RuntimeWarning, "use write"):
                lost = writer.push(ten_seconds)
            self.assertGreaterEqual(lost, 7 * RATE)
            # The writer is open, and nothing more is pushed.
            while not (event := events.get(timeout=app.TIMEOUT)).event.is_overrun():
                pass
            self.assertEqual(event.event.samples, lost)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self.assertGreater(writer.push(ten_seconds), 0)

    def test_write_returns_dropped_frames_after_its_timeout(self):
        free = threading.Event()
        self.addCleanup(free.set)
        writer = self.engine.listen_to_pcm_source(RATE, 1, lambda frame: free.wait(app.TIMEOUT))
        lost = writer.write(np.zeros(10 * RATE, np.float32), 0.01)
        self.assertGreaterEqual(lost, 7 * RATE)
        free.set()
        writer.stop()
        with self.engine.listen_to_pcm_source(RATE, 1) as writer:
            for wrong in (-1, float("nan")):
                with app.raises(self, sordino.SordinoError.Argument, "invalid-argument"):
                    writer.write(BLOCK, wrong)

    def test_write_in_a_listener_raises(self):
        outcome = queue.Queue()

        def listener(frame):
            try:
                writers[0].write(BLOCK)
            except sordino.SordinoError as error:
                outcome.put(error)

        writers = [self.engine.listen_to_pcm_source(RATE, 1, listener)]
        writers[0].push(BLOCK)
        self.assertIsInstance(outcome.get(timeout=app.TIMEOUT), sordino.SordinoError.ListenerBlocked)
        writers[0].stop()

    def test_chunks_that_are_not_whole_frames_are_refused(self):
        with self.engine.listen_to_pcm_source(RATE, 2) as writer:
            for push in (writer.push, writer.push_i16, writer.write, writer.write_i16):
                with app.raises(self, sordino.SordinoError.Argument, "invalid-argument"):
                    push(b"\0" * 3)
            with app.raises(self, sordino.SordinoError.Argument, "invalid-argument"):
                writer.push(BLOCK[:479])


class Listeners(Device):
    def test_functions_can_be_listeners(self):
        events, frames = [], []
        self.engine.set_event_listener(events.append)
        with self.engine.listen_to_pcm_source(RATE, 1, frames.append) as writer:
            writer.push(BLOCK)
        self.assertEqual(len(frames), 1)
        self.assertTrue(events[0].is_capture() and events[-1].event.is_ended())

    def test_an_invalid_listener_is_a_type_error(self):
        for wrong in (3, "on_frame", object()):
            with self.assertRaisesRegex(TypeError, "on_frame"):
                self.engine.listen_to_pcm_source(RATE, 1, wrong)
            with self.assertRaisesRegex(TypeError, "on_event"):
                self.engine.set_event_listener(wrong)

    def test_a_coroutine_function_is_refused(self):
        async def handle(event):
            pass

        class Handler:
            async def on_frame(self, frame):
                pass

            async def on_event(self, event):
                pass

            async def __call__(self, event):
                pass

        for wrong in (handle, functools.partial(handle), Handler()):
            with self.assertRaisesRegex(TypeError, "call_soon_threadsafe"):
                self.engine.listen_to_pcm_source(RATE, 1, wrong)
            with self.assertRaisesRegex(TypeError, "call_soon_threadsafe"):
                self.engine.set_event_listener(wrong)
            with self.assertRaisesRegex(TypeError, "call_soon_threadsafe"):
                sordino.Sordino.open(f"{self.state}-other", self.organization.key, NOWHERE, on_event=wrong)

    def test_a_function_that_returns_a_coroutine_is_reported(self):
        async def handle(event):
            pass

        events = []
        self.engine.set_event_listener(events.append)
        with self.engine.listen_to_pcm_source(RATE, 1, lambda frame: handle(frame)) as writer:
            writer.push(BLOCK)
        [failed] = [event for event in events if event.is_failed()]
        self.assertIn("call_soon_threadsafe", failed.reason)
        self.engine.set_event_listener(lambda event: handle(event))
        with self.assertWarnsRegex(RuntimeWarning, "call_soon_threadsafe"):
            self.engine.withdraw()

    def test_an_invalid_enum_value_lists_the_valid_ones(self):
        notice = app.notice(1)
        quality = [sordino.Purpose.QUALITY_ASSURANCE]
        calls = {
            "AgeBand.ADULT, .*'adult'": lambda: self.engine.give_consent(quality, "adult", notice),
            "AgeBand.CHILD, .*None": lambda: self.engine.give_consent(quality, None, notice),
            "Purpose.QUALITY_ASSURANCE, .*'all'": lambda: self.engine.withdraw("all"),
            "Purpose.*'quality'": lambda: self.engine.give_consent(["quality"], sordino.AgeBand.ADULT, notice),
            "GuardianMethod.EMAIL_PLUS.*'mail'": lambda: self.engine.approve("mail"),
        }
        for says, call in calls.items():
            with self.assertRaisesRegex(TypeError, says):
                call()

    def test_a_hanging_listener_delays_only_stop(self):
        free, inside, returned = threading.Event(), threading.Event(), threading.Event()

        def hang(frame):
            inside.set()
            free.wait(app.TIMEOUT)
            returned.set()

        self.addCleanup(free.set)
        writer = self.engine.listen_to_pcm_source(RATE, 1, hang)
        writer.push(BLOCK)
        self.assertTrue(inside.wait(app.TIMEOUT))
        with app.raises(self, sordino.SordinoError.ListenerBlocked, "listener-blocked"):
            writer.stop()
        self.assertFalse(returned.is_set())
        self.assertEqual(self.engine.status().pending, 0)
        with self.assertRaises(sordino.SordinoError.AlreadyListening):
            self.engine.listen_to_pcm_source(RATE, 1)
        free.set()
        self.engine.close()
        app.wait_until(self.can_open)

    def can_open(self):
        try:
            sordino.Sordino.open(self.state, self.organization.key, NOWHERE).close()
        except sordino.SordinoError.State:
            return False
        return True

    def test_frames_can_be_iterated_and_end_with_the_engine(self):
        writers = []
        listen = lambda callback: writers.append(self.engine.listen_to_pcm_source(RATE, 1, callback)) or writers[0]  # noqa: E731
        frames = self.engine._frames(listen)
        for _ in range(5):
            writers[0].push(BLOCK)
        for number, frame in zip(range(5), frames):
            self.assertEqual(frame.position, 480 * number)
        writers[0].push(BLOCK)
        writers[0].stop()
        self.assertEqual([frame.position for frame in frames], [5 * 480])
        self.assertEqual(list(frames), [])

    def test_frames_that_are_not_iterated_do_not_delay_close(self):
        writers = []
        listen = lambda callback: writers.append(self.engine.listen_to_pcm_source(RATE, 1, callback)) or writers[0]  # noqa: E731
        frames = self.engine._frames(listen)
        for _ in range(150):
            writers[0].push(BLOCK)
        # It would raise if it had timed out on a listener.
        self.engine.close()
        self.assertEqual(list(frames), [])

    def test_no_microphone_is_an_error_of_its_own_kind(self):
        with self.assertRaises(sordino.SordinoError.NoDevice) as raised:
            self.engine.frames("no such device")
        self.assertIn(raised.exception.code, ("no-such-device", "no-microphone"))
        self.assertNotIn("\n", str(raised.exception))
        # And the engine can still listen.
        self.engine.listen_to_pcm_source(RATE, 1).stop()


class Processes(Device):
    def test_a_process_killed_in_a_callback_leaves_a_valid_folder(self):
        program = """
import os, signal, sys, numpy, sordino
engine = sordino.Sordino.open(*sys.argv[1:])
writer = engine.listen_to_pcm_source(48_000, 1, lambda frame: os.kill(os.getpid(), signal.SIGKILL))
writer.push(numpy.zeros(480, numpy.float32))
signal.pause()
"""
        state = f"{self.state}-killed"
        command = [sys.executable, "-c", program, state, self.organization.key, NOWHERE]
        done = subprocess.run(command, capture_output=True, timeout=app.TIMEOUT, check=False)
        self.assertEqual(done.returncode, -9, done.stderr)
        with sordino.Sordino.open(state, self.organization.key, NOWHERE) as engine:
            self.assertEqual(engine.consent().state, sordino.ConsentState.UNANSWERED)

    @unittest.skipIf(os.geteuid() == 0 if hasattr(os, "geteuid") else True, "root may write anywhere")
    def test_a_read_only_folder_is_a_state_error(self):
        closed = self.state.parent / "closed"
        closed.mkdir(mode=0o500)
        with self.assertRaises(sordino.SordinoError.State):
            sordino.Sordino.open(closed / "state", self.organization.key, NOWHERE)

    def test_an_impossible_folder_is_a_state_error(self):
        file = self.state.parent / "file"
        file.write_bytes(b"")
        with self.assertRaises(sordino.SordinoError.State):
            sordino.Sordino.open(file / "state", self.organization.key, NOWHERE)

    @unittest.skipUnless(pathlib.Path("/proc/self/statm").exists(), "there is no /proc to measure in")
    def test_thousands_of_engines_leak_nothing(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            for number in range(OPENINGS):
                if number == OPENINGS // 10:
                    before = resident()
                with sordino.Sordino.open(folder, self.organization.key, NOWHERE) as engine:
                    if number % 20 == 0:
                        with engine.listen_to_pcm_source(RATE, 1, lambda frame: None) as writer:
                            writer.push(BLOCK)
        self.assertLess(resident() - before, GROWTH)


class Reprs(unittest.TestCase):
    def test_the_repr_of_records_shortens_long_bytes(self):
        shown = {
            repr(sordino.Note(midi=60, onset=1.5)): "Note(midi=60, onset=1.5, offset=None)",
            repr(sordino.RequestBody.DOCUMENT(content=b"x" * 1000)): "<1000 bytes>",
            repr(sordino.SubmitOutcome.QUEUED("ab")): "sample='ab'",
            repr(sordino.Notice(version=1, language="en", text="t" * 500)): "t…",
            repr(sordino.PreviewSound(rate=16_000, samples=bytes(32_000))): "1.00 s at 16000 Hz",
        }
        for said, part in shown.items():
            self.assertIn(part.rstrip("…"), said)
            self.assertLess(len(said), 200)


def resident():
    """Memory of this process in bytes."""
    pages = int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    unittest.main()
