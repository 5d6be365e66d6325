"""What the face does with bad input, with callbacks that raise, and with engines that are gone."""

import array
import inspect
import os
import pathlib
import subprocess
import sys
import threading
import unittest

from device import NOWHERE, RATE, Device

import app
import sordino

FLOATS_10_MS = array.array("f", [0.25] * (RATE // 100)).tobytes()
NAN = float("nan")


class Face(Device):
    def consent(self):
        self.engine.install_plan(self.organization.plan)
        self.engine.give_consent(
            [sordino.Purpose.QUALITY_ASSURANCE],
            sordino.AgeBand.ADULT,
            app.notice(1),
        )


class Callbacks(Face):
    def test_a_frame_listener_that_raises_gets_the_next_frame_and_is_told_of_once(self):
        class Raising(sordino.FrameListener):
            calls = 0

            def on_frame(self, frame):
                self.calls += 1
                raise ZeroDivisionError("the recognizer is broken")

        listener, diary = Raising(), app.Diary()
        self.engine.set_event_listener(diary)
        feed = self.engine.listen_to_host(RATE, 1, listener)
        for _ in range(20):
            feed.push(FLOATS_10_MS)
        feed.stop()
        self.assertEqual(listener.calls, 20)
        [failed] = diary.of(sordino.Event.FAILED)
        self.assertIn("the recognizer is broken", failed.reason)
        self.assertEqual(self.engine.status().pending, 0)

    def test_an_event_listener_that_raises_undoes_nothing(self):
        class Raising(sordino.EventListener):
            def on_event(self, event):
                raise ZeroDivisionError

        self.engine.set_event_listener(Raising())
        self.consent()
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.GRANTED)
        self.engine.withdraw()
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.WITHDRAWN)

    def test_a_listener_may_stop_what_it_hears(self):
        self.in_a_listener(lambda feed: feed.stop())
        # The engine can listen again, so nothing was left behind.
        app.wait_until(self.can_listen)

    def test_a_listener_may_shut_the_engine_down(self):
        self.in_a_listener(lambda feed: self.engine.shut_down())
        with self.assertRaises(sordino.SordinoError.Closed):
            self.engine.status()
        app.wait_until(self.can_open)

    def test_a_listener_may_call_the_engine(self):
        seen = []
        self.in_a_listener(lambda feed: seen.append(self.engine.status().pending))
        self.assertEqual(seen, [0])

    def test_an_event_listener_may_replace_itself(self):
        engine = self.engine

        class Leaving(app.Diary):
            def on_event(self, event):
                super().on_event(event)
                engine.set_event_listener(None)

        leaving = Leaving()
        engine.set_event_listener(leaving)
        self.consent()
        self.assertEqual(len(leaving.events), 1)

    def in_a_listener(self, action):
        """Runs `action` once, on the engine's own thread, and waits for it."""
        started, done = threading.Event(), threading.Event()
        feeds = []

        class Acting(sordino.FrameListener):
            def on_frame(self, frame):
                if not done.is_set():
                    started.wait(app.PATIENCE)
                    action(feeds[0])
                    done.set()

        feeds.append(self.engine.listen_to_host(RATE, 1, Acting()))
        feeds[0].push(FLOATS_10_MS)
        started.set()
        self.assertTrue(done.wait(app.PATIENCE))
        feeds[0].stop()

    def can_listen(self):
        try:
            self.engine.listen_to_host(RATE, 1).stop()
        except sordino.SordinoError.Listening:
            return False
        return True

    def can_open(self):
        try:
            self.open().shut_down()
        except sordino.SordinoError.State:
            return False
        return True


class Engines(Face):
    def test_a_folder_has_one_engine_at_a_time(self):
        with self.assertRaisesRegex(sordino.SordinoError.State, "in use") as raised:
            self.open()
        self.assertIn(str(self.state), str(raised.exception))
        self.engine.shut_down()
        self.open().shut_down()

    def test_an_engine_that_was_shut_down_says_so(self):
        feed = self.engine.listen_to_host(RATE, 1)
        self.engine.shut_down()
        self.engine.shut_down()
        calls = [
            lambda: self.engine.status(),
            lambda: self.engine.next_request(),
            lambda: self.engine.withdraw(),
            lambda: self.engine.listen_to_host(RATE, 1),
            lambda: self.engine.offer(FLOATS_10_MS, RATE),
        ]
        for call in calls:
            with self.assertRaisesRegex(sordino.SordinoError.Closed, "open it again"):
                call()
        with self.assertRaises(sordino.SordinoError.Listening):
            feed.push(FLOATS_10_MS)

    def test_consent_outlives_the_engine(self):
        self.consent()
        self.engine.shut_down()
        self.engine = self.open()
        self.addCleanup(self.engine.shut_down)
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.GRANTED)

    def test_one_source_is_heard_at_a_time(self):
        feed = self.engine.listen_to_host(RATE, 1)
        with self.assertRaisesRegex(sordino.SordinoError.Listening, "listens already"):
            self.engine.listen_to_host(RATE, 1)
        feed.stop()
        feed.stop()
        self.engine.listen_to_host(RATE, 2).stop()

    def test_letting_go_of_the_feed_stops_listening(self):
        feed = self.engine.listen_to_host(RATE, 1)
        del feed
        self.engine.listen_to_host(RATE, 1).stop()

    def test_calls_from_many_threads_are_all_answered(self):
        self.engine.install_plan(self.organization.plan)
        errors = []

        def work():
            try:
                for _ in range(25):
                    self.consent()
                    self.engine.status()
                    self.engine.next_request()
                    self.engine.withdraw()
            except Exception as error:  # whatever it is, the test tells
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(app.PATIENCE)
        self.assertEqual(errors, [])
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.WITHDRAWN)

    def test_opening_and_shutting_down_leaves_neither_files_nor_threads(self):
        def held():
            kinds = ("fd", "task")
            return [len(list(pathlib.Path("/proc/self", kind).iterdir())) for kind in kinds]

        if not pathlib.Path("/proc/self/fd").exists():
            self.skipTest("there is no /proc to count in")
        self.engine.shut_down()
        before = held()
        for _ in range(50):
            engine = self.open()
            engine.listen_to_host(RATE, 1, app.Recognizer()).push(FLOATS_10_MS)
            engine.shut_down()
        # The system may list a thread for a moment after it has ended.
        app.wait_until(lambda: all(now <= then for now, then in zip(held(), before)))

    def test_a_program_may_end_while_it_listens(self):
        program = """
import sys, app, sordino
engine = sordino.Sordino.open(*sys.argv[1:])
feed = engine.listen_to_host(48_000, 1, app.Recognizer())
feed.push(bytes(4 * 48_000))
"""
        arguments = [str(self.state) + "-other", self.organization.key, NOWHERE]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=app.PATIENCE
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class BadInput(Face):
    def test_bytes_that_are_not_whole_frames_are_refused(self):
        stereo = self.engine.listen_to_host(RATE, 2)
        self.assertEqual(stereo.push(bytes(8)), 0)
        self.assertEqual(stereo.push_i16(bytes(4)), 0)
        for push, size in [(stereo.push, 4), (stereo.push, 9), (stereo.push_i16, 2)]:
            with self.assertRaisesRegex(sordino.SordinoError.Argument, "not whole frames"):
                push(bytes(size))
        stereo.stop()
        with self.assertRaisesRegex(sordino.SordinoError.Argument, "5 bytes"):
            self.engine.offer(bytes(5), RATE)

    def test_sound_that_is_no_bytes_is_a_type_error(self):
        feed = self.engine.listen_to_host(RATE, 1)
        for wrong in ([0.0], 1.0, None, "sound"):
            with self.assertRaises(TypeError):
                feed.push(wrong)
        feed.stop()

    def test_nan_in_the_stream_becomes_silence_and_is_told(self):
        recognizer, diary = app.Recognizer(), app.Diary()
        self.engine.set_event_listener(diary)
        feed = self.engine.listen_to_host(RATE, 1, recognizer)
        feed.push(array.array("f", [0.5, NAN, float("inf"), -0.5]).tobytes())
        feed.stop()
        heard = array.array("f", bytes(recognizer.heard))
        self.assertEqual(list(heard), [0.5, 0.0, 0.0, -0.5])
        told = [event.event for event in diary.of(sordino.Event.CAPTURE)]
        [non_finite] = [event for event in told if event.is_non_finite()]
        self.assertEqual(non_finite.samples, 2)

    def test_a_clip_with_nan_or_without_sound_is_refused(self):
        self.consent()
        for samples, says in [([0.0, NAN], "sample 1 is not a finite"), ([], "no samples")]:
            with self.assertRaisesRegex(sordino.SordinoError.Clip, says):
                self.engine.offer(array.array("f", samples).tobytes(), RATE)
        for rate in (0, 7_999, 384_001):
            with self.assertRaisesRegex(sordino.SordinoError.Clip, "8000 to 384000"):
                self.engine.offer(FLOATS_10_MS, rate)

    def test_a_format_that_cannot_be_taken_is_refused_and_the_feed_goes_on(self):
        for rate, channels in [(0, 1), (RATE, 0)]:
            with self.assertRaises(sordino.SordinoError.Capture):
                self.engine.listen_to_host(rate, channels)
        feed = self.engine.listen_to_host(RATE, 1)
        with self.assertRaises(sordino.SordinoError.Capture):
            feed.change_format(1, 1)
        self.assertEqual(feed.push(FLOATS_10_MS), 0)
        feed.stop()

    def test_what_was_pushed_faster_than_heard_is_counted(self):
        free = threading.Event()

        class Slow(sordino.FrameListener):
            def on_frame(self, frame):
                free.wait(app.PATIENCE)

        feed = self.engine.listen_to_host(RATE, 1, Slow())
        with self.assertWarns(RuntimeWarning):
            lost = feed.push(FLOATS_10_MS * 400)
        free.set()
        feed.stop()
        self.assertGreaterEqual(lost, 2 * RATE - RATE // 50)

    def test_an_annotation_that_could_spell_a_name_is_refused(self):
        annotation = sordino.Annotation(tag="Lisa's song")
        with self.assertRaisesRegex(sordino.SordinoError.Annotation, "a-z"):
            self.engine.offer(FLOATS_10_MS, RATE, annotation)

    def test_arguments_that_do_not_parse_name_what_is_wrong(self):
        outcome = sordino.Outcome.UNREACHABLE(reason="no network")
        open_with = sordino.Sordino.open
        folder, key = str(self.state) + "-other", self.organization.key
        wrong = [
            ("64 hexadecimal", lambda: open_with(folder, "abc", NOWHERE)),
            ("https://", lambda: open_with(folder, key, "ftp://collector.example")),
            ("this very machine", lambda: open_with(folder, key, "http://collector.example")),
            ("32 lower-case", lambda: self.engine.delete("sample")),
            ("no upload task", lambda: self.engine.finish("send", outcome)),
        ]
        for says, call in wrong:
            with self.assertRaisesRegex(sordino.SordinoError.Argument, says):
                call()
        self.assertFalse(pathlib.Path(folder).exists())

    def test_errors_name_the_stage_and_read_as_one_line(self):
        errors = sordino.SordinoError
        notice = app.notice(1)
        adult, quality = sordino.AgeBand.ADULT, [sordino.Purpose.QUALITY_ASSURANCE]
        calls = [
            (errors.Consent, lambda: self.engine.give_consent(quality, adult, notice)),
            (errors.Consent, lambda: self.engine.approve(sordino.GuardianMethod.EMAIL_PLUS)),
            (errors.Plan, lambda: self.engine.install_plan(b"{}")),
            (errors.Outbox, lambda: self.engine.delete("0" * 32)),
            (errors.Mark, lambda: self.engine.mark(sordino.Moment())),
        ]
        for kind, call in calls:
            with self.assertRaises(kind) as raised:
                call()
            message = str(raised.exception)
            self.assertTrue(message and "\n" not in message, message)

    def test_a_child_waits_for_its_guardian(self):
        self.engine.install_plan(self.organization.plan)
        notice = sordino.Notice(version=1, language="de", text="Darf die App zuhören?")
        quality = [sordino.Purpose.QUALITY_ASSURANCE]
        self.engine.give_consent(quality, sordino.AgeBand.CHILD, notice)
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.AWAITING_GUARDIAN)
        self.assertEqual(self.engine.may_sample(), sordino.WithheldReason.NO_CONSENT)
        with self.assertRaises(sordino.SordinoError.Consent):
            self.engine.approve(sordino.GuardianMethod.PAYMENT_CARD, b"too short")
        receipt = self.engine.approve(sordino.GuardianMethod.PAYMENT_CARD, b"the number of the payment")
        self.assertIn("sordino:evidence-hash", receipt)
        self.assertIsNone(self.engine.may_sample())


class Docs(unittest.TestCase):
    def test_whatever_is_exported_is_documented(self):
        exported = [getattr(sordino, name) for name in sordino.__all__ if name != "InternalError"]
        classes = [item for item in exported if inspect.isclass(item)]
        self.assertIn(sordino.Sordino, classes)
        for item in exported:
            if inspect.isclass(item) or inspect.isfunction(item):
                self.assertTrue(inspect.getdoc(item), item)
        for item in (sordino.Sordino, sordino.Feed, sordino.FrameListener, sordino.EventListener):
            for name, method in inspect.getmembers(item, inspect.isfunction):
                if not name.startswith("_"):
                    self.assertTrue(inspect.getdoc(method), f"{item.__name__}.{name}")


if __name__ == "__main__":
    unittest.main()
