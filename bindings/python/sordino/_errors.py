"""The notes that the app's recognizer gets wrong most: the definitions of `sordino query`, and a test holds both
together. `docs/evaluating.md` states them with their sources."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from ._manifest import Manifest, ManifestNote

#: Of fewer consent records no interval is given.
FEWEST_RECORDS = 5
NO_EXERCISE = "(no tag)"
METRICS = ("missed", "extra", "wrong", "f1")
BY = ("exercise", "note", "exercise,note")


@dataclass(frozen=True)
class NoteErrors:
    """How the recognizer did on a note, an exercise, or a note of an exercise, over clips of one trigger."""

    #: `random` or `mark`: the two estimate different things.
    trigger: str
    #: The exercise's tag, where rows are of exercises.
    exercise: Optional[str]
    #: The MIDI note, where rows are of notes.
    midi: Optional[int]
    #: Clips.
    samples: int
    #: Consent records that they are of; None where they are fewer than five.
    records: Optional[int]
    #: Notes, not weighted. `wrong` are expected notes for which another was recognized.
    expected: int
    recognized: int
    missed: int
    wrong: int
    extra: int
    #: The estimate of the metric, weighted by one over the probability of selection.
    value: float
    #: Where the truth is 95 times in a hundred; None where there are too few people for it.
    interval: Optional[Tuple[float, float]]


@dataclass
class _Sums:
    expected: float = 0.0
    recognized: float = 0.0
    right: float = 0.0
    wrong: float = 0.0
    missed: float = 0.0
    extra: float = 0.0

    def add(self, other: "_Sums", weight: float) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + weight * getattr(other, name))

    def part_and_whole(self, metric: str) -> Tuple[float, float]:
        if metric == "f1":
            return 2 * self.right, self.expected + self.recognized
        whole = self.recognized if metric == "extra" else self.expected
        return float(getattr(self, metric)), whole


@dataclass
class _Cell:
    samples: int = 0
    counts: _Sums = field(default_factory=_Sums)
    records: Dict[str, _Sums] = field(default_factory=lambda: defaultdict(_Sums))

    def add(self, manifest: Manifest, counted: _Sums) -> None:
        self.samples += 1
        self.counts.add(counted, 1.0)
        self.records[manifest["consent"]].add(counted, 1 / manifest["selection"]["probability"])


class _Ratio(NamedTuple):
    value: float
    interval: Optional[Tuple[float, float]]


def worst_notes(
    manifests: Iterable[Manifest], by: str, metric: str, worst: int, trigger: Optional[str], tolerance_ms: float
) -> List[NoteErrors]:
    """As `Dataset.worst_notes`."""
    for name, given, known in (("by", by, BY), ("metric", metric, METRICS)):
        if given not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, not {given!r}")
    if trigger not in (None, "random", "mark"):
        raise ValueError(f"trigger must be 'random', 'mark' or None, not {trigger!r}")
    cells: Dict[Tuple[str, Optional[str], Optional[int]], _Cell] = defaultdict(_Cell)
    for manifest in manifests:
        chosen = manifest["selection"]["trigger"]
        if trigger not in (None, chosen):
            continue
        exercise = manifest["annotation"].get("tag") or NO_EXERCISE if "exercise" in by else None
        pitches = _by_pitch(manifest, tolerance_ms / 1e3)
        if "note" in by:
            for midi, sums in pitches.items():
                cells[chosen, exercise, midi].add(manifest, sums)
        else:
            total = _Sums()
            for sums in pitches.values():
                total.add(sums, 1.0)
            cells[chosen, exercise, None].add(manifest, total)
    rows: List[NoteErrors] = []
    for chosen in ("random", "mark"):
        found = [row for key, cell in cells.items() if key[0] == chosen for row in _row(key, cell, metric)]
        sign = 1 if metric == "f1" else -1
        found.sort(key=lambda row: (row.interval is None, sign * row.value, row.exercise or "", row.midi or 0))
        rows += found[:worst]
    return rows


def _row(
    key: Tuple[str, Optional[str], Optional[int]], cell: _Cell, metric: str
) -> Iterable[NoteErrors]:
    counts = cell.counts
    if metric == "f1" and not counts.expected:
        return  # only ever recognized: that is `extra`
    # In the order of the records, as `sordino query` adds them up.
    pairs = (sums.part_and_whole(metric) for _, sums in sorted(cell.records.items()))
    ratio = _ratio(pairs, counts.part_and_whole(metric)[1])
    if ratio is None:
        return
    people = len(cell.records)
    trigger, exercise, midi = key
    yield NoteErrors(
        trigger=trigger,
        exercise=exercise,
        midi=midi,
        samples=cell.samples,
        records=people if people >= FEWEST_RECORDS else None,
        expected=int(counts.expected),
        recognized=int(counts.recognized),
        missed=int(counts.missed),
        wrong=int(counts.wrong),
        extra=int(counts.extra),
        value=ratio.value,
        interval=ratio.interval,
    )


def _by_pitch(manifest: Manifest, tolerance: float) -> Dict[int, _Sums]:
    annotation = manifest["annotation"]
    expected, recognized = annotation.get("expected", []), annotation.get("recognised", [])
    right, wrong, missed, extra = align(expected, recognized, tolerance)
    sums: Dict[int, _Sums] = defaultdict(_Sums)
    for asked, _ in right:
        sums[expected[asked]["midi"]].add(_Sums(expected=1, recognized=1, right=1), 1.0)
    for asked, heard in wrong:
        sums[expected[asked]["midi"]].add(_Sums(expected=1, wrong=1), 1.0)
        # What was heard instead is not extra: it stood for the other.
        sums[recognized[heard]["midi"]].add(_Sums(recognized=1), 1.0)
    for asked in missed:
        sums[expected[asked]["midi"]].add(_Sums(expected=1, missed=1), 1.0)
    for heard in extra:
        sums[recognized[heard]["midi"]].add(_Sums(recognized=1, extra=1), 1.0)
    return sums


Pairs = List[Tuple[int, int]]


def align(
    expected: List[ManifestNote], recognized: List[ManifestNote], tolerance: float
) -> Tuple[Pairs, Pairs, List[int], List[int]]:
    """Which note was taken for which, as indices: right and wrong pairs, missed and extra notes.

    First as many notes as can be are paired with one of their pitch, in the order of time. Of what is left, those
    nearest in pitch are taken for each other, then those nearest in time.
    """
    free_expected, free_recognized = _by_time(expected), _by_time(recognized)

    def apart(asked: int, heard: int) -> int:
        # Tenths of a millisecond, as mir_eval rounds.
        return round(abs(expected[asked]["onset"] - recognized[heard]["onset"]) * 1e4)

    def fits(asked: int, heard: int) -> bool:
        return apart(asked, heard) / 1e4 <= tolerance

    right: Pairs = []
    for asked in list(free_expected):
        for heard in free_recognized:
            if expected[asked]["midi"] == recognized[heard]["midi"] and fits(asked, heard):
                right.append((asked, heard))
                free_expected.remove(asked)
                free_recognized.remove(heard)
                break
    candidates = [(a, h) for a in free_expected for h in free_recognized if fits(a, h)]
    candidates.sort(key=lambda pair: (abs(expected[pair[0]]["midi"] - recognized[pair[1]]["midi"]), apart(*pair)))
    wrong: Pairs = []
    taken_expected: Set[int] = set()
    taken_recognized: Set[int] = set()
    for asked, heard in candidates:
        if asked not in taken_expected and heard not in taken_recognized:
            taken_expected.add(asked)
            taken_recognized.add(heard)
            wrong.append((asked, heard))
    missed = [asked for asked in free_expected if asked not in taken_expected]
    extra = [heard for heard in free_recognized if heard not in taken_recognized]
    return right, wrong, missed, extra


def _by_time(notes: List[ManifestNote]) -> List[int]:
    return sorted(range(len(notes)), key=lambda index: (notes[index]["onset"], notes[index]["midi"]))


def _ratio(pairs: Iterable[Tuple[float, float]], counted: float) -> Optional[_Ratio]:
    """Hájek's ratio of weighted sums; its variance linearised over consent records; Wilson's interval of the size
    that has this variance, with Student's quantile."""
    records = [(part, whole) for part, whole in pairs if whole > 0]
    whole = sum(record[1] for record in records)
    if whole <= 0:
        return None
    value = min(1.0, sum(record[0] for record in records) / whole)
    count = len(records)
    if count < FEWEST_RECORDS:
        return _Ratio(value, None)
    squares = sum((part - value * each) ** 2 for part, each in records)
    variance = count / (count - 1) * squares / whole**2
    spread = value * (1 - value)
    if variance <= 1e-12 * spread or spread <= 1e-12:
        size = float(count)
    else:
        size = max(1.0, min(spread / variance, counted))
    return _Ratio(value, _wilson(value, size, _t_quantile(count - 1)))


def _wilson(value: float, size: float, quantile: float) -> Tuple[float, float]:
    square = quantile**2
    middle = value + square / (2 * size)
    half = quantile * math.sqrt(value * (1 - value) / size + square / (4 * size**2))
    scale = 1 + square / size
    return max(0.0, min(value, (middle - half) / scale)), min(1.0, max(value, (middle + half) / scale))


def _t_quantile(degrees: int) -> float:
    """The 0.975 quantile of Student's t: Abramowitz and Stegun, 26.7.5."""
    z = 1.959963984540054
    s = z * z
    terms = (
        (s + 1) * z / 4,
        ((5 * s + 16) * s + 3) * z / 96,
        (((3 * s + 19) * s + 17) * s - 15) * z / 384,
        ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945) * z / 92160,
    )
    return z + sum(term / float(degrees) ** (power + 1) for power, term in enumerate(terms))
