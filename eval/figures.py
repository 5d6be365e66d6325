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
}
OVER = [case for case in CASES if case.startswith("over")]
SPOKEN = [case for case in CASES if case != "music"]


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
    jobs = [analyze.Job(path, speaker=True) for path in voices]
    jobs += [
        analyze.Job(folder / "clean" / f"{name}.wav", ways=("plain",) if truth["speech"] else ())
        for name, truth in truths.items()
    ]
    jobs += [analyze.Job(folder / f"{name}.wav", notes=bool(truth["notes"])) for name, truth in truths.items()]
    records = iter(analyze.analyze_all(jobs, settings, processes))
    enrolled = {path.stem: next(records) for path in voices}
    inputs = {name: next(records) for name in truths}
    for name in truths:
        inputs[name]["notes"] = next(records)["notes"]

    jobs = []
    for version, out in outs.items():
        for name, truth in truths.items():
            spoken = bool(truth["speech"])
            requested = ways[version] if spoken and inputs[name]["words"].get("plain") else ()
            jobs.append(
                analyze.Job(out / f"{name}.wav", requested, inputs[name]["language"], bool(truth["notes"]), spoken, spoken)
            )
    records = iter(analyze.analyze_all(jobs, settings, processes))
    results = {}
    for version, out in outs.items():
        outputs = {name: next(records) for name in truths}
        kept = {name: kept_of(out, name, truth, outputs[name]) for name, truth in truths.items()}
        results[version] = VersionResults(truths, inputs, enrolled, outputs, kept)
    return results


def kept_of(out: pathlib.Path, name: str, truth: dict, output: dict) -> list:
    if output["samples"] == 0:
        return []
    side = out / f"{name}.json"
    kept = json.loads(side.read_text()).get("kept") if side.exists() else None
    return [[0.0, truth["seconds"]]] if kept is None else kept


def rows(results: VersionResults) -> dict[str, list[dict[str, float]]]:
    """For each case a row of figures per clip, without those that do not apply to the clip."""
    out = collections.defaultdict(list)
    for name, truth in results.truths.items():
        out[truth["case"]].append(row(truth, results.inputs[name], results.outputs[name], results.kept[name]))
    return dict(out)


def row(truth: dict, given: dict, output: dict, kept: list) -> dict[str, float]:
    out = {"withheld": float(output["samples"] == 0)}
    if truth["notes"]:
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
    pairs = np.array([(one[column], other[column]) for one, other in zip(by_case.get(case, []), baseline.get(case, []))])
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
        for name, truth in results.truths.items() if truth["speech"] and truth["case"] != "enrolmix"
    ]  # fmt: skip
    return {"uninformed": error_rate(clips, clean), "informed": error_rate(clips, informed)}


def error_rate(clips: list, known: dict) -> Figure:
    trials = np.array(
        [[(speaker.score(voice, of), float(who == name)) for name, of in known.items()] for voice, who in clips]
    )
    if trials.size == 0:
        return bootstrap.NONE
    return bootstrap.interval(trials, lambda drawn: speaker.equal_error_rate(drawn.reshape(-1, 2)), rounds=500)
