"""The installed wheel, its types, and the quick start."""

import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

from organization import ROOT, Collector, Organization

import app
import sordino

EXAMPLE = """
import numpy as np
import numpy.typing as npt
import sordino


def handle(frame: sordino.Frame) -> float:
    array: npt.NDArray[np.float32] = frame.array
    return float(array.mean())


def run(folder: str, key: str) -> int:
    with sordino.Sordino.open(folder, key, "https://c.example", review_required=True) as engine:
        with engine.listen_to_pcm_source(48_000, 2, lambda frame: handle(frame)) as writer:
            lost: int = writer.push(np.zeros((480, 2), np.int16))
        outcome = engine.submit(np.zeros(48_000, np.float32), 48_000, sordino.Annotation(tag="a"))
        if isinstance(outcome, sordino.SubmitOutcome.WITHHELD):
            reason: sordino.WithheldReason = outcome.reason
            print(reason.name)
        try:
            engine.mark(sordino.Moment(at=0))
        except sordino.SordinoError.Mark as error:
            print(str(error))
        for frame in engine.frames():
            lost += frame.lost
    return lost


def read(folder: str) -> float:
    seconds = 0.0
    for sample in sordino.Dataset(folder).filter(tag="hanon/", trigger="mark"):
        notes = sample.manifest["annotation"]["expected"]
        seconds += sample.seconds + len(notes)
    left = sordino.anonymize(np.zeros(100), 8_000)
    return seconds + sum(span.end_s for span in left.removed)
"""


def run(*command, **options):
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=app.TIMEOUT, check=False, **options
    )
    return done.returncode, done.stdout + done.stderr


class Wheel(unittest.TestCase):
    def test_the_installed_package_is_tested(self):
        self.assertNotIn(str(ROOT / "bindings"), sordino.__file__)

    def test_the_metadata_is_complete(self):
        metadata = importlib.metadata.metadata("sordino")
        self.assertEqual(sordino.__version__, metadata["Version"])
        self.assertEqual(metadata["Requires-Python"], ">=3.9")
        self.assertEqual(metadata["License"], "MIT OR Apache-2.0")
        self.assertIn("Sordino for Python", metadata.get_payload())
        needs = importlib.metadata.requires("sordino")
        self.assertTrue(any(need.startswith("numpy") for need in needs), needs)
        self.assertTrue(any("matplotlib" in need and "plot" in need for need in needs), needs)

    @unittest.skipUnless("SORDINO_WHEEL" in os.environ, "no wheel is named")
    def test_the_wheel_has_library_types_licenses_and_marker(self):
        wheel = pathlib.Path(os.environ["SORDINO_WHEEL"])
        self.assertRegex(wheel.name, r"^sordino-[\d.]+-py3-none-\w+\.whl$")
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
        for needed in ("py.typed", "_sordino/sordino.pyi", "_sordino/sordino.py"):
            self.assertIn(f"sordino/{needed}", names)
        for notice in ("LICENSE-MIT", "LICENSE-APACHE", "silero_vad_16k.LICENSE", "CREDITS.md"):
            self.assertIn(f"sordino-{sordino.__version__}.dist-info/licenses/{notice}", names)
        self.assertTrue(any(re.search(r"libsordino\.(so|dylib)$", name) for name in names))
        self.assertFalse([name for name in names if "test" in name], names)


class Types(unittest.TestCase):
    def test_package_and_example_pass_mypy_strict(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "program.py"
            program.write_text(EXAMPLE, encoding="utf-8")
            mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder]
            self.assertEqual(run(*mypy, str(program), cwd=folder)[0], 0, run(*mypy, str(program), cwd=folder))
            status, printed = run(*mypy, "-p", "sordino", cwd=folder)
            self.assertEqual(status, 0, printed)

    def test_the_quick_start_passes_mypy_strict(self):
        for program in quick_start():
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "program.py"
                path.write_text(program, encoding="utf-8")
                mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder]
                status, printed = run(*mypy, str(path), cwd=folder)
                self.assertEqual(status, 0, printed)

    def test_a_wrong_program_fails_mypy(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "program.py"
            program.write_text(EXAMPLE.replace("frame.array\n", "frame.samples\n"), encoding="utf-8")
            mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder]
            status, printed = run(*mypy, str(program), cwd=folder)
            self.assertEqual(status, 1, printed)
            self.assertIn("Incompatible types in assignment", printed)


PAGE = ROOT / "docs" / "quickstart" / "python.md"


def quick_start():
    """The programs of the page: the blocks for apps, and those for readers."""
    blocks = re.findall(r"^```python( reader)?\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    app = "".join(code for reader, code in blocks if not reader)
    return app, "".join(code for reader, code in blocks if reader)


class QuickStart(unittest.TestCase):
    def test_the_quick_start_runs(self):
        self.assertLessEqual(len(PAGE.read_text(encoding="utf-8").splitlines()), 80)
        app, reader = quick_start()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            organization = Organization(folder)
            collector = Collector(organization)
            self.addCleanup(collector.stop)
            recording = ROOT / "samples" / "audio" / "flute-alone.wav"
            shutil.copy(recording, folder / "practice.wav")
            # The files that the organization gives to the developer.
            app = app.replace("YOUR-ORGANIZATION-KEY", organization.key)
            app = app.replace("https://collector.example", collector.url)
            status, printed = run(sys.executable, "-W", "error", "-c", app, cwd=folder)
            self.assertEqual(status, 0, printed)
            self.assertIn("received 8.9 s of 8.9 s, 0 frames lost", printed)
            self.assertIn("QUEUED", printed)
            self.assertIn("samples=1", printed)
            self.assertEqual(collector.pull(folder / "dataset")["pulled"], 1)
            status, printed = run(sys.executable, "-c", reader, cwd=folder)
            self.assertEqual(status, 0, printed)
            self.assertIn("<OpenedSample", printed)


if __name__ == "__main__":
    unittest.main()
