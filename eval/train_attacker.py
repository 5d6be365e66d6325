#!/usr/bin/env python3
"""Trains the attacker that brings voices back, on the train split of a folder of recordings.

usage: train_attacker.py RECORDINGS [--minutes M] [--clips N] [--program SORDINO] [--data FOLDER] [--threads N]

Clips with a voice are made and anonymized by SORDINO; the net learns to make the clean voice out of the output. Writes
FOLDER/attacker/net.pt, and net.json with the loss and the digest of SORDINO. `evaluate.py` runs it if it has to.
"""

import argparse
import hashlib
import json
import pathlib

import numpy as np

import acoustics
import real_corpus
import recordings
import versions
from acoustics import ATTACKER_RATE
from attackers import trained

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLIPS, MINUTES, SEED = 1_500, 30.0, 7
# The cases in which a part of the voice may be left in the output.
CASES = ("alternate", "far", "whisper", "over+6", "over+0", "over-6", "over-12", "over-18", "child", "singing-over")
# An example with less voice, s, is used one time in five only.
MIN_VOICE_S, RARE = 0.4, 0.2
CHECKED_SHARE = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/sordino")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target/eval")
    parser.add_argument("--jobs", type=int, default=1, help="processes that make clips")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    folder = options.data / "attacker"
    train(folder, options.recordings, options.program, options.minutes, options.clips, options.jobs, options.threads)
    print((folder / "net.json").read_text())


def trained_net(folder: pathlib.Path, source: pathlib.Path, program: pathlib.Path, minutes: float, jobs: int, threads: int):
    """The net for this build of the anonymizer, trained if there is none."""
    about = folder / "net.json"
    if not about.exists() or json.loads(about.read_text())["program"] != digest(program):
        train(folder, source, program, minutes, CLIPS, jobs, threads)
    return folder / "net.pt"


def train(
    folder: pathlib.Path, source: pathlib.Path, program: pathlib.Path, minutes: float, count: int, jobs: int, threads: int
) -> None:
    clips, out = folder / "clips", folder / "out"
    real_corpus.build(clips, source, "train", SEED, plan(source, count), jobs)
    versions.anonymize("sordino", clips, out, program)
    learned, checked = split(examples(clips, out))
    net, measured = trained.learn(learned, checked, minutes, threads)
    trained.save(net, folder / "net.pt")
    (folder / "net.json").write_text(json.dumps(measured | {"program": digest(program)}, indent=1) + "\n")


def plan(source: pathlib.Path, count: int) -> list[real_corpus.Clip]:
    sources = recordings.read(source, "train")
    share = sum(real_corpus.WEIGHTS[case] for case in CASES) / sum(real_corpus.WEIGHTS.values())
    return [clip for clip in real_corpus.plan(sources, round(count / share)) if clip.case in CASES]


def examples(clips: pathlib.Path, out: pathlib.Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The speaker, features of the output, features of the voice in the same parts."""
    rng, found = np.random.default_rng(0), []
    for metadata in sorted(clips.glob("*.json")):
        sound = acoustics.load(out / f"{metadata.stem}.wav", ATTACKER_RATE)
        voice = acoustics.load(clips / "clean" / f"{metadata.stem}.wav", ATTACKER_RATE)
        truth = json.loads(metadata.read_text())
        if len(sound) < ATTACKER_RATE:
            continue
        kept = json.loads((out / f"{metadata.stem}.json").read_text())["kept"]
        voice = kept_of(voice, kept)
        length = min(len(sound), len(voice))
        heard_s = float((np.abs(voice) > 0.005).mean() * len(voice) / ATTACKER_RATE) if len(voice) else 0.0
        if heard_s >= MIN_VOICE_S or rng.random() < RARE:
            given, wanted = trained.features(sound[:length]), trained.voice_features(voice[:length])
            found.append((str(truth["speaker"]), given.astype(np.float16), wanted.astype(np.float16)))
    return found


def kept_of(sound: np.ndarray, kept: list) -> np.ndarray:
    parts = [sound[round(start * ATTACKER_RATE) : round(end * ATTACKER_RATE)] for start, end in kept]
    return np.concatenate(parts) if parts else sound[:0]


def split(found: list) -> tuple[list, list]:
    """Examples to learn from, and to check with: one speaker in CHECKED_SHARE."""
    learned, checked = [], []
    for speaker, given, wanted in found:
        chosen = int(hashlib.sha256(speaker.encode()).hexdigest(), 16) % CHECKED_SHARE == 0
        (checked if chosen else learned).append((given, wanted))
    return learned, checked


def digest(program: pathlib.Path) -> str:
    return hashlib.sha256(program.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
