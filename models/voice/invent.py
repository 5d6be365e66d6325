"""Invented instruments: each piece has a random timbre.

Training on one soundfont teaches its instruments, not what instruments have in common. A voice moves its formants; these
instruments keep one body for the whole piece, with random partials, attack, breath, vibrato and slides.
"""

import random

import numpy as np
from scipy.signal import butter, sosfilt

import play
import sources

RATE = play.RATE


def render(index: int) -> list[tuple[str, str, str, np.ndarray]]:
    """One minute of playing, at -20 dBFS."""
    rng, draw = random.Random(f"invented {index}"), np.random.default_rng([index, 77])
    programs = list(sources.PROGRAM_WEIGHTS)
    score = play.part(rng.choice(programs), rng)
    body = Body(draw)
    out = np.zeros(int((play.SECONDS + 8) * RATE))
    for note in score.notes:
        sound = body.note(note.pitch, note.velocity, max(0.05, note.end - note.start), draw)
        at = int(note.start * RATE)
        out[at : at + len(sound)] += sound[: max(0, len(out) - at)]
    out = out[: int(play.SECONDS * RATE)]
    out = out / (np.sqrt(np.mean(out**2)) + 1e-9) * 0.1
    split = "valid" if index % 12 == 11 else "train"
    return [(split, f"invented/{index}", "music", (out * min(1, 0.98 / np.abs(out).max())).astype(np.float32))]


class Body:
    """The timbre of a piece: partials, resonances, attack, breath, vibrato."""

    def __init__(self, draw: np.random.Generator):
        count = int(draw.choice([2, 4, 8, 16, 32, 60]))
        number = np.arange(1, count + 1)
        self.number = number
        self.partials = number ** -draw.uniform(0.2, 2.6) * 10 ** (draw.normal(0, draw.uniform(0, 0.5), count))
        kind = draw.random()
        if kind < 0.2:  # closed at one end
            self.partials[1::2] *= draw.uniform(0, 0.3)
        elif kind < 0.3:  # bright, the first partials weak
            self.partials[:2] *= draw.uniform(0.05, 0.5)
        self.stretch = draw.choice([0, 0, draw.uniform(0, 8e-4)])
        peaks = int(draw.integers(0, 6))
        self.centers = draw.uniform(np.log2(200), np.log2(7000), peaks)
        self.widths, self.heights = draw.uniform(0.1, 0.9, peaks), draw.normal(0, 9, peaks)
        self.attack = 10 ** draw.uniform(-2.6, -0.7)
        self.plucked = draw.random() < 0.45
        self.decay = draw.uniform(0.15, 2.5)
        self.high_dies = draw.uniform(0, 1.5)
        self.release = draw.uniform(0.02, 0.4)
        self.breath = draw.choice([0, draw.uniform(0, 0.05), draw.uniform(0, 0.5)], p=[0.4, 0.4, 0.2])
        low = draw.uniform(150, 3000)
        self.breath_band = butter(1, [low, min(7800, low * draw.uniform(1.5, 8))], "band", fs=RATE, output="sos")
        self.vibrato = 0.0 if self.plucked and draw.random() < 0.8 else draw.choice([0, draw.uniform(0.001, 0.02)])
        self.speed, self.tremolo = draw.uniform(3.5, 7.5), draw.choice([0, draw.uniform(0, 0.5)])
        self.slide = draw.choice([0, 0, draw.uniform(-2, 2)])
        self.jitter = draw.choice([0, draw.uniform(0, 0.004)])
        self.strings = int(draw.choice([1, 1, 2, 3]))

    def note(self, pitch: int, velocity: int, seconds: float, draw: np.random.Generator) -> np.ndarray:
        tail = min(3.0, self.decay) if self.plucked and draw.random() < 0.5 else self.release
        n = int((seconds + tail) * RATE)
        time = np.arange(n) / RATE
        swing = np.sin(2 * np.pi * (self.speed * time + draw.random())) * np.minimum(1, time / 0.3)
        cents = self.slide * np.exp(-time / 0.05) / 12
        if self.jitter:
            cents = cents + np.interp(time, np.arange(0, time[-1] + 0.1, 0.04), draw.normal(0, self.jitter, len(np.arange(0, time[-1] + 0.1, 0.04))))
        bend = 2**cents * (1 + self.vibrato * swing)
        base = 440 * 2 ** ((pitch - 69) / 12)
        envelope = np.minimum(1, time / self.attack)
        envelope *= np.exp(-time / self.decay) if self.plucked else 1
        envelope *= np.clip((seconds + tail - time) / tail, 0, 1) ** 2 * (1 + self.tremolo * swing)
        out = np.zeros(n)
        hardness = 0.4 + velocity / 127
        for string in range(self.strings):
            phase = 2 * np.pi * np.cumsum(base * (1 + string * draw.uniform(-8e-4, 8e-4)) * bend) / RATE
            for number, amplitude in zip(self.number, self.partials):
                stretched = number * np.sqrt(1 + self.stretch * number**2)
                if base * stretched > 7600:
                    break
                amplitude = amplitude * self.resonance(base * stretched) * hardness ** (number / 4)
                dying = np.exp(-time * self.high_dies * number / 4) if self.plucked else 1.0
                out += amplitude * dying * np.sin(stretched * phase + draw.uniform(0, 6.28))
        level = np.sqrt(np.mean(out**2)) + 1e-9
        out = out / level * 0.1
        if self.breath:
            noise = sosfilt(self.breath_band, draw.standard_normal(n))
            out = out + self.breath * 0.1 * noise / (np.sqrt(np.mean(noise**2)) + 1e-9)
        return out * envelope * (velocity / 100) ** 1.5

    def resonance(self, frequency: float) -> float:
        apart = (np.log2(frequency) - self.centers) / self.widths
        return 10 ** (float(np.sum(self.heights * np.exp(-(apart**2) / 2))) / 20)
