"""Processes that are forked while an engine is open: they touch nothing of it, and their parent's goes on."""

import multiprocessing
import os
import subprocess
import sys
import threading
import traceback
import unittest

import numpy as np
from device import NOWHERE, RATE, Device
from organization import ROOT

import app
import sordino

PIECE = np.linspace(-0.5, 0.5, 480, dtype=np.float32)


def in_fork(work):
    """Runs `work` in a forked process, which ends as a program does, and returns whether all of it went well."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def closed(call):
    try:
        call()
    except sordino.SordinoError.Closed as error:
        assert "forked" in str(error), error
    else:
        raise AssertionError("it was to raise Closed")


def offer(engine, outcomes):
    """What a worker does that was handed an engine."""
    try:
        outcomes.put(repr(engine.offer(PIECE, RATE)))
    except Exception as error:
        outcomes.put(type(error).__name__)


@unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
class Forks(Device):
    def consent(self):
        self.engine.install_plan(self.organization.plan)
        self.engine.give_consent([sordino.Purpose.QUALITY_ASSURANCE], sordino.AgeBand.ADULT, app.notice(1))

    def sealed(self):
        return sorted((self.state / "outbox").iterdir())

    def test_every_call_raises_closed_and_touches_no_file(self):
        self.consent()
        sound, rate = app.read_wav(ROOT / "samples" / "audio" / "flute-alone.wav")
        self.assertIsInstance(self.engine.offer(np.array(sound), rate), sordino.Offer.QUEUED)
        feed = self.engine.listen_to_host(RATE, 1, lambda frame: None)
        frames = self.engine._frames(lambda ear: feed)
        before = {path: path.read_bytes() for path in self.state.rglob("*") if path.is_file()}
        calls = [
            lambda: self.engine.offer(np.array(sound), rate),
            self.engine.withdraw,
            self.engine.delete_all,
            self.engine.status,
            self.engine.samples,
            self.engine.plan,
            self.engine.previews,
            self.engine.next_request,
            self.engine.upload_now,
            self.engine.export_my_data,
            self.engine.shut_down,
            self.engine.microphone,
            lambda: self.engine.mark(sordino.Moment()),
            lambda: self.engine.listen_to_host(RATE, 1),
            lambda: self.engine.set_event_listener(print),
            lambda: feed.push(PIECE),
            lambda: feed.push(PIECE.tobytes()),
            lambda: feed.write(PIECE, 1.0),
            lambda: feed.lose(1),
            feed.stop,
            frames.close,
            lambda: next(frames),
        ]

        def work():
            for call in calls:
                closed(call)
            assert "forked" in repr(self.engine), self.engine

        self.assertTrue(in_fork(work))
        self.assertEqual({path: path.read_bytes() for path in before}, before)
        feed.stop()
        self.assertEqual(self.engine.withdraw().shredded, 1)
        self.assertEqual(self.sealed(), [])

    def test_a_worker_of_multiprocessing_seals_nothing_that_outlives_a_withdrawal(self):
        self.consent()
        context = multiprocessing.get_context("fork")
        outcomes = context.SimpleQueue()
        worker = context.Process(target=offer, args=(self.engine, outcomes))
        worker.start()
        worker.join()
        self.assertEqual((worker.exitcode, outcomes.get()), (0, "Closed"))
        outcomes.close()
        worker.close()
        self.assertEqual(self.sealed(), [])
        self.engine.withdraw()
        self.assertEqual(self.sealed(), [])
        self.assertEqual(self.engine.samples(), [])

    def test_letting_go_in_the_child_keeps_the_parents_folder_locked_and_its_feed_open(self):
        feeds = [self.engine.listen_to_host(RATE, 1, lambda frame: None)]

        def work():
            feeds.clear()
            engine, self.engine = self.engine, None
            engine.__del__()
            del engine

        self.assertTrue(in_fork(work))
        with self.assertRaisesRegex(sordino.SordinoError.State, "in use"):
            sordino.Sordino.open(self.state, self.organization.key, NOWHERE)
        self.assertEqual(feeds[0].push(PIECE), 0)
        feeds[0].stop()
        self.assertEqual(self.engine.status().pending, 0)

    def test_a_child_that_ends_as_programs_do_ends_well(self):
        # Its exit handlers shut all engines down that are open.
        program = """
import os, sys, sordino
engine = sordino.Sordino.open(*sys.argv[1:])
feed = engine.listen_to_host(48_000, 1, lambda frame: None)
child = os.fork()
if child == 0:
    sys.exit(0)
ended = os.waitpid(child, 0)[1]
feed.push(bytes(4))
print(ended, engine.status().pending)
"""
        command = [sys.executable, "-c", program, f"{self.state}-other", self.organization.key, NOWHERE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=app.PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "0 0\n", ""))

    def test_forks_at_any_instant_neither_hang_nor_harm(self):
        self.consent()
        over = threading.Event()

        def work():
            while not over.is_set():
                self.engine.status()
                self.engine.next_request()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        with self.engine.listen_to_host(RATE, 1, lambda frame: None) as feed:
            for _ in range(20):
                feed.push(PIECE)
                self.assertTrue(in_fork(lambda: [closed(self.engine.status), closed(feed.stop)]))
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.GRANTED)

    def test_a_child_may_open_a_folder_of_its_own(self):
        def work():
            with sordino.Sordino.open(f"{self.state}-child", self.organization.key, NOWHERE) as engine:
                assert engine.status().pending == 0

        self.assertTrue(in_fork(work))
        self.assertEqual(self.engine.status().pending, 0)


if __name__ == "__main__":
    unittest.main()
