"""Makes other kinds of voices from speech by source-filter resynthesis: the filter is kept, the excitation is replaced.

Linear prediction (autocorrelation, order 18, frames of 32 ms every 8 ms) gives the filter of each
frame, and a new excitation is filtered by it. Noise gives a whisper, a pulse train on a melody gives singing.
"""

import numpy as np
from scipy.signal import lfilter

RATE = 16_000
FRAME = 512
HOP = 128
ORDER = 18


def whispered(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise as the excitation; formants slightly higher and weak low frequencies, as in a real whisper."""
    noise = rng.standard_normal(len(sound) + FRAME)
    out = refiltered(sound, noise, 1.0, rng.uniform(0.93, 0.99))
    return leveled(lfilter([1, -rng.uniform(0.7, 0.97)], [1], out))


def sung(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Time-stretched, on notes of a scale with vibrato."""
    stretch = rng.uniform(1.4, 3.0)
    count = int(len(sound) * stretch) + FRAME
    root = rng.uniform(110, 500)
    degrees = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    pitch, at = np.zeros(count), 0
    while at < count:
        length = int(rng.uniform(0.25, 1.2) * RATE)
        pitch[at : at + length] = root * 2 ** (rng.choice(degrees) / 12)
        at += length
    time = np.arange(count) / RATE
    pitch *= 1 + rng.uniform(0, 0.025) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time)
    kernel = np.hanning(800)
    pitch = np.convolve(np.pad(pitch, 400, "edge"), kernel / kernel.sum(), "same")[400 : 400 + count]
    return leveled(refiltered(sound, pulses(pitch, rng, 0.02), stretch, 0.995))


def shouted(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """High and pressed, with a flat spectrum and little dynamics."""
    count = len(sound) + FRAME
    glide = np.interp(np.arange(count), np.linspace(0, count, 6), rng.uniform(0.85, 1.25, 6))
    out = refiltered(sound, pulses(rng.uniform(220, 480) * glide, rng, 0.05), 1.0, 0.99)
    out = lfilter([1, -0.5], [1], out)
    level = np.sqrt(np.convolve(out**2, np.ones(800) / 800, "same")) + 1e-3 * np.abs(out).max()
    return leveled(np.tanh(out / level**0.5 / np.abs(out / level**0.5).max() * 2))


def pulses(pitch: np.ndarray, rng: np.random.Generator, breath: float) -> np.ndarray:
    phase = np.cumsum(pitch / RATE)
    train = np.zeros(len(pitch))
    train[1:] = (np.floor(phase[1:]) > np.floor(phase[:-1])) * np.sqrt(RATE / pitch[1:])
    train = lfilter([1.0], [1, -0.6], train)
    return train + breath * rng.standard_normal(len(pitch))


def refiltered(sound: np.ndarray, excitation: np.ndarray, stretch: float, widen: float) -> np.ndarray:
    """`excitation` through the filter of `sound`, its frames `stretch` times as far apart."""
    window = np.hanning(FRAME)
    starts = np.arange(0, len(excitation) - FRAME, HOP)
    sources = (starts / stretch).astype(int)
    starts, sources = starts[sources + FRAME <= len(sound)], sources[sources + FRAME <= len(sound)]
    out = np.zeros(len(excitation))
    if len(starts) == 0:
        return out
    reach = np.arange(FRAME)
    frames = sound[sources[:, None] + reach] * window
    power = np.abs(np.fft.rfft(frames, 2 * FRAME)) ** 2
    correlation = np.fft.irfft(power)[:, : ORDER + 1]
    taps = levinson(correlation) * widen ** np.arange(ORDER + 1)
    envelope = 1 / np.maximum(np.abs(np.fft.rfft(taps, FRAME)), 1e-3)
    voiced = np.fft.irfft(np.fft.rfft(excitation[starts[:, None] + reach] * window) * envelope) * window
    energy, made = correlation[:, 0], np.sum(voiced**2, 1) + 1e-12
    voiced *= np.where(energy > 1e-5, np.sqrt(energy / made), 0)[:, None]
    for start, frame in zip(starts, voiced):
        out[start : start + FRAME] += frame
    return out


def levinson(correlation: np.ndarray) -> np.ndarray:
    """The Levinson-Durbin recursion: rows of autocorrelation to rows of prediction error filters."""
    taps = np.zeros_like(correlation)
    taps[:, 0] = 1
    error = correlation[:, 0] * 1.0005 + 1e-9
    for order in range(1, ORDER + 1):
        reflection = -np.sum(taps[:, :order] * correlation[:, order:0:-1], 1) / error
        taps[:, : order + 1] += reflection[:, None] * taps[:, order::-1]
        error = error * np.maximum(1 - reflection**2, 1e-6)
    return taps


def leveled(sound: np.ndarray) -> np.ndarray:
    return (sound / (np.sqrt(np.mean(sound**2)) + 1e-9) * 0.1).astype(np.float32)

