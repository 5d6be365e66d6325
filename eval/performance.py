"""Music out of recordings: phrases as they were played, or notes joined into melodies and chords.

Audio is mono float32 at SOURCE_RATE. No note is shifted in pitch or stretched.
"""

import pathlib

import numpy as np

import recordings
from recordings import SOURCE_RATE, Instrument

# A file of this length, in seconds, without a pitch in its name is a phrase.
MIN_PHRASE_S = 4.0
# Families whose notes decay by themselves, so that they sound on after the next one begins.
DECAYING = ("drums", "keys", "mallets", "plucked")
CHORDAL = ("free reeds", "keys", "plucked")
# The range of a melody around its first note, in semitones.
RANGE = 12


def performed(instrument: Instrument, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Music of one instrument, `seconds` long."""
    phrases = [file for file in instrument.files if is_phrase(file)]
    notes = [file for file in instrument.files if file not in phrases]
    # Each phrase is worth some twenty notes.
    if phrases and (len(notes) < 3 or rng.random() < 20 * len(phrases) / (20 * len(phrases) + len(notes))):
        return phrased(phrases, seconds, rng)
    return strung(notes, instrument.family, seconds, rng)


def is_phrase(file: pathlib.Path) -> bool:
    if file.stem.startswith("phrase"):
        return True
    return recordings.pitch_of(file) is None and len(recordings.samples(file)) >= MIN_PHRASE_S * SOURCE_RATE


def phrased(files: list[pathlib.Path], seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Phrases one after another; a long one starts anywhere."""
    out, at = np.zeros(int(seconds * SOURCE_RATE), np.float32), 0
    while len(out) - at > SOURCE_RATE // 2:
        sound = recordings.samples(files[rng.integers(len(files))])
        room = max(0, len(sound) - (len(out) - at))
        start = int(rng.integers(room + 1))
        piece = faded(sound[start : start + len(out) - at], 80 if start else 16, 800)
        out[at : at + len(piece)] = piece
        at += len(piece) + int(rng.uniform(0.05, 0.5) * SOURCE_RATE)
    return out


def strung(files: list[pathlib.Path], family: str, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A melody of the recorded notes, with chords if the instrument has them."""
    out = np.zeros(int(seconds * SOURCE_RATE), np.float32)
    pitched = {file: pitch for file in files if (pitch := recordings.pitch_of(file)) is not None}
    center = int(rng.choice(list(pitched.values()))) if pitched else 0
    beat, at = float(rng.choice([0.3, 0.45, 0.6, 0.9])), float(rng.uniform(0.05, 0.3))
    chords = 0.35 if family in CHORDAL else 0.0
    pitch = center
    while at < seconds - 0.2:
        length = beat * float(rng.choice([0.5, 1, 1, 1, 2]))
        if rng.random() < 0.06:
            at += length
            continue
        pitch, chosen = next_note(files, pitched, pitch, center, rng)
        together = [chosen]
        if pitched and rng.random() < chords:
            together += [file for file in pitched if pitched[file] - pitch in (-12, -9, -5, 4, 7)][: int(rng.integers(1, 3))]
        for file in together:
            add_note(out, recordings.samples(file), int(at * SOURCE_RATE), length, family in DECAYING, rng)
        at += length
    return out


def next_note(files, pitched: dict, pitch: int, center: int, rng: np.random.Generator) -> tuple[int, pathlib.Path]:
    """A step of at most a fifth from the last pitch, within RANGE of the first one; any file if pitches are unknown."""
    if not pitched or rng.random() < 0.03:
        return pitch, files[rng.integers(len(files))]
    near = [file for file, found in pitched.items() if abs(found - pitch) <= 7 and abs(found - center) <= RANGE]
    chosen = (near or list(pitched))[rng.integers(len(near or pitched))]
    return pitched[chosen], chosen


def add_note(out: np.ndarray, sound: np.ndarray, at: int, length_s: float, decays: bool, rng: np.random.Generator) -> None:
    """Adds one note at a random level of 9 dB. A sustained note ends with `length_s`, another rings on."""
    if decays:
        sounding, release = length_s + float(rng.uniform(0.3, 1.5)), 0.25
    else:
        sounding, release = length_s * float(rng.uniform(0.85, 1.0)), 0.05
    sound = sound[: min(int(sounding * SOURCE_RATE), len(out) - at)]
    sound = faded(sound, 32, int(release * SOURCE_RATE))
    peak = float(np.abs(sound).max(initial=0)) + 1e-9
    out[at : at + len(sound)] += sound / peak * 0.5 * 10 ** (-rng.uniform(0, 9) / 20)


def faded(sound: np.ndarray, attack: int, release: int) -> np.ndarray:
    """A copy with linear ramps of `attack` and `release` samples, at most a third of it each."""
    sound = sound.copy()
    attack, release = min(attack, len(sound) // 3), min(release, len(sound) // 3)
    if attack:
        sound[:attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    if release:
        sound[-release:] *= np.linspace(1, 0, release, dtype=np.float32)
    return sound
