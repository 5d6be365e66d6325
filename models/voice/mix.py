"""Mixes examples from the banks: a clip as a phone records it, and the voice in it alone.

Every example has its own seed, so that a run is reproducible. Levels are in dB relative to the music,
before the gain of the phone.
"""

import functools
import json
import pathlib

import numpy as np
import soxr
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

RATE = 16_000
KINDS = {"music": 0.38, "noise": 0.06, "speech": 0.10, "between": 0.16, "over": 0.30}
WITHOUT_VOICE = 2  # the first kinds
VOICES = {"spoken": 0.50, "whispered": 0.16, "sung": 0.20, "shouted": 0.05, "vocal": 0.09}


class Bank:
    """Pieces of audio by name and kind, sampled so that names with much audio do not dominate."""

    def __init__(self, folder: pathlib.Path, kind: str, split: str):
        self.samples = np.load(folder / f"{kind}-{split}.npy", mmap_mode="r")
        self.names: dict[str, dict[str, list[tuple[int, int]]]] = {}  # by kind
        for entry in json.loads((folder / f"{kind}-{split}.json").read_text()):
            spans = self.names.setdefault(entry["kind"], {}).setdefault(entry["name"], [])
            spans.append((entry["start"], entry["end"]))

    def name(self, kind: str, rng: np.random.Generator) -> str:
        names = self.names[kind]
        weights = np.array([min(len(spans), 60) ** 0.5 for spans in names.values()])
        return str(rng.choice(list(names), p=weights / weights.sum()))

    def piece(self, kind: str, name: str, rng: np.random.Generator) -> np.ndarray:
        spans = self.names[kind][name]
        start, end = spans[rng.integers(len(spans))]
        return self.samples[start:end].astype(np.float32) / 32_767

    def any(self, rng: np.random.Generator) -> np.ndarray:
        kind = str(rng.choice(list(self.names)))
        return self.piece(kind, self.name(kind, rng), rng)


class Mixer:
    def __init__(self, folder: pathlib.Path, split: str, seconds: float = 6.0):
        self.speech, self.music, self.noise, self.rooms = (Bank(folder, kind, split) for kind in ("speech", "music", "noise", "room"))
        self.length = int(seconds * RATE)

    def example(self, seed: int) -> dict:
        """mixture and voice: float32; kind."""
        rng = np.random.default_rng(seed)
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        n = self.length
        music = self.playing(rng) if kind in ("music", "between", "over") else np.zeros(n, np.float32)
        voice = np.zeros(n, np.float32)
        if kind in ("speech", "between", "over"):
            begin, end = (0, n) if rng.random() < 0.3 else sorted(rng.integers(0, n, 2))
            end = min(n, max(end, begin + RATE))
            voice[begin:end] = self.talking(end - begin, rng)
            if kind == "between":  # the music pauses for the voice
                away = int(rng.uniform(0, 0.25) * RATE)
                music[max(0, begin - away) : end + away] *= rng.choice([0, 0, 0.02])
                level = rng.uniform(-30, 8)
            elif kind == "over":
                level = rng.triangular(-20, -6, 12)
            else:
                level = rng.uniform(-25, 3)
            voice, treatment = self.propagate(voice, rng)
            voice *= gain(level + treatment) / loudness(voice)
        music, voice = equalized(music, rng), equalized(voice, rng)
        music = self.in_room(music, rng) if rng.random() < 0.85 else music
        rest = music + disturbances(n, rng) + self.noises(rng)
        mixture, voice = phone(rest, voice, rng)
        if rng.random() < 0.25:
            mixture, voice = agc(mixture, voice)
        return {"mixture": mixture, "voice": voice, "kind": kind}

    def playing(self, rng: np.random.Generator) -> np.ndarray:
        """One instrument, or sometimes two."""
        out = self.part(rng)
        if rng.random() < 0.15:
            out = out + self.part(rng) * gain(rng.uniform(-15, 0))
        if rng.random() < 0.08:  # the recording overloads
            out = np.tanh(out * rng.uniform(2, 15)) / loudness(out)
        return (out / loudness(out)).astype(np.float32)

    def part(self, rng: np.random.Generator) -> np.ndarray:
        n = self.length
        while True:
            sound = self.music.piece("music", self.music.name("music", rng), rng)
            ratio = rng.uniform(0.92, 1.08)
            want = int(n / ratio) + 32
            offset = rng.integers(0, max(1, len(sound) - want))
            sound = sound[offset : offset + want]
            if len(sound) > 64 and np.abs(sound).max() > 1e-3:
                break
        sound = soxr.resample(sound, RATE, RATE * ratio, "LQ")
        if len(sound) < n and rng.random() < 0.7:  # a short phrase again, after a rest
            sound = np.concatenate([sound, np.zeros(int(rng.uniform(0, 1) * RATE), np.float32), sound, sound])
        sound = padded(sound, n)
        swell = np.interp(np.arange(n), np.linspace(0, n, 5), gain(rng.uniform(-10, 0, 5)))
        return (sound * swell / loudness(sound)).astype(np.float32)

    def talking(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Utterances of one voice with pauses."""
        kind = str(rng.choice(list(VOICES), p=list(VOICES.values())))
        name = self.speech.name(kind, rng)
        low, high = [(1.0, 1.0), (0.66, 0.86), (0.86, 1.0), (1.0, 1.2), (1.2, 1.4)][rng.choice(5, p=[0.5, 0.15, 0.15, 0.15, 0.05])]
        ratio = rng.uniform(low, high)
        out, at = np.zeros(n, np.float32), 0
        while at < n:
            sound = self.speech.piece(kind, name, rng)
            if ratio != 1.0:
                sound = soxr.resample(sound, RATE, RATE * ratio, "LQ")
            if kind == "vocal":  # many people with few sounds each
                name = self.speech.name(kind, rng)
            sound = sound[: n - at] * gain(rng.uniform(-5, 3))
            out[at : at + len(sound)] = sound
            at += len(sound) + int(rng.choice([rng.uniform(0.05, 0.5), rng.uniform(0.5, 1.8)], p=[0.8, 0.2]) * RATE)
        return out

    def noises(self, rng: np.random.Generator) -> np.ndarray:
        """Recorded sounds of a house and of instruments' mechanics."""
        out = np.zeros(self.length, np.float32)
        for _ in range(rng.choice([0, 1, 2, 5], p=[0.55, 0.2, 0.15, 0.1])):
            sound = self.noise.any(rng)
            if len(sound) < 160 or np.abs(sound).max() < 1e-3:
                continue
            if len(sound) > 3 * RATE:  # a background
                sound = np.resize(sound, self.length) * gain(rng.uniform(-45, -8)) / loudness(sound)
                at = 0
            else:
                sound = sound * gain(rng.uniform(-28, 0)) / loudness(sound)
                at = int(rng.integers(0, self.length))
            end = min(self.length, at + len(sound))
            out[at:end] += sound[: end - at]
        return self.in_room(out, rng) if rng.random() < 0.6 else out

    def propagate(self, voice: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """The path from mouth to microphone, and its attenuation (dB)."""
        way = rng.choice(["dry", "room", "far", "wall", "radio", "telephone"], p=[0.1, 0.42, 0.25, 0.09, 0.08, 0.06])
        if way == "dry":
            return voice, 0.0
        if way == "room":
            return self.in_room(voice, rng), 0.0
        if way == "far":
            return self.in_room(self.in_room(voice, rng, far=True), rng), rng.uniform(-14, 0)
        if way == "wall":
            wall = butter(int(rng.integers(1, 4)), rng.uniform(350, 1500), fs=RATE, output="sos")
            return self.in_room(sosfilt(wall, self.in_room(voice, rng)), rng), rng.uniform(-14, 0)
        low, high = (rng.uniform(100, 400), rng.uniform(2500, 7000)) if way == "radio" else (300, 3400)
        if way == "radio" and "device" in self.rooms.names and rng.random() < 0.5:
            device = self.rooms.piece("device", self.rooms.name("device", rng), rng)
            voice = fftconvolve(voice, device)[: len(voice)]
        else:
            voice = sosfilt(butter(2, [low, high], "band", fs=RATE, output="sos"), voice)
        voice = np.tanh(voice * rng.uniform(1, 20)) if way == "radio" else mu_law(voice)
        return self.in_room(voice.astype(np.float32), rng), rng.uniform(-6, 0)

    def in_room(self, sound: np.ndarray, rng: np.random.Generator, far: bool = False) -> np.ndarray:
        if rng.random() < 0.35:  # a measured room, with more or less of the direct sound
            room = self.rooms.piece("room", self.rooms.name("room", rng), rng)[:RATE]
            wet = fftconvolve(sound, room / np.sqrt(np.sum(room**2)))[: len(sound)]
            share = rng.uniform(0, 0.6 if far else 0.95)
            return (share * sound + (1 - share) * wet).astype(np.float32)
        response = impulse_response(int(rng.integers(200)), far)
        return fftconvolve(sound, response)[: len(sound)].astype(np.float32)


def agc(mixture: np.ndarray, voice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quiet parts amplified to -20 dBFS, as by dsp/src/agc.rs."""
    power = np.convolve(np.pad(mixture**2, 1600, "reflect"), np.ones(3200, np.float32) / 3200, "same")[1600:-1600]
    gains = np.clip(0.1 / np.sqrt(power + 1e-12), 1, 100).astype(np.float32)
    return (mixture * gains).clip(-1, 1), voice * gains


def equalized(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With a random smooth frequency response, as of a body, a wall or a hand in front of the mouth."""
    if rng.random() < 0.4:
        return sound
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    knots = np.linspace(np.log2(60), np.log2(8000), int(rng.integers(4, 12)))
    response = gain(np.interp(np.log2(np.maximum(frequency, 20)), knots, rng.normal(0, 4.0, len(knots))))
    return np.fft.irfft(np.fft.rfft(sound) * response, len(sound)).astype(np.float32)


def gain(decibels):
    return 10 ** (np.asarray(decibels) / 20)


def loudness(sound: np.ndarray) -> float:
    """Ten times the root mean square of the parts that are not silent: dividing by it gives -20 dBFS."""
    loud = np.abs(sound) > 0.02 * np.abs(sound).max()
    return float(np.sqrt(np.mean(sound[loud] ** 2)) * 10 + 1e-9) if loud.any() else 1.0


def padded(sound: np.ndarray, n: int) -> np.ndarray:
    return np.pad(sound[:n], (0, max(0, n - len(sound))))


def mu_law(sound: np.ndarray) -> np.ndarray:
    peak = np.abs(sound).max() + 1e-9
    coded = np.sign(sound) * np.log1p(255 * np.abs(sound) / peak) / np.log(256)
    coded = np.round(coded * 127) / 127
    return np.sign(coded) * (np.expm1(np.abs(coded) * np.log(256)) / 255) * peak


@functools.lru_cache(400)
def impulse_response(number: int, far: bool) -> np.ndarray:
    """Early reflections, then a tail that decays faster at higher frequencies."""
    rng = np.random.default_rng([number, far])
    reverberation = rng.uniform(0.12, 0.9)
    n = int(min(0.6, reverberation) * RATE)
    time = np.arange(n) / RATE
    tail = np.zeros(n)
    for low, high, factor in ((60, 600, 1.15), (600, 2500, 1.0), (2500, 7800, rng.uniform(0.4, 0.85))):
        noise = sosfilt(butter(1, [low, high], "band", fs=RATE, output="sos"), rng.standard_normal(n))
        tail += noise / np.sqrt(np.mean(noise**2)) * np.exp(-6.9 * time / (reverberation * factor))
    tail *= 1 - np.exp(-time / 0.01)
    for _ in range(rng.integers(4, 14)):
        tail[rng.integers(16, min(n, 900))] += rng.normal(0, 12)
    direct_to_rest = rng.uniform(-12, 2) if far else rng.uniform(-2, 16)
    tail *= gain(-direct_to_rest) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return (tail / np.sqrt(np.sum(tail**2))).astype(np.float32)


def colored(n: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise whose spectrum falls by 3 · `slope` dB per octave, at -20 dBFS."""
    spectrum = np.fft.rfft(rng.standard_normal(n)) / np.maximum(np.fft.rfftfreq(n, 1 / RATE), 30) ** (slope / 2)
    noise = np.fft.irfft(spectrum, n)
    return noise / (np.sqrt(np.mean(noise**2)) + 1e-12) * 0.1


def disturbances(n: int, rng: np.random.Generator) -> np.ndarray:
    """Sounds that are not voices and must not be mistaken for one."""
    out = colored(n, rng.uniform(0, 2), rng) * gain(rng.uniform(-58, -24))
    time = np.arange(n) / RATE
    if rng.random() < 0.5:  # hum
        mains = rng.choice([50, 60]) * rng.uniform(0.998, 1.002)
        for harmonic in range(1, rng.integers(2, 8)):
            out += 0.1 * gain(rng.uniform(-45, -25)) / harmonic * np.sin(2 * np.pi * mains * harmonic * time)
    if rng.random() < 0.15:  # fan
        fan = sosfilt(butter(1, [80, rng.uniform(400, 3000)], "band", fs=RATE, output="sos"), colored(n, 1, rng))
        out += fan * gain(rng.uniform(-30, -8)) * (1 + 0.3 * np.sin(2 * np.pi * rng.uniform(3, 30) * time))
    for _ in range(rng.choice([0, 0, 1, 3, 8])):
        sound = EVENTS[rng.integers(len(EVENTS))](rng) * gain(rng.uniform(-24, 3))
        at = rng.integers(0, n)
        out[at : at + len(sound)] += sound[: n - at]
    return out.astype(np.float32)


def burst(rng, low: float, high: float, seconds: float, shape: np.ndarray) -> np.ndarray:
    """Band-limited noise under an envelope, with a maximum of about -20 dBFS."""
    n = int(seconds * RATE)
    noise = sosfilt(butter(2, [low, min(high, 7900)], "band", fs=RATE, output="sos"), rng.standard_normal(n))
    envelope = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(shape)), shape)
    return noise / (np.sqrt(np.mean(noise**2)) + 1e-9) * 0.15 * envelope


def click(rng):  # keys, valves, a metronome
    n = int(rng.uniform(0.01, 0.09) * RATE)
    decay = np.exp(-np.arange(n) / (n * rng.uniform(0.05, 0.25)))
    tone = np.sin(2 * np.pi * rng.uniform(400, 4000) * np.arange(n) / RATE) * rng.uniform(0, 1)
    return (tone + rng.standard_normal(n) * rng.uniform(0.1, 1)) * decay * 0.4


def thump(rng):  # pedals, feet, a lid
    n = int(rng.uniform(0.08, 0.35) * RATE)
    decay = np.exp(-np.arange(n) / (n * rng.uniform(0.1, 0.3)))
    body = np.sin(2 * np.pi * rng.uniform(45, 180) * np.arange(n) / RATE) + 0.3 * lfilter([0.1], [1, -0.9], rng.standard_normal(n))
    return body * decay * 0.5


def page(rng):
    return burst(rng, rng.uniform(300, 1500), 7800, rng.uniform(0.2, 1.0), rng.random(rng.integers(6, 30)) ** 2)


def finger(rng):  # a squeak along a string
    n = int(rng.uniform(0.05, 0.3) * RATE)
    sweep = np.interp(np.arange(n), [0, n], rng.uniform(800, 5000, 2))
    tone = np.sin(2 * np.pi * np.cumsum(sweep) / RATE) * np.hanning(n) * 0.05
    return tone + padded(burst(rng, 900, 6000, n / RATE, np.array([0, 1, 0.6, 0])), n) * 0.4


def bow_or_breath(rng):  # a player's breath, a bow's start
    shape = np.hanning(9) if rng.random() < 0.5 else np.array([0, 1, 0.8, 0.5, 0.2, 0])
    return burst(rng, rng.uniform(200, 900), rng.uniform(2500, 7800), rng.uniform(0.15, 0.7), shape) * 0.6


def knock(rng):
    return np.concatenate([thump(rng) for _ in range(rng.integers(1, 5))])


EVENTS = [click, click, thump, page, finger, bow_or_breath, knock]


def phone(rest: np.ndarray, voice: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A microphone's response, gain, overload and 16 bits; what is distorted counts as the rest's."""
    n = len(rest)
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    knots = np.log2(np.array([20, 60, 125, 250, 500, 1000, 2000, 4000, 8000]))
    curve = rng.normal(0, 3.0, len(knots))
    curve[:2] -= rng.uniform(0, 12)
    curve[-1] -= rng.uniform(0, 12) if rng.random() < 0.5 else 0
    response = gain(np.interp(np.log2(np.maximum(frequency, 20)), knots, curve) + rng.uniform(-26, 6))
    rest, voice = (np.fft.irfft(np.fft.rfft(stem) * response, n) for stem in (rest, voice))
    mixture = rest + voice
    peak = np.abs(mixture).max()
    if peak > 0.98 and rng.random() < 0.8:
        mixture, voice = mixture * 0.95 / peak, voice * 0.95 / peak
    mixture = np.round(np.clip(mixture, -1, 1) * 32_767) / 32_767
    return mixture.astype(np.float32), voice.astype(np.float32)
