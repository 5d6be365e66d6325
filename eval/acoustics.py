"""Reads and writes audio, and simulates the path from a mouth or an instrument to a file on a phone.

Audio is mono float32 in [-1, 1]. Clips are made at RATE; attackers work at ATTACKER_RATE.
"""

import fractions
import pathlib
import subprocess

import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

RATE = 48_000
ATTACKER_RATE = 16_000
# -20 dBFS: the level of speech and music before they are mixed.
LEVEL = 0.1


def load(path: pathlib.Path, rate: int) -> np.ndarray:
    """The audio of a file; empty if the file does not exist, since the clip was withheld."""
    if not path.exists():
        return np.zeros(0, np.float32)
    sound, found = soundfile.read(path, dtype="float32", always_2d=True)
    return resampled(sound.mean(1), found, rate)


def resampled(sound: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    if rate == wanted or len(sound) == 0:
        return sound.astype(np.float32)
    ratio = fractions.Fraction(wanted, rate)
    return resample_poly(sound, ratio.numerator, ratio.denominator).astype(np.float32)


def decoded(path: str) -> np.ndarray:
    """Reads any recording that ffmpeg supports, at RATE."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32).copy()


def loudness(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(sound**2)) + 1e-9)


def leveled(sound: np.ndarray) -> np.ndarray:
    return (sound / loudness(sound) * LEVEL).astype(np.float32)


def raised(sound: np.ndarray) -> np.ndarray:
    """Amplifies quiet parts to LEVEL over 0.2 s, by at most 40 dB."""
    window = ATTACKER_RATE // 5
    if len(sound) < window:
        return sound
    level = np.sqrt(np.convolve(sound**2, np.ones(window, np.float32) / window, "same") + 1e-12)
    return (sound * np.clip(LEVEL / level, 1, 100)).clip(-1, 1).astype(np.float32)


def in_room(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Adds the reverberation of a small room, 0.15 to 0.45 s."""
    length = int(rng.uniform(0.15, 0.45) * RATE)
    echoes = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length) * 0.02
    echoes[0] = 1.0
    return fftconvolve(sound, echoes)[: len(sound)]


def on_phone(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Simulates a phone: no low frequencies, pink noise 28 to 42 dB below LEVEL, mains hum."""
    spectrum = np.fft.rfft(rng.standard_normal(len(sound)))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE), 20)), len(sound))
    noise = pink / loudness(pink) * LEVEL * 10 ** (-rng.uniform(28, 42) / 20)
    hum = 10 ** (-52 / 20) * np.sin(2 * np.pi * rng.choice([50, 60]) * np.arange(len(sound)) / RATE)
    recorded = sosfilt(butter(2, 70, "high", fs=RATE, output="sos"), sound) + noise + hum
    return recorded / max(1.0, np.abs(recorded).max() / 0.95)


def whispered(sound: np.ndarray, rng: np.random.Generator, rate: int = RATE) -> np.ndarray:
    """Keeps the spectral envelope, and replaces the excitation by noise."""
    size = 2 * round(512 * rate / RATE)
    hop = size // 4
    window = np.hanning(size)
    smooth = np.exp(-0.5 * (np.arange(-12, 13) / 5) ** 2)
    smooth /= smooth.sum()
    out = np.zeros(len(sound) + size)
    for start in range(0, len(sound) - size, hop):
        envelope = np.convolve(np.abs(np.fft.rfft(sound[start : start + size] * window)), smooth, "same")
        noise = envelope * np.exp(2j * np.pi * rng.random(len(envelope)))
        out[start : start + size] += np.fft.irfft(noise) * window
    out = sosfilt(butter(2, 300, "high", fs=rate, output="sos"), out[: len(sound)])
    return (out / loudness(out) * loudness(sound)).astype(np.float32)


def repitched(sound: np.ndarray) -> np.ndarray:
    """A higher and faster voice, like a child's: pitch and formants raised by 1.28."""
    return resample_poly(sound, 100, 128).astype(np.float32)
