"""Generates playing like that of learners: scales, melodies, chords, wrong notes, pauses, several at once.

Rendered by fluidsynth. A piece is named SOUNDFONT/PROGRAM or SOUNDFONT/PROGRAM+PROGRAM.
"""

import random
import subprocess
import tempfile

import numpy as np
import pretty_midi
import soundfile as sf
import soxr

import sources
import splits

RATE = 16_000
SECONDS = 60.0
# The lowest and the highest note of each family of eight programs: learners play the middle range.
RANGES = [(36, 90), (60, 96), (40, 88), (40, 76), (28, 55), (43, 88), (43, 84), (48, 80), (48, 82), (56, 92), (52, 90)]
RANGES += [(48, 84)] * 5
LOW = {42: (36, 67), 43: (28, 55), 57: (40, 70), 58: (28, 58), 67: (36, 66), 70: (34, 67), 72: (74, 103), 24: (40, 76), 25: (40, 76)}


def render(index: int) -> list[tuple[str, str, str, np.ndarray]]:
    """One minute of playing on one or two instruments of a SoundFont, at -20 dBFS."""
    rng = random.Random(f"piece {index}")
    font = rng.choice(list(sources.SOUNDFONTS))
    chosen = rng.choices(list(sources.PROGRAM_WEIGHTS), list(sources.PROGRAM_WEIGHTS.values()), k=1 if rng.random() < 0.8 else 2)
    split = splits.of_programs(set(chosen))
    if split != "train":
        chosen = [program for program in chosen if splits.of_programs({program}) == split]
    midi = pretty_midi.PrettyMIDI(initial_tempo=120)
    for program in chosen:
        midi.instruments.append(part(program, rng))
    if rng.random() < 0.12:
        midi.instruments.append(drums(rng))
    sound = synthesized(sources.SOUNDFONTS[font], midi)
    sound = sound / (np.sqrt(np.mean(sound**2)) + 1e-9) * 0.1
    peak = np.abs(sound).max()
    name = f"{font}/{'+'.join(map(str, chosen))}"
    return [(split, name, "music", (sound * min(1, 0.98 / peak)).astype(np.float32))] if peak > 0 else []


def part(program: int, rng: random.Random) -> pretty_midi.Instrument:
    """Phrases of changing kinds."""
    out = pretty_midi.Instrument(program)
    low, high = LOW.get(program, RANGES[program // 8])
    polyphonic = program // 8 in (0, 1, 2, 3) or program in (46, 105, 107, 108)
    at = rng.uniform(0, 0.5)
    while at < SECONDS - 1:
        style = rng.choice(["scale", "melody", "melody", "chords", "arpeggio", "repeat", "long", "leaps", "fast"])
        if style == "chords" and not polyphonic:
            style = "melody"
        at = phrase(out, style, at, min(SECONDS, at + rng.uniform(3, 9)), low, high, polyphonic, rng)
        at += rng.choice([0, 0.05, 0.3, 0.8, 1.8])
    if not polyphonic:
        expression(out, rng)
    return out


def phrase(out, style, at, end, low, high, polyphonic, rng) -> float:
    root = rng.randrange(low, max(low + 1, high - 14))
    scale = rng.choice([[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10], [0, 2, 4, 7, 9], list(range(12))])
    beat = {"fast": rng.uniform(0.09, 0.17), "long": rng.uniform(1.2, 3.0)}.get(style, rng.uniform(0.22, 0.7))
    articulation = rng.choice([0.25, 0.6, 0.9, 1.02])
    loudness = rng.randrange(35, 110)
    degree, direction = rng.randrange(5), rng.choice([-1, 1])
    while at < end:
        if style in ("scale", "fast", "arpeggio"):
            degree += direction * (2 if style == "arpeggio" else 1)
            if not 0 <= degree < 2 * len(scale):
                direction = -direction
                degree += 2 * direction
        elif style == "leaps":
            degree = rng.randrange(2 * len(scale))
        elif style != "repeat":
            degree = max(0, min(2 * len(scale) - 1, degree + rng.choice([-2, -1, -1, 0, 1, 1, 2])))
        octave, step = divmod(degree, len(scale))
        pitch = root + 12 * octave + scale[step] + (rng.choice([-1, 1]) if rng.random() < 0.05 else 0)
        length = beat * (rng.choice([1, 1, 1, 2, 0.5]) if style == "melody" else 1) * rng.uniform(0.92, 1.08)
        pitches = [pitch + interval for interval in rng.choice([[0, 4, 7], [0, 3, 7], [0, 5, 9], [0, 4, 7, 12]])] if style == "chords" else [pitch]
        if polyphonic and style in ("melody", "scale") and rng.random() < 0.3:
            pitches.append(pitch - rng.choice([12, 15, 17, 7, 24]))
        for sounding in pitches:
            velocity = max(15, min(127, int(rng.gauss(loudness, 9))))
            out.notes.append(pretty_midi.Note(velocity, max(12, min(108, sounding)), at, at + length * articulation))
        at += length
        if rng.random() < 0.04:
            at += rng.uniform(0.2, 1.5)
    return at


def expression(out: pretty_midi.Instrument, rng: random.Random) -> None:
    """Vibrato, swells and slides, as on wind and bowed instruments, which sound most like a voice."""
    control = pretty_midi.ControlChange
    if rng.random() < 0.5:
        out.control_changes.append(control(1, rng.randrange(20, 127), 0))
    if rng.random() < 0.5:
        at, level = 0.0, 100.0
        while at < SECONDS:
            level = max(35, min(127, level + rng.gauss(0, 9)))
            out.control_changes.append(control(11, int(level), at))
            at += 0.08
    if rng.random() < 0.35:
        for note in out.notes[:: rng.choice([1, 2, 4])]:
            depth, time = rng.choice([-2048, -1024, 1024]), rng.uniform(0.05, 0.25)
            for step in range(8):
                out.pitch_bends.append(pretty_midi.PitchBend(int(depth * (1 - step / 7)), note.start + time * step / 7))


def drums(rng: random.Random) -> pretty_midi.Instrument:
    """A metronome, or a simple beat."""
    out = pretty_midi.Instrument(0, is_drum=True)
    beat, kit = rng.uniform(0.3, 1.0), rng.choice([[33, 34], [76, 77], [75, 75], [37, 37], [36, 42, 38, 42]])
    for count in range(int(SECONDS / beat)):
        at = count * beat
        out.notes.append(pretty_midi.Note(rng.randrange(50, 115), kit[count % len(kit)], at, at + 0.1))
    return out


def synthesized(soundfont: str, midi: pretty_midi.PrettyMIDI) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        score, wave = f"{folder}/a.mid", f"{folder}/a.wav"
        midi.write(score)
        command = ["fluidsynth", "-ni", "-q", "-r", "32000", "-R", "0", "-C", "0", "-F", wave, soundfont, score]
        subprocess.run(command, check=True, capture_output=True)
        sound, _ = sf.read(wave, dtype="float32", always_2d=True)
    return soxr.resample(sound.mean(1)[: int(SECONDS * 32_000)], 32_000, RATE)
