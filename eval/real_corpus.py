#!/usr/bin/env python3
"""Builds clips of real recordings of one split: music, voices and both, with ground truth.

usage: real_corpus.py RECORDINGS OUT --split valid|calibration|test|train [--clips N] [--seed N] [--jobs N] [--notes]

RECORDINGS is a folder as `recordings.py` describes. OUT/NAME.wav (48 kHz, mono, 16 bit) has OUT/NAME.json: `case`,
`seconds`, `notes` [[start, end, midi]], `speech` [[start, end]] of any voice, `music` [[start, end]], `speaker`,
`voice_kind`, `voice_set`, `family`, `instrument`, `set`, `snr_db`, and the random values of room, noise and phone.
OUT/clean/NAME.wav is the clip's voice alone, without the room, and before it is whispered; OUT/dry/NAME.wav the music
alone. OUT/enroll/SPEAKER.wav is clean speech of other recordings, and OUT/enrolmix-SPEAKER.wav that speech over music.
`notes` are what Basic Pitch finds in the dry music, with --notes only, since that takes a second per clip.
"""

import argparse
import dataclasses
import json
import multiprocessing
import pathlib

import numpy as np
import soundfile

import acoustics
import performance
import recordings
import scene
import sets
from recordings import SOURCE_RATE, Instrument, Recordings, Voice
from seeding import generator

SECONDS = 12.0
ENROLL_SECONDS = 20.0
CLIPS = 360
# How often each case occurs. Voices are in about three fifths of the clips.
WEIGHTS = {
    "music": 33, "noise": 5, "speech": 4, "alternate": 7, "far": 5, "whisper": 4, "over+6": 4, "over+0": 5, "over-6": 5,
    "over-12": 5, "over-18": 4, "child": 5, "singing": 3, "singing-over": 4, "humming": 1, "vocal": 4, "vocal-over": 3,
    "crowd": 2,
}  # fmt: skip
# The kinds of voices of each case; speech if not listed.
KINDS = {
    "child": ("child",), "singing": ("singing",), "singing-over": ("singing",), "humming": ("humming",),
    "vocal": ("vocal-sounds",), "vocal-over": ("vocal-sounds",), "alternate": ("speech", "child"), "far": ("speech", "child"),
}  # fmt: skip
# The level of the voice relative to the music, both as the microphone receives them, dB: the lowest and the highest.
LEVELS = {
    "alternate": (-6, 6), "far": (-20, -10), "whisper": (-20, -10), "child": (0, 0), "singing-over": (0, 0),
    "humming": (-6, 0), "vocal": (-6, 9), "vocal-over": (-6, 6), "crowd": (-15, -3),
}  # fmt: skip
BETWEEN = ("alternate", "far", "whisper", "vocal")
# A voice with less audio is not used, s.
MIN_VOICE_S = 1.0
# Of a speaker with this much audio in several files, half is for enrollment, s.
MIN_ENROLLED_S = 10.0
MAX_ENROLLED = 12
# At least one clip in this number is of an enrolled speaker.
ENROLLED_TURN = 3
CROWD = 6
# The share of clips with a noise, and its level relative to the rest, dB.
NOISY = 1 / 3
NOISE_DB = (-45, -20)
# A clip of noise alone, dB.
LOUD_NOISE_DB = (-30, 0)


@dataclasses.dataclass(frozen=True)
class Clip:
    """One clip to create."""

    name: str
    case: str
    # Chooses the voice and the instrument.
    number: int
    seconds: float = SECONDS
    # The speaker of an enrollment.
    speaker: str | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--split", choices=recordings.splits.SPLITS, required=True)
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--notes", action="store_true", help="transcribe the dry music")
    options = parser.parse_args()
    sources = recordings.read(options.recordings, options.split)
    clips = plan(sources, options.clips)
    build(options.out, options.recordings, options.split, options.seed, clips, options.jobs, options.notes)
    print(f"{len(clips)} clips in {options.out}")


def plan(sources: Recordings, count: int = CLIPS) -> list[Clip]:
    """About `count` clips of all cases that the recordings allow, and one per speaker to enroll."""
    weights = {case: weight for case, weight in WEIGHTS.items() if possible(sources, case)}
    total, clips = sum(weights.values()), []
    for case, weight in weights.items():
        clips += [Clip(f"{case}-{number:03d}", case, number) for number in range(max(1, round(count * weight / total)))]
    for number, voice in enumerate(enrolled(sources)):
        clips.append(Clip(f"enrolmix-{voice.speaker}", "enrolmix", number, ENROLL_SECONDS, voice.speaker))
    return clips


def possible(sources: Recordings, case: str) -> bool:
    if case == "music":
        return bool(sources.instruments)
    return case == "noise" or bool(candidates(sources, case)) and bool(sources.instruments)


def candidates(sources: Recordings, case: str) -> list[Voice]:
    return [voice for voice in sources.of_kind(*KINDS.get(case, ("speech",))) if voice.seconds >= MIN_VOICE_S]


def enrolled(sources: Recordings) -> list[Voice]:
    """The speakers with enough audio, those with most of it first."""
    enough = [voice for voice in sources.of_kind("speech", "child") if voice.seconds >= MIN_ENROLLED_S and len(voice.files) > 1]
    return sorted(enough, key=lambda voice: (-voice.seconds, voice.speaker))[:MAX_ENROLLED]


def build(
    out: pathlib.Path, folder: pathlib.Path, split: str, seed: int, clips: list[Clip], jobs: int = 1, notes: bool = False
) -> None:
    """Creates the missing clips."""
    for part in ("", "clean", "dry", "enroll"):
        (out / part).mkdir(parents=True, exist_ok=True)
    arguments = [(out, folder, split, seed, clip) for clip in clips if not (out / f"{clip.name}.json").exists()]
    if jobs > 1:
        with multiprocessing.Pool(jobs) as pool:
            pool.starmap(make, arguments, chunksize=8)
    else:
        for given in arguments:
            make(*given)
    if notes:
        transcribe(out, clips)


def transcribe(out: pathlib.Path, clips: list[Clip]) -> None:
    import music

    for clip in clips:
        metadata = json.loads((out / f"{clip.name}.json").read_text())
        if metadata["music"] and not metadata["notes"]:
            metadata["notes"] = music.transcribe(out / "dry" / f"{clip.name}.wav")
            (out / f"{clip.name}.json").write_text(json.dumps(metadata))


def make(out: pathlib.Path, folder: pathlib.Path, split: str, seed: int, clip: Clip) -> None:
    sources = recordings.read(folder, split)
    rng = generator("real", split, seed, clip.name)
    truth: dict = {"case": clip.case, "seconds": clip.seconds, "notes": [], "speech": [], "music": [], "speaker": None}
    truth |= {"voice_kind": "none", "voice_set": None, "family": None, "instrument": None, "set": None, "snr_db": None}
    room = scene.room_of(sources, rng)
    mix = np.zeros(int(clip.seconds * SOURCE_RATE), np.float32)
    dry = voice = None
    if clip.case not in ("noise", "speech", "singing"):
        dry, about = music_of(sources, clip, seed, rng)
        truth |= about | {"music": scene.active_spans(dry)}
        mix += scene.leveled(room.heard(dry, float(rng.uniform(0.3, 1.2))))
    if clip.case not in ("noise", "music"):
        voice, sounded, about = voice_of(sources, clip, seed, rng)
        truth |= about | {"speech": scene.active_spans(sounded)}
        distance_m = rng.uniform(3, 6) if clip.case in ("far", "crowd") else rng.uniform(0.4, 1.5)
        heard = scene.leveled(room.heard(sounded, float(distance_m), 1))
        if dry is not None:
            truth["snr_db"] = round(level_of(clip.case, rng), 1)
            heard *= 10 ** (truth["snr_db"] / 20)
        mix += heard
    noise, truth["noise"], truth["noise_db"] = noise_for(sources, clip, rng)
    mix += noise
    sound, drawn = scene.recorded(mix, rng)
    write(out, clip, sound, dry, voice, truth | drawn)


def music_of(sources: Recordings, clip: Clip, seed: int, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
    """The dry music of a clip, in the middle half if the voice is before and after it."""
    instrument = instrument_of(sources, clip, seed, rng)
    whole = np.zeros(int(clip.seconds * SOURCE_RATE), np.float32)
    quarter = len(whole) // 4
    if clip.case in BETWEEN:
        whole[quarter : 3 * quarter] = performance.performed(instrument, clip.seconds / 2, rng)[: 2 * quarter]
    else:
        whole[:] = performance.performed(instrument, clip.seconds, rng)[: len(whole)]
    about = {"family": instrument.family, "instrument": instrument.name, "set": instrument.set_name}
    return scene.leveled(whole), about


def instrument_of(sources: Recordings, clip: Clip, seed: int, rng: np.random.Generator) -> Instrument:
    """The families in turn; within one an instrument with more recordings is likelier."""
    families = sources.families()
    start = int(generator("families", seed, clip.case).integers(len(families)))
    family = families[(start + clip.number) % len(families)]
    group = [instrument for instrument in sources.instruments if instrument.family == family]
    weights = np.sqrt([instrument.seconds for instrument in group])
    return group[rng.choice(len(group), p=weights / weights.sum())]


def voice_of(sources: Recordings, clip: Clip, seed: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, dict]:
    """The clean voice of a clip, the voice as it sounds in it, and who it is."""
    if clip.case == "crowd":
        clean = crowd(sources, clip.seconds, rng)
        return clean, clean, {"voice_kind": "crowd"}
    whole = np.zeros(int(clip.seconds * SOURCE_RATE), np.float32)
    real_whispers = sources.of_kind("whisper")
    if clip.case == "whisper" and clip.number < len(real_whispers):
        voice = real_whispers[clip.number]
    elif clip.case == "enrolmix":
        voice = next(voice for voice in enrolled(sources) if voice.speaker == clip.speaker)
    else:
        group = candidates(sources, clip.case)
        # Speaker verification needs clips of enrolled speakers.
        known = [voice for voice in group if voice in enrolled(sources)]
        if known and clip.number % ENROLLED_TURN == 0:
            group = known
        generator("voices", seed, *KINDS.get(clip.case, ("speech",))).shuffle(group)
        start = int(generator("first voice", seed, clip.case).integers(len(group)))
        turn = clip.number // ENROLLED_TURN if group is known else clip.number
        voice = group[(start + turn) % len(group)]
    files = files_for(sources, voice, clip)
    if clip.case in BETWEEN:
        said = uttered(files, clip.seconds / 2, voice.kind, rng)
        half, last = len(said) // 2, len(whole) - len(whole) // 4
        whole[:half] = said[:half]
        whole[last : last + len(said) - half] = said[half:]
    elif clip.case in ("speech", "singing", "enrolmix"):
        said = uttered(files, clip.seconds, voice.kind, rng)
        whole[: len(said)] = said
    else:
        said = uttered(files, clip.seconds / 2, voice.kind, rng)
        whole[len(whole) // 4 :][: len(said)] = said
    whispered = clip.case == "whisper" and voice.kind != "whisper"
    kind = "whisper" if clip.case == "whisper" else "singing" if voice.kind == "humming" else voice.kind
    about = {"speaker": voice.speaker, "voice_kind": kind, "voice_set": voice.speaker}
    return whole, whispered_at_rate(whole, rng) if whispered else whole, about


def files_for(sources: Recordings, voice: Voice, clip: Clip) -> tuple[pathlib.Path, ...]:
    """Of an enrolled speaker every other file is for enrollment."""
    if voice in enrolled(sources):
        return voice.files[::2] if clip.case == "enrolmix" else voice.files[1::2]
    return voice.files


def uttered(files: tuple[pathlib.Path, ...], seconds: float, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Recordings with short pauses, at most `seconds` in total. Speech is not repeated; other voices are."""
    wanted, out, at = int(seconds * SOURCE_RATE), [], 0
    order = [files[index] for index in rng.permutation(len(files))]
    repeats = 1 if kind in ("speech", "child", "whisper") else 4
    for file in order * repeats:
        sound = trimmed(recordings.samples(file))
        if len(sound) < SOURCE_RATE // 5:
            continue
        start = int(rng.integers(max(0, len(sound) - wanted) + 1))
        sound = scene.leveled(performance.faded(sound[start : start + wanted - at], 80, 160))
        pause = np.zeros(int(rng.uniform(0.1, 0.5) * SOURCE_RATE), np.float32)
        out += [sound, pause]
        at += len(sound) + len(pause)
        if wanted - at < SOURCE_RATE // 5:
            break
    return np.concatenate(out)[:wanted] if out else np.zeros(0, np.float32)


def trimmed(sound: np.ndarray) -> np.ndarray:
    """Without silence at both ends."""
    spans = scene.active_spans(sound)
    return sound[int(spans[0][0] * SOURCE_RATE) : int(spans[-1][1] * SOURCE_RATE)] if spans else sound[:0]


def crowd(sources: Recordings, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A recorded crowd, or several people who talk at the same time."""
    recorded = sources.of_kind("crowd")
    if recorded and rng.random() < 0.7:
        return fitted(uttered(recorded[rng.integers(len(recorded))].files, seconds, "crowd", rng), seconds)
    people = sources.of_kind("speech")
    chosen = rng.choice(len(people), min(CROWD, len(people)), replace=False)
    voices = [fitted(uttered(people[index].files, seconds, "crowd", rng), seconds) for index in chosen]
    return scene.leveled(sum(voice * 10 ** (-rng.uniform(0, 9) / 20) for voice in voices))


def fitted(sound: np.ndarray, seconds: float) -> np.ndarray:
    length = int(seconds * SOURCE_RATE)
    return np.pad(sound[:length], (0, max(0, length - len(sound))))


def whispered_at_rate(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whispered, and silent where the voice was."""
    whispered = acoustics.whispered(sound, rng, SOURCE_RATE)
    silent = np.ones(len(sound), bool)
    for start, end in scene.active_spans(sound):
        silent[int(start * SOURCE_RATE) : int(end * SOURCE_RATE)] = False
    whispered[silent] = 0
    return whispered


def level_of(case: str, rng: np.random.Generator) -> float:
    if case.startswith("over"):
        return float(case.removeprefix("over"))
    return float(rng.uniform(*LEVELS.get(case, (0, 0))))


def noise_for(sources: Recordings, clip: Clip, rng: np.random.Generator) -> tuple[np.ndarray, str | None, float | None]:
    """The noise of a clip, its class and its level in dB."""
    alone = clip.case == "noise"
    # The first clips of noise alone have the phone's noise only.
    if alone and clip.number < 2 or not alone and rng.random() >= NOISY:
        return np.zeros(int(clip.seconds * SOURCE_RATE), np.float32), None, None
    noise, name = scene.noise_of(sources, clip.seconds, rng)
    level_db = round(float(rng.uniform(*(LOUD_NOISE_DB if alone else NOISE_DB))), 1)
    return noise * np.float32(10 ** (level_db / 20)), name, level_db if name else None


def pair(recorded: sets.RecordedSet, seconds: float, talk_s: float, number: int, rng: np.random.Generator) -> tuple:
    """Music and speech at RATE, both at LEVEL, and the spans of the speech."""
    sources = recordings.read(recorded.folder, recorded.split)
    clip = Clip(f"pair-{number:03d}", "over+0", number, seconds)
    instrument = instrument_of(sources, clip, 1, rng)
    voices = candidates(sources, clip.case)
    said = uttered(voices[number % len(voices)].files, talk_s, "speech", rng)
    played = scene.leveled(performance.performed(instrument, seconds, rng))
    at_rate = [acoustics.resampled(sound, SOURCE_RATE, acoustics.RATE) for sound in (played, said)]
    return *at_rate, scene.active_spans(said)


def write(out: pathlib.Path, clip: Clip, sound: np.ndarray, dry, voice, truth: dict) -> None:
    if dry is not None:
        soundfile.write(out / "dry" / f"{clip.name}.wav", dry * 0.5, SOURCE_RATE, subtype="PCM_16")
    if voice is not None:
        soundfile.write(out / "clean" / f"{clip.name}.wav", voice * 0.5, SOURCE_RATE, subtype="PCM_16")
    if clip.case == "enrolmix":
        soundfile.write(out / "enroll" / f"{clip.speaker}.wav", voice * 0.5, SOURCE_RATE, subtype="PCM_16")
    soundfile.write(out / f"{clip.name}.wav", sound, acoustics.RATE, subtype="PCM_16")
    (out / f"{clip.name}.json").write_text(json.dumps(truth))


if __name__ == "__main__":
    main()
