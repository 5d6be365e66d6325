"""Lets every attacker and the judge of the music hear every clip, in as many processes as told.

What they hear is kept in a cache by a digest of the sound, of what was asked and of this code, so that
only what changed is heard again.
"""

import dataclasses
import functools
import hashlib
import json
import logging
import multiprocessing
import pathlib
import warnings

import numpy as np
import torch

import acoustics
import music
import versions
from acoustics import HEARD
from attackers import restore, speaker, words

SOURCES = [music, acoustics, restore, speaker, words]


@dataclasses.dataclass(frozen=True)
class Ear:
    """What a process needs to hear with."""

    cache: pathlib.Path
    # Whisper's weights; None: nobody listens for words.
    whisper: pathlib.Path | None
    threads: int


@dataclasses.dataclass(frozen=True)
class Job:
    """One clip, and what shall be told of it."""

    path: pathlib.Path
    # The ways of restoring it before the words are listened for; none: no words.
    ways: tuple[str, ...] = ()
    language: str | None = None
    notes: bool = False
    # Whether Silero shall look for a voice.
    voice: bool = False
    # Whether the speaker shall be recognized.
    speaker: bool = False


def hear_all(jobs: list[Job], ear: Ear, processes: int) -> list[dict]:
    """One record a job, in order: `words` {way: [word]}, `language`, `notes`, `spoken` {way: seconds},
    `speaker` embedding or None, `samples` at HEARD."""
    ear.cache.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(processes, begin, (ear,)) as pool:
        return pool.map(hear, jobs, chunksize=1)


def begin(ear: Ear) -> None:
    global EAR  # of this process, set once
    EAR = ear
    # Basic Pitch tells of each runtime that it does without.
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(ear.threads)


def hear(job: Job) -> dict:
    entry = EAR.cache / f"{digest(job)}.json"
    if entry.exists():
        return json.loads(entry.read_text())
    record = told(job)
    partial = entry.with_suffix(f".{multiprocessing.current_process().pid}")
    partial.write_text(json.dumps(record))
    partial.rename(entry)
    return record


def told(job: Job) -> dict:
    sound = acoustics.load(job.path, HEARD)
    record = {"samples": len(sound), "language": job.language, "words": {}, "spoken": {}, "notes": [], "speaker": None}
    if EAR.whisper and len(sound):
        for way in job.ways:
            heard, language = listener().words(restore.restored(sound, way), job.language)
            record["words"][way], record["language"] = heard, language
    if job.voice:
        record["spoken"] = {way: seconds_spoken(restore.restored(sound, way)) for way in restore.SIMPLE}
    if job.notes:
        record["notes"] = music.notes_heard(job.path)
    if job.speaker:
        record["speaker"] = recognizer().embedding(sound)
    return record


def digest(job: Job) -> str:
    sound = job.path.read_bytes() if job.path.exists() else b""
    asked = dataclasses.replace(job, path=pathlib.Path())
    return hashlib.sha256(f"{asked} {bool(EAR.whisper)} {code()}".encode() + sound).hexdigest()[:32]


@functools.cache
def code() -> str:
    files = [pathlib.Path(module.__file__) for module in SOURCES] + [pathlib.Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def seconds_spoken(sound: np.ndarray) -> float:
    """How long Silero hears a voice in it."""
    detector = silero()
    detector.begin()
    frames = [
        sound[start : start + detector.frame] for start in range(0, len(sound) - detector.frame + 1, detector.frame)
    ]
    return sum(detector.is_voice(frame) for frame in frames) * detector.frame / HEARD


@functools.cache
def listener() -> words.Listener:
    return words.Listener(EAR.whisper, EAR.threads)


@functools.cache
def recognizer() -> speaker.Recognizer:
    return speaker.Recognizer()


@functools.cache
def silero() -> versions.Silero:
    return versions.Silero()
