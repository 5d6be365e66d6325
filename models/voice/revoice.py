"""Makes other kinds of voices from speech by source-filter resynthesis: the filter is kept, the excitation is replaced.

Linear prediction (autocorrelation, order 18, frames of 32 ms every 8 ms) gives the filter of each
frame, and a new excitation is filtered by it. Noise gives a whisper, a pulse train on a melody gives singing.
"""

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

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
    """Time-stretched, on a melody with vibrato."""
    stretch = rng.uniform(1.2, 3.5)
    pitch = melody(int(len(sound) * stretch) + FRAME, rng)
    return leveled(refiltered(sound, pulses(pitch, rng, rng.uniform(0.005, 0.06)), stretch, rng.uniform(0.985, 0.998)))


def hummed(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Singing with the mouth closed: the nasal tract's low resonance, and little above it."""
    stretch = rng.uniform(1.5, 3.0)
    pitch = melody(int(len(sound) * stretch) + FRAME, rng)
    envelope = np.convolve(np.abs(sound), np.ones(3200) / 3200, "same")
    level = np.interp(np.arange(len(pitch)), np.linspace(0, len(pitch), len(envelope)), envelope)
    closed = butter(int(rng.integers(1, 4)), rng.uniform(300, 900), fs=RATE, output="sos")
    return leveled(sosfilt(closed, pulses(pitch, rng, 0.02)) * level)


def melody(count: int, rng: np.random.Generator) -> np.ndarray:
    """The pitch of each sample (Hz): steps and small leaps of a scale, held notes, slides, vibrato that sets in late."""
    root, low = rng.uniform(100, 450), rng.integers(-3, 1)
    scale = np.array([[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10]][rng.integers(2)])
    slow = rng.uniform(0.8, 1.8)
    pitch, vibrato, at, degree = np.zeros(count), np.zeros(count), 0, int(rng.integers(0, 5))
    while at < count:
        length = int(rng.choice([0.25, 0.25, 0.5, 0.5, 1.0, 1.6]) * slow * rng.uniform(0.9, 1.1) * RATE)
        octave, step = divmod(degree, len(scale))
        pitch[at : at + length] = root * 2 ** ((12 * octave + scale[step]) / 12)
        ramp = np.clip(np.arange(length) / RATE / 0.4 - 0.5, 0, 1)[: len(vibrato[at : at + length])]
        vibrato[at : at + length] = ramp
        at += length
        degree = int(np.clip(degree + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 4]), low, 9))
    depth, rate = rng.choice([0, rng.uniform(0.003, 0.035)]), rng.uniform(4.2, 7)
    drift = np.interp(np.arange(count), np.arange(0, count + RATE // 4, RATE // 4), rng.normal(0, 0.006, count // (RATE // 4) + 2)[: len(np.arange(0, count + RATE // 4, RATE // 4))])
    pitch *= 1 + drift + depth * vibrato * np.sin(2 * np.pi * rate * np.arange(count) / RATE)
    kernel = np.hanning(int(rng.uniform(400, 2000)))
    half = len(kernel) // 2
    return np.convolve(np.pad(pitch, half, "edge"), kernel / kernel.sum(), "same")[half : half + count]


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

