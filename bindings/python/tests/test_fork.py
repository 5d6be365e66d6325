"""Processes forked while an engine is open: they do not touch it, and the parent's continues."""

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

BLOCK = np.linspace(-0.5, 0.5, 480, dtype=np.float32)


def in_fork(work):
    """Runs `work` in a forked process that exits normally, and returns whether it succeeded."""
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


def submit(engine, outcomes):
    """A worker that was passed an engine."""
    try:
        outcomes.put(repr(engine.submit(BLOCK, RATE)))
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
        self.assertIsInstance(self.engine.submit(np.array(sound), rate), sordino.SubmitOutcome.QUEUED)
        writer = self.engine.listen_to_pcm_source(RATE, 1, lambda frame: None)
        frames = self.engine._frames(lambda callback: writer)
        before = {path: path.read_bytes() for path in self.state.rglob("*") if path.is_file()}
        calls = [
            lambda: self.engine.submit(np.array(sound), rate),
            self.engine.withdraw,
            self.engine.delete_all,
            self.engine.status,
            self.engine.samples,
            self.engine.plan,
            self.engine.previews,
            self.engine.next_upload_task,
            self.engine.upload,
            self.engine.export_my_data,
            self.engine.close,
            self.engine.frames,
            lambda: self.engine.mark(sordino.Moment()),
            lambda: self.engine.listen_to_pcm_source(RATE, 1),
            lambda: self.engine.set_event_listener(print),
            lambda: writer.push(BLOCK),
            lambda: writer.push(BLOCK.tobytes()),
            lambda: writer.write(BLOCK, 1.0),
            lambda: writer.report_dropped(1),
            writer.stop,
            frames.close,
            lambda: next(frames),
        ]

        def work():
            for call in calls:
                closed(call)
            assert "forked" in repr(self.engine), self.engine

        self.assertTrue(in_fork(work))
        self.assertEqual({path: path.read_bytes() for path in before}, before)
        writer.stop()
        self.assertEqual(self.engine.withdraw().shredded, 1)
        self.assertEqual(self.sealed(), [])

    def test_a_multiprocessing_worker_seals_nothing(self):
        self.consent()
        context = multiprocessing.get_context("fork")
        outcomes = context.SimpleQueue()
        worker = context.Process(target=submit, args=(self.engine, outcomes))
        worker.start()
        worker.join()
        self.assertEqual((worker.exitcode, outcomes.get()), (0, "Closed"))
        outcomes.close()
        worker.close()
        self.assertEqual(self.sealed(), [])
        self.engine.withdraw()
        self.assertEqual(self.sealed(), [])
        self.assertEqual(self.engine.samples(), [])

    def test_dropping_in_the_child_does_not_affect_the_parent(self):
        writers = [self.engine.listen_to_pcm_source(RATE, 1, lambda frame: None)]

        def work():
            writers.clear()
            engine, self.engine = self.engine, None
            engine.__del__()
            del engine

        self.assertTrue(in_fork(work))
        with app.raises(self, sordino.SordinoError.State, "in-use"):
            sordino.Sordino.open(self.state, self.organization.key, NOWHERE)
        self.assertEqual(writers[0].push(BLOCK), 0)
        writers[0].stop()
        self.assertEqual(self.engine.status().pending, 0)

    def test_a_forked_child_exits_normally(self):
        # Its exit handlers close all open engines.
        program = """
import os, sys, sordino
engine = sordino.Sordino.open(*sys.argv[1:])
writer = engine.listen_to_pcm_source(48_000, 1, lambda frame: None)
child = os.fork()
if child == 0:
    sys.exit(0)
ended = os.waitpid(child, 0)[1]
writer.push(bytes(4))
print(ended, engine.status().pending)
"""
        command = [sys.executable, "-c", program, f"{self.state}-other", self.organization.key, NOWHERE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=app.TIMEOUT, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "0 0\n", ""))

    def test_forks_at_any_time_do_not_hang(self):
        self.consent()
        over = threading.Event()

        def work():
            while not over.is_set():
                self.engine.status()
                self.engine.next_upload_task()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        with self.engine.listen_to_pcm_source(RATE, 1, lambda frame: None) as writer:
            for _ in range(20):
                writer.push(BLOCK)
                self.assertTrue(in_fork(lambda: [closed(self.engine.status), closed(writer.stop)]))
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.GRANTED)

    def test_a_child_may_open_another_folder(self):
        def work():
            with sordino.Sordino.open(f"{self.state}-child", self.organization.key, NOWHERE) as engine:
                assert engine.status().pending == 0

        self.assertTrue(in_fork(work))
        self.assertEqual(self.engine.status().pending, 0)


if __name__ == "__main__":
    unittest.main()
