#!/usr/bin/env python3
"""Prints detection rates of the exported weights: the tables of README.md.

usage: figures.py CORPUS [WEIGHTS]

CORPUS is a folder of clips by `eval/real_corpus.py`. The tables have the share of frames that reach each of THRESHOLDS: in
clips without a voice by instrument and set, in clips with one by case, inside the voice and away from it. A span of a voice
counts without its first and last MARGIN, since it begins and ends in silence; up to AWAY from it no frame counts.
"""

import collections
import json
import pathlib
import sys

import numpy as np
import soundfile as sf
import soxr
import torch

import infer
import net

THRESHOLDS = (0.1, 0.25, 0.5, 0.8)
MARGIN = 3  # frames
AWAY = 30  # frames
WEIGHTS = pathlib.Path(__file__).resolve().parents[2] / "dsp/weights/voice_net.f16"

Groups = dict[str, list[np.ndarray]]  # probabilities of each clip


def main() -> None:
    torch.set_num_threads(1)
    network = infer.Exported(pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else WEIGHTS)
    music, inside, away = collections.defaultdict(list), collections.defaultdict(list), collections.defaultdict(list)
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        truth = json.loads(path.read_text())
        sound, rate = sf.read(path.with_suffix(".wav"), dtype="float32")
        probabilities = network.predict(soxr.resample(sound, rate, net.RATE))[0]
        if not truth["speech"]:
            name = f"{truth['family']}: {truth['instrument']} ({truth['set']})" if truth["family"] else truth["case"]
            music[name].append(probabilities)
            continue
        voiced, near = (frames(truth["speech"], len(probabilities), margin) for margin in (-MARGIN, AWAY))
        inside[truth["case"]].append(probabilities[voiced])
        away[truth["case"]].append(probabilities[~near])
    table("no voice: instrument (set)", music)
    table("inside the voice: case", inside)
    table("away from the voice: case", away)


def frames(spans: list[list[float]], count: int, margin: int) -> np.ndarray:
    """Whether each of `count` frames is in a span that is extended by `margin` frames on either side."""
    out = np.zeros(count, bool)
    for start, end in spans:
        first, last = (round(seconds * net.RATE / net.HOP) for seconds in (start, end))
        out[max(0, first - margin) : max(0, last + margin)] = True
    return out


def table(title: str, groups: Groups) -> None:
    columns = " | ".join(f"≥ {threshold:g}" for threshold in THRESHOLDS)
    print(f"| {title} | clips | {columns} |\n| --- | ---: |{' ---: |' * len(THRESHOLDS)}")
    for name in sorted(groups):
        every = np.concatenate(groups[name])
        if len(every):
            shares = " | ".join(f"{(every >= threshold).mean():.3f}" for threshold in THRESHOLDS)
            print(f"| {name} | {len(groups[name])} | {shares} |")
    print()


if __name__ == "__main__":
    main()
