"""The most frequent errors of the app's recognizer, counted by the library as `sordino query` does.
`docs/evaluating.md` has the definitions and their sources."""

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Tuple

from ._manifest import Manifest, ManifestNote
from ._sordino import sordino as _bindings

NO_EXERCISE = "(no tag)"
TRIGGERS = ("random", "mark")
METRICS = {
    "missed": _bindings.Metric.MISSED,
    "extra": _bindings.Metric.EXTRA,
    "wrong": _bindings.Metric.WRONG,
    "f1": _bindings.Metric.F1,
}
GROUPS = {
    "exercise": _bindings.GroupBy.EXERCISE,
    "note": _bindings.GroupBy.NOTE,
    "exercise,note": _bindings.GroupBy.EXERCISE_AND_NOTE,
}


@dataclass(frozen=True)
class NoteErrors:
    """The recognizer's errors on a note, an exercise, or a note of an exercise, in clips of one trigger."""

    #: `random` or `mark`: they estimate different quantities.
    trigger: str
    #: The exercise's tag, if rows are of exercises.
    exercise: Optional[str]
    #: The MIDI note, if rows are of notes.
    midi: Optional[int]
    #: Number of clips.
    samples: int
    #: Number of consent records; None if there are fewer than five.
    records: Optional[int]
    #: Numbers of notes, unweighted. `wrong` are expected notes for which another pitch was recognized.
    expected: int
    recognized: int
    missed: int
    wrong: int
    extra: int
    #: The estimate of the metric, weighted by one over the probability of selection.
    value: float
    #: The 95 % interval; None if there are fewer than five consent records.
    interval: Optional[Tuple[float, float]]


def worst_notes(
    manifests: Iterable[Manifest], by: str, metric: str, worst: int, trigger: Optional[str], tolerance_ms: float
) -> List[NoteErrors]:
    """As `Dataset.worst_notes`."""
    for name, given, known in (("by", by, tuple(GROUPS)), ("metric", metric, tuple(METRICS))):
        if given not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, not {given!r}")
    if trigger not in (None, *TRIGGERS):
        raise ValueError(f"trigger must be 'random', 'mark' or None, not {trigger!r}")
    clips: Dict[str, List[_bindings.AnnotatedClip]] = {each: [] for each in TRIGGERS}
    for manifest in manifests:
        clips[manifest["selection"]["trigger"]].append(_clip(manifest))
    rows: List[NoteErrors] = []
    for each in TRIGGERS:
        if trigger in (None, each):
            found = _bindings.worst_notes(clips[each], GROUPS[by], METRICS[metric], tolerance_ms / 1e3)
            rows += [_row(each, row) for row in found[:worst]]
    return rows


def _clip(manifest: Manifest) -> _bindings.AnnotatedClip:
    annotation = manifest["annotation"]
    return _bindings.AnnotatedClip(
        consent=manifest["consent"],
        probability=manifest["selection"]["probability"],
        exercise=annotation.get("tag") or NO_EXERCISE,
        expected=to_notes(annotation.get("expected", [])),
        recognized=to_notes(annotation.get("recognised", [])),
    )


def to_notes(notes: Iterable[ManifestNote]) -> List[_bindings.Note]:
    """The notes of a manifest as the library takes them."""
    return [_bindings.Note(midi=note["midi"], onset=note["onset"]) for note in notes]


def _row(trigger: str, row: _bindings.NoteErrorRow) -> NoteErrors:
    return NoteErrors(
        trigger=trigger,
        exercise=row.exercise,
        midi=row.midi,
        samples=row.clips,
        records=row.records,
        expected=row.expected,
        recognized=row.recognized,
        missed=row.missed,
        wrong=row.wrong,
        extra=row.extra,
        value=row.value,
        interval=(row.interval[0], row.interval[1]) if row.interval else None,
    )
