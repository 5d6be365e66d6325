#!/usr/bin/env python3
"""Chooses the thresholds of the anonymizer by Learn then Test, and writes models/voice/calibration.json.

usage: calibrate.py RECORDINGS [--clips N] [--jobs N] [--whisper FOLDER] [--data FOLDER]

Learn then Test (A. Angelopoulos, S. Bates, E. Candès, M. Jordan, L. Lei, "Learn then Test: calibrating predictive
algorithms to achieve risk control", 2021, arXiv 2110.01052) treats each setting as a hypothesis "its risk is too high" and
rejects it with a p-value that holds for any number of clips. Here a setting has two risks, each in [0, 1] per clip, the mean
of which is bounded over clips with a voice of the calibration split:

* words left: the share of the words that Whisper finds in the voice alone and still finds in the output, as it is or with
  its quiet parts amplified, whichever is more; at most 1 %, over clips in which it finds words in the voice alone;
* voiced time left: the time in which Silero detects a voice in the output, as it is or amplified, relative to the time of
  the voice; at most 0.5 %, over all clips with a voice.

The settings of SETTINGS are tried in order, from the strictest on (fixed sequence testing), each at the level of 5 %, until
one fails. The last that passes is chosen: it keeps the most music of those that are certified. If none passes, the strictest
is chosen, and the table says that it is not certified. The statement holds for clips
drawn as those of the calibration split are, and as if each were independent; speakers occur several times.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import subprocess

import numpy as np
from scipy import stats

import analyze
import figures
import music
import real_corpus
import recordings
from attackers import restore, words

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "models/voice/calibration.json"
SEED = 2
LEVEL = 0.05
# The bounds of the risks.
WORDS_LEFT, VOICED_TIME_LEFT = 0.01, 0.005
# In the order of dsp/src/thresholds.rs.
NAMES = ("network", "vad", "both", "rendered", "rendered_again", "rendered_suspect", "min_residual")
# From the strictest on. They were drawn up on the validation split.
SETTINGS = [
    (0.5, 0.5, 0.25, 0.6, 0.75, 0.45, 0.3),
    (0.5, 0.5, 0.25, 0.75, 0.9, 0.45, 0.2),
]


@dataclasses.dataclass
class Risk:
    """The mean of a risk over clips, and the p-value of "its expectation is above the bound"."""

    bound: float
    clips: int
    mean: float
    p: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("--clips", type=int, default=1200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--whisper", type=pathlib.Path, default=ROOT / "target/eval/whisper")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target/eval/calibration")
    options = parser.parse_args()
    folder = options.data / "clips"
    sources = recordings.read(options.recordings, "calibration")
    planned = [clip for clip in real_corpus.plan(sources, options.clips) if clip.case != "enrolmix"]
    real_corpus.build(folder, options.recordings, "calibration", SEED, planned, options.jobs)
    truths = {clip.name: json.loads((folder / f"{clip.name}.json").read_text()) for clip in planned}
    settings = analyze.WorkerSettings(options.data / "cache", options.whisper, 1)
    jobs = [
        analyze.Job(folder / "clean" / f"{name}.wav", ("plain",) if figures.has_words(truth) else ())
        for name, truth in truths.items()
    ]
    clean = dict(zip(truths, analyze.analyze_all(jobs, settings, options.jobs)))
    rows: list[dict] = []
    for index, setting in enumerate(SETTINGS):
        out = options.data / f"setting-{index}"
        anonymize(setting, [folder / f"{name}.wav" for name in truths], out)
        rows.append(tested(truths, clean, out, settings, options.jobs) | {"thresholds": dict(zip(NAMES, setting))})
        print(json.dumps(rows[-1]), flush=True)
        if not rows[-1]["certified"]:
            break
    # Without any that is certified, the strictest is in use, and not certified.
    chosen = next((row for row in reversed(rows) if row["certified"]), rows[0])
    summary = {"level": LEVEL, "chosen": chosen["thresholds"], "certified": chosen["certified"], "settings": rows}
    OUT.write_text(json.dumps(summary, indent=1) + "\n")


def anonymize(setting: tuple[float, ...], clips: list[pathlib.Path], out: pathlib.Path) -> None:
    if out.exists():
        for file in out.iterdir():
            file.unlink()
    build = ["--release", "-q", "-p", "sordino-dsp", "--features", "calibration", "--example", "anonymize_with"]
    given = [*map(str, setting), str(out.resolve()), *(str(clip.resolve()) for clip in clips)]
    subprocess.run(["cargo", "run", *build, "--", *given], cwd=ROOT, check=True)


def tested(truths: dict, clean: dict, out: pathlib.Path, settings: analyze.WorkerSettings, processes: int) -> dict:
    """The risks of a setting, and how much of the music it keeps."""
    jobs = []
    for name, truth in truths.items():
        said = clean[name]["words"].get("plain")
        ways = restore.SIMPLE if said else ()
        jobs.append(analyze.Job(out / f"{name}.wav", ways, clean[name]["language"], voice=bool(truth["speech"])))
    outputs = dict(zip(truths, analyze.analyze_all(jobs, settings, processes)))
    left, voiced = [], []
    kept: dict[str, list[float]] = {}
    for name, truth in truths.items():
        output, said = outputs[name], clean[name]["words"].get("plain")
        if truth["speech"]:
            seconds = sum(end - start for start, end in truth["speech"])
            voiced.append(min(1.0, max(output["spoken"].values(), default=0.0) / seconds))
            if said:
                shares = (words.share_left(said, output["words"].get(way, [])) for way in restore.SIMPLE)
                left.append(max(shares, default=0.0))
        elif truth.get("music"):
            spans = figures.kept_of(out, name, truth, output)
            seconds = sum(end - start for start, end in truth["music"])
            kept.setdefault(truth["family"], []).append(music.overlap(truth["music"], spans) / seconds)
    risks = {"words_left": risk(left, WORDS_LEFT), "voiced_time_left": risk(voiced, VOICED_TIME_LEFT)}
    families = {family: round(float(np.mean(shares)), 3) for family, shares in sorted(kept.items())}
    return {name: dataclasses.asdict(value) for name, value in risks.items()} | {
        "certified": max(value.p for value in risks.values()) <= LEVEL,
        "music_alone_kept": families | {"mean": round(float(np.mean(list(families.values()))), 3)},
    }


def risk(losses: list[float], bound: float) -> Risk:
    mean = float(np.mean(losses))
    return Risk(bound, len(losses), round(mean, 5), round(p_value(mean, len(losses), bound), 5))


def p_value(mean: float, clips: int, bound: float) -> float:
    """The Hoeffding-Bentkus p-value of "the expectation exceeds `bound`" for losses in [0, 1] (Bates et al., "Distribution-
    free, risk-controlling prediction sets", J. ACM 68(6), 2021; Learn then Test, section 2.2)."""
    low = min(mean, bound)
    divergence = sum(a * math.log(a / b) for a, b in ((low, bound), (1 - low, 1 - bound)) if a > 0)
    bentkus = math.e * stats.binom.cdf(math.ceil(clips * mean), clips, bound)
    return float(min(1.0, math.exp(-clips * divergence), bentkus))


if __name__ == "__main__":
    main()
