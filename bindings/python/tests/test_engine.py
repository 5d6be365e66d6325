"""Invalid input, callbacks that raise, and closed engines."""

import array
import inspect
import os
import pathlib
import pickle
import subprocess
import sys
import threading
import unittest

from device import NOWHERE, RATE, Device

import app
import sordino

FLOATS_10_MS = array.array("f", [0.25] * (RATE // 100)).tobytes()
NAN = float("nan")


class EngineTest(Device):
    def consent(self):
        self.engine.install_plan(self.organization.plan)
        self.engine.give_consent(
            [sordino.Purpose.QUALITY_ASSURANCE],
            sordino.AgeBand.ADULT,
            app.notice(1),
        )


class Callbacks(EngineTest):
    def test_a_frame_listener_that_raises_is_reported_once(self):
        class Raising(sordino.FrameListener):
            calls = 0

            def on_frame(self, frame):
                self.calls += 1
                raise ZeroDivisionError("the recognizer is broken")

        listener, log = Raising(), app.EventLog()
        self.engine.set_event_listener(log)
        writer = self.engine.listen_to_pcm_source(RATE, 1, listener)
        for _ in range(20):
            writer.push(FLOATS_10_MS)
        writer.stop()
        self.assertEqual(listener.calls, 20)
        [failed] = log.of(sordino.Event.FAILED)
        self.assertIn("the recognizer is broken", failed.reason)
        self.assertEqual(self.engine.status().pending, 0)

    def test_an_event_listener_that_raises_has_no_effect(self):
        class Raising(sordino.EventListener):
            def on_event(self, event):
                raise ZeroDivisionError

        self.engine.set_event_listener(Raising())
        self.consent()
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.GRANTED)
        self.engine.withdraw()
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.WITHDRAWN)

    def test_a_listener_may_stop_the_session(self):
        self.in_a_listener(lambda writer: writer.stop())
        # The engine can listen again: the session has ended.
        app.wait_until(self.can_listen)

    def test_a_listener_may_close_the_engine(self):
        self.in_a_listener(lambda writer: self.engine.close())
        with self.assertRaises(sordino.SordinoError.Closed):
            self.engine.status()
        app.wait_until(self.can_open)

    def test_a_listener_may_call_the_engine(self):
        seen = []
        self.in_a_listener(lambda writer: seen.append(self.engine.status().pending))
        self.assertEqual(seen, [0])

    def test_an_event_listener_may_replace_itself(self):
        engine = self.engine

        class OneEventListener(app.EventLog):
            def on_event(self, event):
                super().on_event(event)
                engine.set_event_listener(None)

        listener = OneEventListener()
        engine.set_event_listener(listener)
        self.consent()
        self.assertEqual(len(listener.events), 1)

    def in_a_listener(self, action):
        """Runs `action` once, on a thread of the engine, and waits for it."""
        started, done = threading.Event(), threading.Event()
        writers = []

        class Acting(sordino.FrameListener):
            def on_frame(self, frame):
                if not done.is_set():
                    started.wait(app.TIMEOUT)
                    action(writers[0])
                    done.set()

        writers.append(self.engine.listen_to_pcm_source(RATE, 1, Acting()))
        writers[0].push(FLOATS_10_MS)
        started.set()
        self.assertTrue(done.wait(app.TIMEOUT))
        writers[0].stop()

    def can_listen(self):
        try:
            self.engine.listen_to_pcm_source(RATE, 1).stop()
        except sordino.SordinoError.AlreadyListening:
            return False
        return True

    def can_open(self):
        try:
            self.open().close()
        except sordino.SordinoError.State:
            return False
        return True


class Engines(EngineTest):
    def test_a_folder_has_one_engine_at_a_time(self):
        with app.raises(self, sordino.SordinoError.State, "in-use") as raised:
            self.open()
        self.assertIn(str(self.state), str(raised.exception))
        self.engine.close()
        self.open().close()

    def test_calls_on_a_closed_engine_raise_closed(self):
        writer = self.engine.listen_to_pcm_source(RATE, 1)
        self.engine.close()
        self.engine.close()
        calls = [
            lambda: self.engine.status(),
            lambda: self.engine.next_upload_task(),
            lambda: self.engine.withdraw(),
            lambda: self.engine.listen_to_pcm_source(RATE, 1),
            lambda: self.engine.submit(FLOATS_10_MS, RATE),
        ]
        for call in calls:
            with app.raises(self, sordino.SordinoError.Closed, "closed"):
                call()
        with self.assertRaises(sordino.SordinoError.Stopped):
            writer.push(FLOATS_10_MS)

    def test_consent_persists_after_the_engine_is_closed(self):
        self.consent()
        self.engine.close()
        self.engine = self.open()
        self.addCleanup(self.engine.close)
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.GRANTED)

    def test_only_one_source_is_open_at_a_time(self):
        writer = self.engine.listen_to_pcm_source(RATE, 1)
        with app.raises(self, sordino.SordinoError.AlreadyListening, "already-listening"):
            self.engine.listen_to_pcm_source(RATE, 1)
        writer.stop()
        writer.stop()
        self.engine.listen_to_pcm_source(RATE, 2).stop()

    def test_dropping_the_writer_stops_listening(self):
        writer = self.engine.listen_to_pcm_source(RATE, 1)
        del writer
        self.engine.listen_to_pcm_source(RATE, 1).stop()

    def test_calls_from_many_threads_all_return(self):
        self.engine.install_plan(self.organization.plan)
        errors = []

        def work():
            try:
                for _ in range(25):
                    self.consent()
                    self.engine.status()
                    self.engine.next_upload_task()
                    self.engine.withdraw()
            except Exception as error:  # any error fails the test below
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(app.TIMEOUT)
        self.assertEqual(errors, [])
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.WITHDRAWN)

    def test_closing_leaves_no_files_or_threads(self):
        def held():
            kinds = ("fd", "task")
            return [len(list(pathlib.Path("/proc/self", kind).iterdir())) for kind in kinds]

        if not pathlib.Path("/proc/self/fd").exists():
            self.skipTest("there is no /proc to count in")
        self.engine.close()
        before = held()
        for _ in range(50):
            engine = self.open()
            engine.listen_to_pcm_source(RATE, 1, app.Recognizer()).push(FLOATS_10_MS)
            engine.close()
        # The system may list a thread for a moment after it has ended.
        app.wait_until(lambda: all(now <= then for now, then in zip(held(), before)))

    def test_a_program_may_exit_while_it_listens(self):
        program = """
import sys, app, sordino
engine = sordino.Sordino.open(*sys.argv[1:])
writer = engine.listen_to_pcm_source(48_000, 1, app.Recognizer())
writer.push(bytes(4 * 48_000))
"""
        arguments = [str(self.state) + "-other", self.organization.key, NOWHERE]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=app.TIMEOUT
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class BadInput(EngineTest):
    def test_bytes_that_are_not_whole_frames_are_refused(self):
        stereo = self.engine.listen_to_pcm_source(RATE, 2)
        self.assertEqual(stereo.push(bytes(8)), 0)
        self.assertEqual(stereo.push_i16(bytes(4)), 0)
        for push, size in [(stereo.push, 4), (stereo.push, 9), (stereo.push_i16, 2)]:
            with app.raises(self, sordino.SordinoError.Argument, "invalid-argument"):
                push(bytes(size))
        stereo.stop()
        with app.raises(self, sordino.SordinoError.Argument, "invalid-argument"):
            self.engine.submit(bytes(5), RATE)

    def test_sound_of_the_wrong_type_is_a_type_error(self):
        writer = self.engine.listen_to_pcm_source(RATE, 1)
        for wrong in ([0.0], 1.0, None, "sound"):
            with self.assertRaises(TypeError):
                writer.push(wrong)
        writer.stop()

    def test_nan_becomes_silence_and_is_reported(self):
        recognizer, log = app.Recognizer(), app.EventLog()
        self.engine.set_event_listener(log)
        writer = self.engine.listen_to_pcm_source(RATE, 1, recognizer)
        writer.push(array.array("f", [0.5, NAN, float("inf"), -0.5]).tobytes())
        writer.stop()
        received = array.array("f", bytes(recognizer.received))
        self.assertEqual(list(received), [0.5, 0.0, 0.0, -0.5])
        captured = [event.event for event in log.of(sordino.Event.CAPTURE)]
        [non_finite] = [event for event in captured if event.is_non_finite()]
        self.assertEqual(non_finite.samples, 2)

    def test_an_empty_clip_or_one_with_nan_is_refused(self):
        self.consent()
        for samples, code in [([0.0, NAN], "non-finite-sample"), ([], "empty-clip")]:
            with app.raises(self, sordino.SordinoError.Clip, code):
                self.engine.submit(array.array("f", samples).tobytes(), RATE)
        for rate in (0, 7_999, 384_001):
            with app.raises(self, sordino.SordinoError.Clip, "unsupported-rate"):
                self.engine.submit(FLOATS_10_MS, rate)

    def test_an_unsupported_format_keeps_the_old_one(self):
        for rate, channels in [(0, 1), (RATE, 0)]:
            with self.assertRaises(sordino.SordinoError.Capture):
                self.engine.listen_to_pcm_source(rate, channels)
        writer = self.engine.listen_to_pcm_source(RATE, 1)
        with self.assertRaises(sordino.SordinoError.Capture):
            writer.change_format(1, 1)
        self.assertEqual(writer.push(FLOATS_10_MS), 0)
        writer.stop()

    def test_dropped_frames_are_counted(self):
        free = threading.Event()

        class Slow(sordino.FrameListener):
            def on_frame(self, frame):
                free.wait(app.TIMEOUT)

        writer = self.engine.listen_to_pcm_source(RATE, 1, Slow())
        with self.assertWarns(RuntimeWarning):
            lost = writer.push(FLOATS_10_MS * 400)
        free.set()
        writer.stop()
        self.assertGreaterEqual(lost, 2 * RATE - RATE // 50)

    def test_an_annotation_with_free_text_is_refused(self):
        annotation = sordino.Annotation(tag="Lisa's song")
        with app.raises(self, sordino.SordinoError.Annotation, "invalid-annotation"):
            self.engine.submit(FLOATS_10_MS, RATE, annotation)

    def test_invalid_arguments_say_what_is_wrong(self):
        outcome = sordino.UploadResult.UNREACHABLE(reason="no network")
        open_with = sordino.Sordino.open
        folder, key = str(self.state) + "-other", self.organization.key
        wrong = [
            ("64 hexadecimal", lambda: open_with(folder, "abc", NOWHERE)),
            ("https://", lambda: open_with(folder, key, "ftp://collector.example")),
            ("this very machine", lambda: open_with(folder, key, "http://collector.example")),
            ("32 lower-case", lambda: self.engine.delete("sample")),
            ("not an upload task", lambda: self.engine.process_upload_result("send", outcome)),
        ]
        for says, call in wrong:
            with self.assertRaisesRegex(sordino.SordinoError.Argument, says):
                call()
        self.assertFalse(pathlib.Path(folder).exists())

    def test_errors_have_a_kind_and_a_message_of_one_line(self):
        errors = sordino.SordinoError
        notice = app.notice(1)
        adult, quality = sordino.AgeBand.ADULT, [sordino.Purpose.QUALITY_ASSURANCE]
        calls = [
            (errors.Consent, "no-plan", lambda: self.engine.give_consent(quality, adult, notice)),
            (errors.Consent, "no-plan", lambda: self.engine.approve(sordino.GuardianMethod.EMAIL_PLUS)),
            (errors.Consent, "no-plan", lambda: self.engine.notice("en", app.INFO)),
            (errors.Plan, "plan-unsigned", lambda: self.engine.install_plan(b"{}")),
            (errors.Outbox, "no-such-sample", lambda: self.engine.delete("0" * 32)),
            (errors.Mark, "not-listening", lambda: self.engine.mark(sordino.Moment())),
        ]
        for kind, code, call in calls:
            with self.assertRaises(kind) as raised:
                call()
            error = raised.exception
            self.assertEqual(error.code, code)
            self.assertEqual(str(error), error.message)
            self.assertTrue(error.message and "\n" not in error.message, error.message)
            copy = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(copy), copy.code, copy.message), (kind, error.code, error.message))

    def test_the_notice_is_built_from_the_plan_in_force(self):
        self.engine.install_plan(self.organization.plan)
        plan = self.engine.plan()
        terms = sordino.NoticeTerms(
            version=plan.notice_version, consent_days=plan.consent_days, retention_days=plan.retention_days
        )
        self.assertEqual(self.engine.notice("de", app.INFO), sordino.bundled_notice("de", app.INFO, terms))

    def test_a_child_waits_for_its_guardian(self):
        self.engine.install_plan(self.organization.plan)
        notice = sordino.Notice(version=1, language="de", text="Darf die App zuhören?")
        quality = [sordino.Purpose.QUALITY_ASSURANCE]
        self.engine.give_consent(quality, sordino.AgeBand.CHILD, notice)
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.AWAITING_GUARDIAN)
        self.assertEqual(self.engine.sampling_blocked(), sordino.WithheldReason.NO_CONSENT)
        with self.assertRaises(sordino.SordinoError.Consent):
            self.engine.approve(sordino.GuardianMethod.PAYMENT_CARD, b"too short")
        receipt = self.engine.approve(sordino.GuardianMethod.PAYMENT_CARD, b"the number of the payment")
        self.assertIn("sordino:evidence-hash", receipt)
        self.assertIsNone(self.engine.sampling_blocked())


class Docs(unittest.TestCase):
    def test_everything_exported_is_documented(self):
        exported = [getattr(sordino, name) for name in sordino.__all__ if name != "InternalError"]
        classes = [item for item in exported if inspect.isclass(item)]
        self.assertIn(sordino.Sordino, classes)
        for item in exported:
            if inspect.isclass(item) or inspect.isfunction(item):
                self.assertTrue(inspect.getdoc(item), item)
        for item in (sordino.Sordino, sordino.PcmWriter, sordino.FrameListener, sordino.EventListener):
            for name, method in inspect.getmembers(item, inspect.isfunction):
                if not name.startswith("_"):
                    self.assertTrue(inspect.getdoc(method), f"{item.__name__}.{name}")


if __name__ == "__main__":
    unittest.main()
