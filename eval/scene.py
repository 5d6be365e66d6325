"""The surroundings of a clip: a room with sources at several distances, noises, the phone that records.

Audio is mono float32 at SOURCE_RATE.
"""

import dataclasses

import numpy as np
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

import acoustics
import recordings
from acoustics import LEVEL
from recordings import SOURCE_RATE, Recordings

# A frame, s, and the level relative to the loudest frame, dB, from which it is active; shorter gaps are joined, s.
FRAME_S = 0.02
ACTIVE_DB = -35.0
MAX_GAP_S = 0.2
# The share of rooms that are measured ones; the others are simulated.
MEASURED = 0.6
# The direct sound ends this long after its peak, s.
DIRECT_S = 0.0025
# Continuous noises; the others are short events.
STEADY = ("fan", "hum", "insects", "office", "rain", "traffic", "vacuum", "wind")


@dataclasses.dataclass(frozen=True)
class Room:
    """The direct sound and the reverberation at its critical distance, of equal energy, at one or two positions."""

    direct: np.ndarray
    tails: tuple[np.ndarray, ...]
    critical_m: float

    def heard(self, sound: np.ndarray, distance_m: float, position: int = 0) -> np.ndarray:
        """The sound from a distance; the direct sound is not delayed, so that times remain."""
        tail = self.tails[position % len(self.tails)] * (distance_m / self.critical_m)
        response = tail.copy()
        response[: len(self.direct)] += self.direct
        return fftconvolve(sound, response)[: len(sound)].astype(np.float32)


def room_of(sources: Recordings, rng: np.random.Generator) -> Room:
    critical_m = float(rng.uniform(0.6, 1.5))
    if sources.rooms and rng.random() < MEASURED:
        names = sorted(sources.rooms)
        files = sources.rooms[names[rng.integers(len(names))]]
        responses = [recordings.samples(file) for file in files]
    else:
        length = int(rng.uniform(0.15, 0.6) * SOURCE_RATE)
        decay = np.exp(-6.9 * np.arange(length) / length)
        responses = []
        for _ in range(2):
            response = rng.standard_normal(length) * decay * 0.1
            response[: int(DIRECT_S * SOURCE_RATE) + 1] = 0
            response[0] = 1.0
            responses.append(response.astype(np.float32))
    parts = [split_response(response) for response in responses]
    return Room(parts[0][0], tuple(tail for _, tail in parts), critical_m)


def split_response(response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The direct sound from its peak, and the rest, each of energy 1."""
    response = response[int(np.argmax(np.abs(response))) :]
    end = int(DIRECT_S * SOURCE_RATE)
    direct, tail = response[:end].copy(), response.copy()
    tail[:end] = 0
    return direct / (np.linalg.norm(direct) + 1e-9), tail / (np.linalg.norm(tail) + 1e-9)


def noise_of(sources: Recordings, seconds: float, rng: np.random.Generator) -> tuple[np.ndarray, str | None]:
    """One class of noise at LEVEL while it is active: a steady one for the whole time, or a few events."""
    out = np.zeros(int(seconds * SOURCE_RATE), np.float32)
    if not sources.noises:
        return out, None
    names = sorted(sources.noises)
    name = names[rng.integers(len(names))]
    files, at = sources.noises[name], 0 if name in STEADY else int(rng.uniform(0, 2) * SOURCE_RATE)
    overlap = SOURCE_RATE // 10
    while at < len(out) - overlap:
        sound = recordings.samples(files[rng.integers(len(files))])
        sound = sound[: len(out) - at].copy()
        edge = min(overlap, len(sound) // 3)
        if edge:
            sound[-edge:] *= np.linspace(1, 0, edge, dtype=np.float32)
        if edge and name in STEADY and at:
            sound[:edge] *= np.linspace(0, 1, edge, dtype=np.float32)
        out[at : at + len(sound)] += sound
        pause = -edge if name in STEADY else int(rng.uniform(0.3, 4) * SOURCE_RATE)
        at += max(len(sound) + pause, overlap)
    return leveled(out), name


def recorded(sound: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
    """The recording of a phone, at RATE: its noise, mains hum, missing low frequencies, for one clip in six the band of a
    codec, and an input gain. And the values drawn."""
    band = rng.random()
    codec = "telephone" if band < 1 / 12 else "narrow" if band < 1 / 6 else None
    if codec == "telephone":
        sound = compressed(sosfilt(butter(4, (300, 3_400), "band", fs=SOURCE_RATE, output="sos"), sound))
    elif codec == "narrow":
        sound = sosfilt(butter(8, float(rng.uniform(4_000, 7_000)), "low", fs=SOURCE_RATE, output="sos"), sound)
    gain_db = float(rng.uniform(-30, 0))
    whole = acoustics.on_phone(resample_poly(sound, acoustics.RATE // SOURCE_RATE, 1), rng)
    return (whole * 10 ** (gain_db / 20)).astype(np.float32), {"gain_db": round(gain_db, 1), "codec": codec}


def compressed(sound: np.ndarray) -> np.ndarray:
    """Eight bits of a µ-law (ITU-T G.711)."""
    peak = float(np.abs(sound).max(initial=0)) + 1e-9
    folded = np.sign(sound) * np.log1p(255 * np.abs(sound) / peak) / np.log(256)
    coarse = np.round(folded * 127) / 127
    return np.sign(coarse) * np.expm1(np.abs(coarse) * np.log(256)) / 255 * peak


def leveled(sound: np.ndarray) -> np.ndarray:
    """The sound at LEVEL while it is active; silence remains silence."""
    level = active_level(sound)
    return (sound / level * LEVEL).astype(np.float32) if level > 1e-7 else sound


def active_level(sound: np.ndarray) -> float:
    """The root mean square of the active frames."""
    energy = frame_energy(sound)
    active = energy > energy.max(initial=0) * 10 ** (ACTIVE_DB / 10)
    return float(np.sqrt(energy[active].mean())) if active.any() else 0.0


def active_spans(sound: np.ndarray) -> list[list[float]]:
    """[[start_s, end_s], …] of the active frames."""
    energy = frame_energy(sound)
    active = np.flatnonzero(energy > max(energy.max(initial=0) * 10 ** (ACTIVE_DB / 10), 1e-12))
    spans: list[list[float]] = []
    for frame in active:
        start = float(frame) * FRAME_S
        if spans and start - spans[-1][1] < MAX_GAP_S:
            spans[-1][1] = round(start + FRAME_S, 3)
        else:
            spans.append([round(start, 3), round(start + FRAME_S, 3)])
    return spans


def frame_energy(sound: np.ndarray) -> np.ndarray:
    size = int(FRAME_S * SOURCE_RATE)
    count = len(sound) // size
    return (sound[: count * size].astype(np.float64).reshape(count, size) ** 2).mean(1)
