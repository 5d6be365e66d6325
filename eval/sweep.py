#!/usr/bin/env python3
"""The trade-off between remaining voice and remaining music, over the parameters of voice removal.

usage: sweep.py [--data FOLDER] [--jobs N]

Runs the Python version of the anonymizer (models/voice/anonymize.py) on the clips of `held_back` with speech
over music, with several values of `min_residual`, from cutting every masked span to cutting none, and
with a mask exponent of 1, 2 and 4; with no processing and Silero's cut as baselines. Writes frontier.csv and draws
frontier.svg: on the x axis, notes found (F1) relative to the input; on the y axis, words left for Whisper, as is and with
quiet parts amplified. Run `make eval` before: its clips are used.
"""

import argparse
import csv
import json
import pathlib
import sys

import soundfile

import acoustics
import analyze
import figures
import frontier
import sets
from acoustics import ATTACKER_RATE
from attackers import restore

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "models/voice"))
import anonymize  # noqa: E402
import infer  # noqa: E402

POINTS = [(2.0, min_residual) for min_residual in (2.0, 0.3, 0.1, 0.03, 0.0)] + [(1.0, 0.1), (4.0, 0.1)]
CASES = ("over", "child")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target/eval")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    clips = options.data / "corpus" / sets.HELD_BACK.name / "clips"
    chosen = chosen_of(clips, options.data / "sweep" / "clips")
    outs = {}
    detector, gate = infer.Exported(ROOT / "dsp/weights/voice_net.f16"), anonymize.Gate()
    for mask_exponent, min_residual in POINTS:
        name = f"exponent {mask_exponent:g}, residual {min_residual:g}"
        outs[name] = options.data / "sweep" / name
        settings = anonymize.SETTINGS | {"cut_only": False, "mask_exponent": mask_exponent, "min_residual": min_residual}
        anonymized(chosen, outs[name], detector, gate, settings)
    others = options.data / "corpus" / sets.HELD_BACK.name / "out"
    outs |= {"no processing": others / "identity", "Silero cut": others / "silero"}
    settings = analyze.WorkerSettings(options.data / "cache", options.data / "whisper", 1)
    results = figures.run_attackers(chosen, outs, {name: restore.SIMPLE for name in outs}, settings, options.jobs)
    with frontier.CSV.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "threshold", "music", "privacy"])
        by_case = {name: figures.rows(one) for name, one in results.items()}
        for case in figures.CASES:
            if not case.startswith(CASES):
                continue
            mean = lambda rows, column: figures.mean(rows, [case], column).value
            points = [
                (mean(rows, "f1_all") / mean(rows, "f1_before"), mean(rows, "words"), name)
                for name, rows in by_case.items()
            ]
            for music, left, name in sorted(points):
                writer.writerow([figures.CASES[case], name, f"{music:.3f}", f"{left:.3f}"])
    frontier.draw(frontier.CSV, frontier.SVG)


def chosen_of(clips: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A folder of links to the clips with speech over music."""
    for part in ("", "clean"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for path in (clips / part).glob("*.*"):
            link = folder / part / path.name
            if path.name.startswith(CASES) and not link.exists():
                link.symlink_to(path.resolve())
    return folder


def anonymized(clips: pathlib.Path, out: pathlib.Path, detector, gate, settings: dict) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(clips.glob("*.wav")):
        clip, kept = anonymize.anonymize(acoustics.load(path, ATTACKER_RATE), detector, gate, settings)
        (out / f"{path.stem}.json").write_text(json.dumps({"kept": kept, "withheld": clip is None}))
        if clip is not None:
            soundfile.write(out / path.name, clip, ATTACKER_RATE, subtype="PCM_16")


if __name__ == "__main__":
    main()
