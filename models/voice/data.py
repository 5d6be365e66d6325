#!/usr/bin/env python3
"""Collects speech and music into the banks that `mix.py` samples from.

usage: data.py BANK [--speech FOLDER] [--instruments FOLDER] [--piano FOLDER] [--minutes N] [--music-minutes N]
               [--invented-minutes N]

BANK/{speech,music}-{train,valid}.npy are concatenated 16 kHz int16 samples; for each, a .json lists
the start, the end and the kind of each piece. --speech and --instruments add your own data: every
folder in FOLDER is one voice, or one instrument played without a voice; one in ten of
them, by name, is held out for validation. --piano is where PIANO_PACKAGES were unpacked.
"""

import argparse
import glob
import hashlib
import json
import multiprocessing
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
import soundfile as sf
import soxr

import invent
import play
import revoice
import sources

RATE = 16_000
FORMATS = (".wav", ".ogg", ".gsm", ".flac", ".mp3", ".opus")
SENTENCES = [
    "12 345 1997 8 60", "mama papa lala ko misa tule", "no no no si la sol fa mi re do", "1 2 3 4 5 6 7 8 9 10",
    "alo ana mire toma sana kula vero", "21 500 hotel bravo tango 77", "piano forte allegro andante, moderato!",
    "sasha tishe shipi hasa susu pata kata", "o a e i u, vidi mane tolu rika", "3000000 41 0.5 90 13 - 16",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bank", type=pathlib.Path)
    parser.add_argument("--speech", type=pathlib.Path)
    parser.add_argument("--instruments", type=pathlib.Path)
    parser.add_argument("--piano", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=6, help="the maximum per voice")
    parser.add_argument("--music-minutes", type=float, default=260)
    parser.add_argument("--invented-minutes", type=float, default=90)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.bank.mkdir(parents=True, exist_ok=True)
    with multiprocessing.Pool(options.jobs) as pool:
        voices = [(name, folders, options.minutes) for name, folders in recorded(options.speech).items()]
        speech = pool.imap(read_voice, voices, chunksize=1)
        synthetic = pool.imap(synthesize, [*synthetic_voices()], chunksize=1)
        save(options.bank, "speech", [piece for pieces in speech for piece in pieces], [p for ps in synthetic for p in ps])
        pieces = int(options.music_minutes)
        music = pool.imap(play.render, [(index, options.piano) for index in range(pieces)], chunksize=1)
        invented = pool.imap(invent.render, range(int(options.invented_minutes)), chunksize=1)
        own = pool.imap(read_voice, [(n, f, 60.0) for n, f in folders_of(options.instruments).items()])
        save(options.bank, "music", [piece for pieces in (*music, *invented) for piece in pieces], [(n, "own", x) for ps in own for n, _, x in ps])


def recorded(own: pathlib.Path | None) -> dict[str, list[str]]:
    return sources.recorded_voices() | folders_of(own)


def folders_of(own: pathlib.Path | None) -> dict[str, list[str]]:
    return {f"own-{folder.name}": [str(folder)] for folder in sorted(own.iterdir()) if folder.is_dir()} if own else {}


def read_voice(job: tuple[str, list[str], float]) -> list[tuple[str, str, np.ndarray]]:
    """Utterances of one voice, and variants of some of them by signal processing."""
    name, folders, minutes = job
    rng = random.Random(f"voice {name}")
    files = [f for folder in folders for f in glob.glob(f"{glob.escape(folder)}/**/*", recursive=True) if f.endswith(FORMATS)]
    files = sorted(f for f in files if "/silence/" not in f and "beep" not in f and "tone" not in f.rsplit("/", 1)[-1])
    rng.shuffle(files)
    pieces, seconds = [], 0.0
    for file in files:
        if seconds > minutes * 60:
            break
        sound = trimmed(decode(file))
        if len(sound) < RATE // 5:
            continue
        sound = sound[: 12 * RATE]
        seconds += len(sound) / RATE
        pieces.append((name, "spoken", sound))
        if not name.startswith("own-instrument"):
            pieces += variants(name, sound, rng)
    return pieces


def variants(name: str, sound: np.ndarray, rng: random.Random) -> list[tuple[str, str, np.ndarray]]:
    """Whispered, sung and shouted variants of some utterances."""
    out = []
    for chance, kind, change in (
        (0.35, "whispered", revoice.whispered),
        (0.12, "sung", revoice.sung),
        (0.12, "shouted", revoice.shouted),
    ):
        if rng.random() < chance and len(sound) > RATE // 3:
            out.append((name, kind, change(sound[: 6 * RATE], np.random.default_rng(rng.randrange(2**31)))))
    return out


def synthetic_voices():
    """(name, command that speaks standard input or its last argument into a file)."""
    for voice in sources.ESPEAK_VOICES:
        yield f"espeak-{voice.replace('+', '-')}", "espeak", voice
    for voice in sources.FESTIVAL_VOICES:
        yield f"festival-{voice}", "festival", voice
    for voice in sources.FLITE_VOICES:
        yield f"flite-{voice}", "flite", voice


def synthesize(job: tuple[str, str, str]) -> list[tuple[str, str, np.ndarray]]:
    name, engine, voice = job
    rng = random.Random(f"synthesis {name}")
    pieces = []
    text = ". ".join(rng.sample(SENTENCES, len(SENTENCES)))
    target = pathlib.Path(tempfile.gettempdir()) / f"speech-{name}.wav"
    if engine == "espeak":
        speed, pitch = str(rng.randrange(110, 220)), str(rng.randrange(20, 90))
        command, given = ["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-w", str(target), text], None
    elif engine == "flite":
        command, given = ["flite", "-voice", voice, "-t", text, "-o", str(target)], None
    else:
        command, given = ["text2wave", "-eval", f"(voice_{voice})", "-o", str(target)], text
    done = subprocess.run(command, input=given, text=True, capture_output=True)
    if done.returncode == 0 and target.exists():
        sound = decode(str(target))
        for start in range(0, len(sound), 4 * RATE):
            part = trimmed(sound[start : start + 4 * RATE])
            if len(part) > RATE // 2:
                pieces.append((name, "spoken", part))
                pieces += variants(name, part, rng)
    target.unlink(missing_ok=True)
    return pieces


def decode(path: str) -> np.ndarray:
    if path.endswith((".wav", ".ogg", ".flac")):
        sound, rate = sf.read(path, dtype="float32", always_2d=True)
        return soxr.resample(sound.mean(1), rate, RATE)
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"], capture_output=True
    )
    return np.frombuffer(done.stdout, np.float32).copy()


def trimmed(sound: np.ndarray) -> np.ndarray:
    """Trims the silence at both ends, and normalizes to -20 dBFS."""
    if len(sound) == 0 or np.abs(sound).max() < 1e-3:
        return sound[:0]
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1]
    return sound / (np.sqrt(np.mean(sound**2)) + 1e-9) * 0.1


def held_out(kind: str, name: str) -> bool:
    if name.startswith("own-"):
        return hashlib.sha256(name.encode()).digest()[0] % 10 == 0
    if kind == "speech":
        return name in sources.HELD_OUT_VOICES
    return bool(set(map(int, name.split(":")[1].split("+"))) & sources.HELD_OUT_PROGRAMS)


def save(bank: pathlib.Path, kind: str, *groups: list[tuple[str, str, np.ndarray]]) -> None:
    pieces = [piece for group in groups for piece in group]
    for split in ("train", "valid"):
        index, sounds, at = [], [], 0
        for name, what, sound in pieces:
            if held_out(kind, name) != (split == "valid"):
                continue
            index.append({"name": name, "kind": what, "start": at, "end": at + len(sound)})
            sounds.append((np.clip(sound, -1, 1) * 32_767).astype(np.int16))
            at += len(sound)
        np.save(bank / f"{kind}-{split}.npy", np.concatenate(sounds))
        (bank / f"{kind}-{split}.json").write_text(json.dumps(index))
        names = {entry["name"] for entry in index}
        print(f"{kind} {split}: {len(index)} pieces, {len(names)} names, {at / RATE / 60:.0f} min", file=sys.stderr)


if __name__ == "__main__":
    main()
