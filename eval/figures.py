"""Turns results into figures: one row per clip, then means with intervals."""

import collections
import dataclasses
import json
import pathlib

import numpy as np

import bootstrap
import analyze
import music
from attackers import restore, speaker, words
from bootstrap import Figure

CASES = {
    "music": "music alone",
    "alternate": "talk, play, talk",
    "whisper": "whispered between music",
    "far": "from across the room",
    "child": "child's voice over music, 0 dB",
    "over+6": "speech over music, +6 dB",
    "over+0": "speech over music, 0 dB",
    "over-6": "speech over music, −6 dB",
    "over-12": "speech over music, −12 dB",
    "over-18": "speech over music, −18 dB",
    "enrolmix": "20 s of speech over music, 0 dB",
    "speech": "speech alone",
    "singing": "singing alone",
    "singing-over": "singing over music, 0 dB",
    "humming": "humming over music",
    "vocal": "laughs, cries, screams between music",
    "vocal-over": "laughs, cries, screams over music",
    "crowd": "a crowd behind music",
    "noise": "noise alone",
}
OVER = [case for case in CASES if case.startswith("over")]
SPOKEN = [case for case in CASES if case not in ("music", "noise")]
WITH_MUSIC = [case for case in CASES if case not in ("speech", "singing", "noise")]
VOICE_KINDS = {
    "speech": "speech",
    "synthetic": "synthetic speech",
    "child": "children",
    "whisper": "whispers",
    "singing": "singing and humming",
    "vocal-sounds": "laughs, cries, screams",
    "crowd": "crowds",
}
# Kinds of voices in which words are counted; what speech recognition finds in the others is guessed.
WITH_WORDS = ("speech", "synthetic", "child", "whisper", "singing")


@dataclasses.dataclass
class VersionResults:
    """A corpus and the results for one version's clips of it."""

    truths: dict[str, dict]
    # Of the input: the words in the speech alone, the notes, the speakers' unprocessed voices.
    inputs: dict[str, dict]
    enrolled: dict[str, dict]
    outputs: dict[str, dict]
    kept: dict[str, list]


def run_attackers(
    folder: pathlib.Path, outs: dict[str, pathlib.Path], ways: dict[str, tuple[str, ...]], settings, processes: int
) -> dict[str, VersionResults]:
    """Runs all attackers on the clips of `folder` and on each version's output; `ways` by version."""
    truths = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    voices = sorted((folder / "enroll").glob("*.wav"))
    # Recorded music has no score: its notes are those in the dry music.
    unscored = [name for name, truth in truths.items() if truth.get("music") and not truth["notes"]]
    jobs = [analyze.Job(path, speaker=True) for path in voices]
    jobs += [
        analyze.Job(folder / "clean" / f"{name}.wav", ways=("plain",) if has_words(truth) else ())
        for name, truth in truths.items()
    ]
    jobs += [analyze.Job(folder / f"{name}.wav", notes=has_music(truth)) for name, truth in truths.items()]
    jobs += [analyze.Job(folder / "dry" / f"{name}.wav", notes=True) for name in unscored]
    records = iter(analyze.analyze_all(jobs, settings, processes))
    enrolled = {path.stem: next(records) for path in voices}
    inputs = {name: next(records) for name in truths}
    for name in truths:
        inputs[name]["notes"] = next(records)["notes"]
    for name in unscored:
        truths[name]["notes"] = next(records)["notes"]

    jobs = []
    for version, out in outs.items():
        for name, truth in truths.items():
            spoken = bool(truth["speech"])
            requested = ways[version] if spoken and inputs[name]["words"].get("plain") else ()
            notes = bool(truth["notes"])
            jobs.append(analyze.Job(out / f"{name}.wav", requested, inputs[name]["language"], notes, spoken, spoken))
    records = iter(analyze.analyze_all(jobs, settings, processes))
    results = {}
    for version, out in outs.items():
        outputs = {name: next(records) for name in truths}
        kept = {name: kept_of(out, name, truth, outputs[name]) for name, truth in truths.items()}
        results[version] = VersionResults(truths, inputs, enrolled, outputs, kept)
    return results


def has_words(truth: dict) -> bool:
    return bool(truth["speech"]) and truth.get("voice_kind", "speech") in WITH_WORDS


def has_music(truth: dict) -> bool:
    return bool(truth["notes"] or truth.get("music"))


def kept_of(out: pathlib.Path, name: str, truth: dict, output: dict) -> list:
    if output["samples"] == 0:
        return []
    side = out / f"{name}.json"
    kept = json.loads(side.read_text()).get("kept") if side.exists() else None
    return [[0.0, truth["seconds"]]] if kept is None else kept


def rows(results: VersionResults, key: str = "case", only: tuple[str, ...] = ()) -> dict[str, list[dict[str, float]]]:
    """For each value of `key` in the truth a row of figures per clip, without those that do not apply to the clip.
    `only`: the cases that count; none: all."""
    out = collections.defaultdict(list)
    for name, truth in results.truths.items():
        if truth.get(key) and (not only or truth["case"] in only):
            out[truth[key]].append(row(truth, results.inputs[name], results.outputs[name], results.kept[name]))
    return dict(out)


def row(truth: dict, given: dict, output: dict, kept: list) -> dict[str, float]:
    out = {"withheld": float(output["samples"] == 0)}
    if has_music(truth):
        out |= music.judged(truth, kept, given["notes"], output["notes"])
    if truth["speech"]:
        seconds = sum(end - start for start, end in truth["speech"])
        out["speech_kept"] = music.overlap(truth["speech"], kept) / seconds
        out |= {f"voice {way}": spoken / seconds for way, spoken in output["spoken"].items()}
        out["voice"] = max(output["spoken"].values(), default=0.0) / seconds
        said = given["words"].get("plain")
        if said:
            left = {way: words.share_left(said, recognized) for way, recognized in output["words"].items()}
            out |= {f"words {way}": share for way, share in left.items()}
            out["words simple"] = max((left.get(way, 0.0) for way in restore.SIMPLE), default=0.0)
            out["words"] = max(left.values(), default=0.0)
    return out


def mean(by_case: dict[str, list[dict]], cases: list[str], column: str) -> Figure:
    """The figure over all clips of the cases that have it."""
    return bootstrap.interval(
        np.array([row[column] for case in cases for row in by_case.get(case, []) if column in row])
    )


def worst(by_case: dict[str, list[dict]], cases: list[str], column: str) -> tuple[Figure, str]:
    """The case with the greatest mean."""
    figures = [(mean(by_case, [case], column), case) for case in cases]
    return max(
        ((figure, case) for figure, case in figures if figure.known()),
        key=lambda pair: pair[0].value,
        default=(bootstrap.NONE, ""),
    )


def against(by_case: dict[str, list[dict]], baseline: dict[str, list[dict]], case: str, column: str, how: str) -> Figure:
    """A version's figure relative to no processing over the same clips: `ratio` of means, or `difference`."""
    both = zip(by_case.get(case, []), baseline.get(case, []))
    pairs = np.array([(one[column], other[column]) for one, other in both if column in one and column in other])
    if how == "ratio":
        return bootstrap.interval(pairs, bootstrap.ratio)
    return bootstrap.interval(pairs[:, 0] - pairs[:, 1]) if len(pairs) else bootstrap.NONE


def equal_error_rates(results: VersionResults) -> dict[str, Figure]:
    """For the attacker with clean enrollment, and the one with anonymized enrollment."""
    clean = {name: record["speaker"] for name, record in results.enrolled.items()}
    informed = {
        truth["speaker"]: results.outputs[name]["speaker"]
        for name, truth in results.truths.items()
        if truth["case"] == "enrolmix"
    }
    clips = [
        (results.outputs[name]["speaker"], truth["speaker"])
        for name, truth in results.truths.items() if truth["speech"] and truth["speaker"] and truth["case"] != "enrolmix"
    ]  # fmt: skip
    return {"uninformed": error_rate(clips, clean), "informed": error_rate(clips, informed)}


def error_rate(clips: list, known: dict) -> Figure:
    trials = np.array(
        [[(speaker.score(voice, of), float(who == name)) for name, of in known.items()] for voice, who in clips]
    )
    if trials.size == 0:
        return bootstrap.NONE
    return bootstrap.interval(trials, lambda drawn: speaker.equal_error_rate(drawn.reshape(-1, 2)), rounds=500)
