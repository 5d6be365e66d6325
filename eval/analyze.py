"""Runs every attacker and the music transcriber on every clip, in several processes.

Results are cached by a digest of the audio, the job and this code, so only what changed runs again.
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
from acoustics import ATTACKER_RATE
from attackers import restore, speaker, trained, words

# The modules that determine a result: the key of the cache has a digest of them.
SOURCES = [music, acoustics, restore, speaker, trained, words]


@dataclasses.dataclass(frozen=True)
class WorkerSettings:
    """Settings of a worker process."""

    cache: pathlib.Path
    # Whisper's weights; None: no words.
    whisper: pathlib.Path | None
    threads: int
    # The weights of the net trained on pairs; None: it does not run.
    net: pathlib.Path | None = None


# Those of this process, set once by `initialize`.
SETTINGS: WorkerSettings


@dataclasses.dataclass(frozen=True)
class Job:
    """One clip and the requested results."""

    path: pathlib.Path
    # Restorations before speech recognition; none: no words.
    ways: tuple[str, ...] = ()
    language: str | None = None
    notes: bool = False
    # Whether Silero runs.
    voice: bool = False
    # Whether the speaker embedding is computed.
    speaker: bool = False


def analyze_all(jobs: list[Job], settings: WorkerSettings, processes: int) -> list[dict]:
    """One record per job, in order: `words` {way: [word]}, `language`, `notes`, `spoken` {way: seconds},
    `speaker` embedding or None, `samples` at ATTACKER_RATE."""
    settings.cache.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(processes, initialize, (settings,)) as pool:
        return pool.map(analyze_cached, jobs, chunksize=1)


def initialize(settings: WorkerSettings) -> None:
    global SETTINGS
    SETTINGS = settings
    # Basic Pitch warns about each missing runtime.
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(settings.threads)


def analyze_cached(job: Job) -> dict:
    entry = SETTINGS.cache / f"{digest(job)}.json"
    if entry.exists():
        return json.loads(entry.read_text())
    record = analyze(job)
    partial = entry.with_suffix(f".{multiprocessing.current_process().pid}")
    partial.write_text(json.dumps(record))
    partial.rename(entry)
    return record


def analyze(job: Job) -> dict:
    sound = acoustics.load(job.path, ATTACKER_RATE)
    record = {"samples": len(sound), "language": job.language, "words": {}, "spoken": {}, "notes": [], "speaker": None}
    if SETTINGS.whisper and len(sound):
        for way in job.ways:
            recognized, language = listener().words(restored(sound, way), job.language)
            record["words"][way], record["language"] = recognized, language
    if job.voice:
        record["spoken"] = {way: seconds_spoken(restore.restored(sound, way)) for way in restore.SIMPLE}
    if job.notes:
        record["notes"] = music.transcribe(job.path)
    if job.speaker:
        record["speaker"] = recognizer().embedding(sound)
    return record


def restored(sound: np.ndarray, way: str) -> np.ndarray:
    return trained.restored(net(), sound) if way == trained.WAY else restore.restored(sound, way)


def digest(job: Job) -> str:
    sound = job.path.read_bytes() if job.path.exists() else b""
    if trained.WAY in job.ways:
        sound += SETTINGS.net.read_bytes()
    without_path = dataclasses.replace(job, path=pathlib.Path())
    return hashlib.sha256(f"{without_path} {bool(SETTINGS.whisper)} {code()}".encode() + sound).hexdigest()[:32]


@functools.cache
def code() -> str:
    files = [pathlib.Path(module.__file__) for module in SOURCES] + [pathlib.Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def seconds_spoken(sound: np.ndarray) -> float:
    """The number of seconds in which Silero detects a voice."""
    detector = silero()
    detector.reset()
    frames = [
        sound[start : start + detector.frame] for start in range(0, len(sound) - detector.frame + 1, detector.frame)
    ]
    return sum(detector.is_voice(frame) for frame in frames) * detector.frame / ATTACKER_RATE


@functools.cache
def listener() -> words.Listener:
    return words.Listener(SETTINGS.whisper, SETTINGS.threads)


@functools.cache
def net() -> trained.Net:
    return trained.load(SETTINGS.net)


@functools.cache
def recognizer() -> speaker.Recognizer:
    return speaker.Recognizer()


@functools.cache
def silero() -> versions.Silero:
    return versions.Silero()
