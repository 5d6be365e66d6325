#!/usr/bin/env python3
"""Collects voices, music, noises and rooms into the banks that `mix.py` samples from.

usage: data.py RECORDINGS BANK [--music-minutes N] [--invented-minutes N] [--jobs N]

RECORDINGS is laid as `recordings.tsv` says: voices/KIND/ID, instruments/NAME/SET, noises/CLASS, rooms, each with FLAC files
at 16 kHz. Of each split (`splits.toml`) BANK/{speech,music,noise,room}-SPLIT.npy are concatenated 16 kHz int16 samples; for
each, a .json lists the name, the kind, the start and the end of each piece.
"""

import argparse
import csv
import json
import multiprocessing
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
import soundfile as sf

import invent
import play
import revoice
import sources
import splits

RATE = 16_000
MAX_PIECE_S, MAX_VOICE_S = 12, 240
SENTENCES = [
    "12 345 1997 8 60", "mama papa lala ko misa tule", "no no no si la sol fa mi re do", "1 2 3 4 5 6 7 8 9 10",
    "alo ana mire toma sana kula vero", "21 500 hotel bravo tango 77", "piano forte allegro andante, moderato!",
    "sasha tishe shipi hasa susu pata kata", "o a e i u, vidi mane tolu rika", "3000000 41 0.5 90 13 - 16",
]  # fmt: skip
# The kind of the voices in each folder.
KINDS = {"speech": "spoken", "child": "spoken", "singing": "sung", "vocal-sounds": "vocal", "whisper": "whispered", "crowd": "spoken"}
# Minutes of playing that are strung of a set's notes, at most.
MAX_STRUNG_MINUTES = 4

Piece = tuple[str, str, str, np.ndarray]  # split, name, kind, samples


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("bank", type=pathlib.Path)
    parser.add_argument("--music-minutes", type=int, default=200)
    parser.add_argument("--invented-minutes", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.bank.mkdir(parents=True, exist_ok=True)
    root = options.recordings
    with multiprocessing.Pool(options.jobs) as pool:
        people = [(kind, folder) for kind in KINDS for folder in folders(root / "voices" / kind)]
        spoken = [*pool.imap(voice, people, chunksize=4), *pool.imap(synthesized, sources.FLITE_VOICES)]
        save(options.bank, "speech", spoken)
        sets = [folder for name in folders(root / "instruments") for folder in folders(name)]
        music = [
            *pool.imap(strung, sets, chunksize=1),
            *pool.imap(play.render, range(options.music_minutes), chunksize=1),
            *pool.imap(invent.render, range(options.invented_minutes), chunksize=1),
        ]
        save(options.bank, "music", music)
        save(options.bank, "noise", [indexed(root, "noises")])
        save(options.bank, "room", [indexed(root, "rooms")])


def folders(parent: pathlib.Path) -> list[pathlib.Path]:
    return sorted(child for child in parent.iterdir() if child.is_dir())


def voice(job: tuple[str, pathlib.Path]) -> list[Piece]:
    """Recordings of one voice, and variants of some of them by signal processing."""
    kind, folder = job
    split = splits.of("voices", folder.name)
    name, rng = f"{kind}/{folder.name}", random.Random(f"voice {folder.name}")
    files = sorted(folder.glob("*.flac"))
    rng.shuffle(files)
    pieces: list[Piece] = []
    seconds = 0.0
    for file in files:
        sound = trimmed(read(file))[: MAX_PIECE_S * RATE]
        if seconds > MAX_VOICE_S or len(sound) < RATE // 5:
            continue
        seconds += len(sound) / RATE
        pieces.append((split, name, KINDS[kind], sound))
        if kind in ("speech", "child"):
            pieces += variants(split, name, sound, rng)
    return pieces


def variants(split: str, name: str, sound: np.ndarray, rng: random.Random) -> list[Piece]:
    """Whispered, sung, hummed and shouted variants of some utterances."""
    out = []
    for chance, kind, change in (
        (0.35, "whispered", revoice.whispered),
        (0.45, "sung", revoice.sung),
        (0.12, "sung", revoice.hummed),
        (0.12, "shouted", revoice.shouted),
    ):
        if rng.random() < chance and len(sound) > RATE // 3:
            out.append((split, name, kind, change(sound[: 6 * RATE], np.random.default_rng(rng.randrange(2**31)))))
    return out


def synthesized(voice_name: str) -> list[Piece]:
    """A voice of flite."""
    rng = random.Random(f"synthesis {voice_name}")
    text = ". ".join(rng.sample(SENTENCES, len(SENTENCES)))
    pieces: list[Piece] = []
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "speech.wav"
        subprocess.run(["flite", "-voice", voice_name, "-t", text, "-o", target], check=True, capture_output=True)
        sound = read(target)
    for start in range(0, len(sound), 4 * RATE):
        part = trimmed(sound[start : start + 4 * RATE])
        if len(part) > RATE // 2:
            pieces.append(("train", f"flite/{voice_name}", "spoken", part))
            pieces += variants("train", f"flite/{voice_name}", part, rng)
    return pieces


def strung(folder: pathlib.Path) -> list[Piece]:
    """Of one set of an instrument: its phrases as they are, and its notes strung into playing."""
    name, rng = f"{folder.parent.name}/{folder.name}", random.Random(f"{folder.parent.name}/{folder.name}")
    split = splits.of("instruments", folder.name)
    sounds = [read(file) for file in sorted(folder.glob("*.flac"))]
    sounds = [sound / (np.abs(sound).max() + 1e-9) * 0.5 for sound in sounds if len(sound) > RATE // 20]
    pieces: list[Piece] = [(split, name, "music", trimmed(sound)[: 20 * RATE]) for sound in sounds if len(sound) > 4 * RATE]
    minutes = min(MAX_STRUNG_MINUTES, max(0.5, len(sounds) / 8))
    for _ in range(int(minutes * 3)):
        pieces.append((split, name, "music", melody(sounds, rng)))
    return pieces


def melody(sounds: list[np.ndarray], rng: random.Random, seconds: int = 20) -> np.ndarray:
    """Notes one after another, in some pieces several at once, with rests, at -20 dBFS."""
    out, at = np.zeros(seconds * RATE, np.float32), 0
    polyphonic, fast = rng.random() < 0.3, rng.random() < 0.4
    slurred = rng.random() < 0.4
    phrase_level = 0.0
    while at < len(out):
        length = int(rng.uniform(0.12, 0.5 if fast else 2.5) * RATE)
        sound = rng.choice(sounds)
        # Some notes begin in the middle of a recording, as in a slur: no attack, a short crossfade.
        skip = int(rng.uniform(0, 0.3) * len(sound)) if slurred and rng.random() < 0.5 else 0
        sound = sound[skip : skip + length].copy()
        rise, fall = min(len(sound) // 3, 160 if not skip else 480) or 1, max(1, min(len(sound) // 3, rng.choice([80, 320, 800])))
        sound[:rise] *= np.linspace(0, 1, rise)
        sound[-fall:] *= np.linspace(1, 0, fall)
        phrase_level = max(-14.0, min(0.0, phrase_level + rng.gauss(0, 3)))
        sound *= 10 ** (phrase_level / 20)
        end = min(len(out), at + len(sound))
        out[at:end] += sound[: end - at]
        at += int(len(sound) * (rng.uniform(0.3, 0.9) if polyphonic else rng.uniform(0.85, 1.0))) or RATE // 20
        if rng.random() < 0.06:
            at += int(rng.uniform(0.1, 1.0) * RATE)
    return (out / (np.sqrt(np.mean(out**2)) + 1e-9) * 0.1).clip(-1, 1)


def indexed(root: pathlib.Path, group: str) -> list[Piece]:
    """The noises or the rooms, by their INDEX.tsv."""
    pieces = []
    with (root / group / "INDEX.tsv").open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            file = root / group / row["path"]
            if file.exists() and not splits.is_excluded(group, row["path"]):
                sound = read(file)[: 20 * RATE]
                kind = "device" if file.name.startswith(("device", "cab")) else "room"
                pieces.append((splits.of(group, row["set"]), row["path"], kind if group == "rooms" else file.parent.name, sound))
    return pieces


def read(file: pathlib.Path) -> np.ndarray:
    sound, rate = sf.read(file, dtype="float32", always_2d=True)
    if rate != RATE:
        raise SystemExit(f"{file}: {rate} Hz; the recordings must be at {RATE} Hz")
    return sound.mean(1)


def trimmed(sound: np.ndarray) -> np.ndarray:
    """Trims the silence at both ends, and normalizes to -20 dBFS."""
    if len(sound) == 0 or np.abs(sound).max() < 1e-3:
        return sound[:0]
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1]
    return sound / (np.sqrt(np.mean(sound**2)) + 1e-9) * 0.1


def save(bank: pathlib.Path, kind: str, groups: list[list[Piece]]) -> None:
    for split in splits.SPLITS:
        index, sounds, at = [], [], 0
        for of, name, what, sound in (piece for group in groups for piece in group):
            if of != split or len(sound) == 0:
                continue
            index.append({"name": name, "kind": what, "start": at, "end": at + len(sound)})
            sounds.append((np.clip(sound, -1, 1) * 32_767).astype(np.int16))
            at += len(sound)
        np.save(bank / f"{kind}-{split}.npy", np.concatenate(sounds) if sounds else np.zeros(0, np.int16))
        (bank / f"{kind}-{split}.json").write_text(json.dumps(index))
        names = {entry["name"] for entry in index}
        print(f"{kind} {split}: {len(index)} pieces, {len(names)} names, {at / RATE / 60:.1f} min", file=sys.stderr)


if __name__ == "__main__":
    main()
