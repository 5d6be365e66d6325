"""`Dataset.worst_notes` gives the same as `sordino query`."""

import json
import math
import pathlib
import random
import tempfile
import unittest

from organization import run

import sordino
from sordino._scoring import to_notes
from sordino._sordino.sordino import align_notes

CASES = pathlib.Path(__file__).parents[3] / "tests/vectors/alignment/cases.json"
BY = ("note", "exercise", "exercise,note")
METRICS = ("f1", "missed", "wrong", "extra")


def manifest(sample, record, drawn):
    """The manifest of a clip with a few notes and every kind of error."""
    expected, recognized = [], []
    for step in range(drawn.randint(0, 12)):
        note = {"midi": drawn.randint(58, 66), "onset": round(0.4 * (step // 2), 3)}
        expected.append(note)
        found = {"midi": note["midi"], "onset": note["onset"] + drawn.choice([0, 0.02, 0.05, 0.0501, 0.2])}
        fate = drawn.random()
        if fate < 0.2:
            found["midi"] = min(127, note["midi"] + drawn.choice([1, -1, 12]))
        if fate < 0.85:
            recognized.append(found)
    for _ in range(drawn.randint(0, 2)):
        recognized.append({"midi": drawn.randint(50, 70), "onset": drawn.uniform(0, 3)})
    annotation = {"expected": expected, "recognised": recognized}
    if drawn.random() < 0.8:
        annotation["tag"] = f"etude/{record % 3}"
    return {
        "schema": 1, "sample": sample, "purposes": ["quality-assurance"], "consent": f"{record:032x}",
        "notice_version": 1, "week": "2026-W48", "sdk_version": "0.1.0", "platform": "linux",
        "input_rate": 48_000, "rate": 16_000, "kept": [[0, 5]], "removed": [], "erased": [],
        "selection": {
            "trigger": drawn.choice(["random", "random", "mark"]), "probability": drawn.choice([1.0, 0.5, 0.02]),
        },
        "annotation": annotation,
        "anonymizer": {
            "version": "2", "detector": "none", "threshold": 0.5, "padding_s": 0.2, "gate": "none",
            "gate_threshold": 0.5, "shortest_kept_s": 1.0, "rate": 16_000, "high_pass_hz": 30.0,
            "level_dbfs": -20.0, "ceiling_dbfs": -1.0, "keep_time": False,
        },
    }  # fmt: skip


class WorstNotes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def dataset(self, seed, clips):
        drawn = random.Random(seed)
        samples = {}
        for place in range(clips):
            sample = f"{place + 1:032x}"
            (self.folder / sample).mkdir()
            (self.folder / sample / "audio.flac").touch()
            record = drawn.randint(0, max(2, clips // 4))
            samples[sample] = {"pulled_for": ["quality-assurance"], "manifest": manifest(sample, record, drawn)}
        index = {"collector": "http://127.0.0.1:1/", "format": "bundle", "samples": samples}
        (self.folder / ".sordino-pull.json").write_text(json.dumps(index), encoding="utf-8")
        return sordino.Dataset(self.folder)

    def test_worst_notes_are_the_same_as_of_sordino_query(self):
        dataset = self.dataset(1, 120)
        intervals = 0
        for by in BY:
            for metric in METRICS:
                for tolerance in (50, 120):
                    ours = dataset.worst_notes(by=by, metric=metric, tolerance_ms=tolerance, worst=1000)
                    theirs = [
                        (group["trigger"], row)
                        for group in run(
                            "sordino", "query", self.folder, "--by", by, "--metric", metric,
                            "--tolerance", tolerance, "--worst", 1000,
                        )  # fmt: skip
                        for row in group["rows"]
                    ]
                    with self.subTest(by=by, metric=metric, tolerance=tolerance):
                        self.assertEqual(len(ours), len(theirs))
                        # By key: the order of equal values depends on the last bit.
                        rows = {(trigger, row.get("exercise"), row.get("midi")): row for trigger, row in theirs}
                        for mine in ours:
                            self.same(mine, rows[mine.trigger, mine.exercise, mine.midi])
                        intervals += sum(mine.interval is not None for mine in ours)
        self.assertGreater(intervals, 200)

    def same(self, mine, row):
        names = ("samples", "records", "expected", "recognized", "missed", "wrong", "extra")
        for name in names:
            self.assertEqual(getattr(mine, name), row.get(name.replace("recognized", "recognised")), name)
        self.assertTrue(math.isclose(mine.value, row["value"], abs_tol=1e-12))
        self.assertEqual(mine.interval is None, row["interval"] is None)
        for end, other in zip(mine.interval or (), row["interval"] or ()):
            self.assertTrue(math.isclose(end, other, rel_tol=1e-9, abs_tol=1e-12), (mine, row))

    def test_filters_apply_first_and_rows_without_interval_come_last(self):
        dataset = self.dataset(2, 60)
        rows = dataset.filter(tag="etude/1").worst_notes(by="exercise", trigger="random")
        self.assertEqual({(row.exercise, row.trigger) for row in rows}, {("etude/1", "random")})
        rows = dataset.worst_notes(by="exercise,note", trigger="random", worst=1000)
        few = [row.interval is None for row in rows]
        self.assertEqual(few, sorted(few))
        self.assertTrue(few[-1] and not few[0])
        self.assertEqual(len(dataset.worst_notes(trigger="mark", worst=3)), 3)

    def test_the_alignment_matches_the_shared_cases(self):
        for case in json.loads(CASES.read_text()):
            ours = align_notes(to_notes(case["expected"]), to_notes(case["recognised"]), case["tolerance"])
            pairs = [sorted([pair.expected, pair.recognized] for pair in found) for found in (ours.right, ours.wrong)]
            found = [*pairs, sorted(ours.missed), sorted(ours.extra)]
            with self.subTest(case["name"]):
                self.assertEqual(found, [case[name] for name in ("right", "wrong", "missed", "extra")])

    def test_an_unknown_argument_lists_the_known_values(self):
        dataset = self.dataset(3, 1)
        for wrong in ({"by": "bar"}, {"metric": "F1"}, {"trigger": "both"}):
            [(name, value)] = wrong.items()
            with self.assertRaisesRegex(ValueError, f"{name} must be .*{value}"):
                dataset.worst_notes(**wrong)


if __name__ == "__main__":
    unittest.main()
