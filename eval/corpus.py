"""Builds the clips that are anonymized and attacked: music, recorded speech, and both, with ground truth.

FOLDER/NAME.wav (48 kHz, mono, 16 bit) has FOLDER/NAME.json: `case`, `seconds`, `notes` [[start, end,
midi]], `speech` [[start, end]], `speaker`, `program`, `snr_db`. FOLDER/clean/NAME.wav is the clip's
speech alone; FOLDER/enroll/SPEAKER.wav are 20 s of a speaker's clean speech of other recordings, and
FOLDER/enrolmix-SPEAKER.wav that speech over music. Each clip has a seed of its own, so that
one more clip changes no other.
"""

import dataclasses
import json
import multiprocessing
import pathlib
import subprocess
import tempfile

import numpy as np
import pretty_midi
import soundfile

import acoustics
import sets
from acoustics import RATE
from seeding import generator

SECONDS = 12.0
ENROLL_SECONDS = 20.0
# The level of the speech relative to the music, dB.
LEVELS = (6, 0, -6, -12, -18)
SCALE = (0, 2, 4, 5, 7, 9, 11)
KEYBOARDS = (0, 1, 2, 4)
LOW_PROGRAMS = (42,)


@dataclasses.dataclass(frozen=True)
class Clip:
    """One clip to create."""

    name: str
    case: str
    voice: str | None = None
    level: int = 0


def plan(voices: list[str], per_voice: int = 1, clips_per_voice: int | None = None, music_clips: int = 12) -> list[Clip]:
    """All clips of a corpus; `alternate` is there twice, since it is the most common case. With `clips_per_voice`, each
    voice has only that many of the cases, and the next voice continues with the next case."""
    if clips_per_voice is not None:
        return some(plan(voices, per_voice, music_clips=music_clips), voices, clips_per_voice)
    clips = [Clip(f"music-{number:02d}", "music") for number in range(music_clips * per_voice)]
    clips.append(Clip("noise-00", "noise"))
    for voice in voices:
        clips.append(Clip(f"enrolmix-{voice}", "enrolmix", voice))
        for take in range(per_voice):
            for case in ("speech", "alternate", "alternate", "whisper", "far", "child"):
                count = sum(clip.case == case for clip in clips)
                clips.append(Clip(f"{case}-{count:02d}", case, voice))
            clips += [Clip(f"over{level:+d}-{voice}-{take}", f"over{level:+d}", voice, level) for level in LEVELS]
    return clips


def some(clips: list[Clip], voices: list[str], clips_per_voice: int) -> list[Clip]:
    chosen = [clip for clip in clips if clip.voice is None or clip.case == "enrolmix"]
    for number, voice in enumerate(voices):
        own = [clip for clip in clips if clip.voice == voice and clip.case != "enrolmix"]
        chosen += [own[(number * clips_per_voice + turn) % len(own)] for turn in range(clips_per_voice)]
    return chosen


def build(
    folder: pathlib.Path, voice_set: sets.VoiceSet, seed: int, clips: list[Clip] | None = None, jobs: int = 2
) -> list[Clip]:
    """Creates the missing clips of the corpus."""
    for part in ("", "clean", "enroll"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    if clips is None:
        clips = plan(sorted(voice_set.recordings()))
    missing = [clip for clip in clips if not (folder / f"{clip.name}.json").exists()]
    with multiprocessing.Pool(jobs) as pool:
        pool.starmap(make, [(folder, voice_set, seed, clip) for clip in missing], chunksize=1)
    return clips


def make(folder: pathlib.Path, voice_set: sets.VoiceSet, seed: int, clip: Clip) -> None:
    rng = generator(voice_set.name, seed, clip.name)
    if clip.case == "music":
        sound, notes, program = playing(voice_set, SECONDS, rng)
        save(folder, clip, acoustics.in_room(sound, rng), rng, notes=notes, program=program)
    elif clip.case == "noise":
        save(folder, clip, np.zeros(int(SECONDS * RATE)), rng)
    elif clip.case == "enrolmix":
        make_enrollment(folder, voice_set, seed, clip, rng)
    elif clip.case == "speech":
        said, spans = talking(recordings(voice_set, seed, clip.voice)[1], SECONDS, rng)
        save(folder, clip, acoustics.in_room(said, rng), rng, clean=said, speech=spans)
    elif clip.case in ("alternate", "whisper", "far"):
        make_between(folder, voice_set, seed, clip, rng)
    else:
        make_over(folder, voice_set, seed, clip, rng)


def make_enrollment(folder, voice_set, seed, clip, rng) -> None:
    said, spans = talking(recordings(voice_set, seed, clip.voice)[0], ENROLL_SECONDS, rng)
    soundfile.write(folder / "enroll" / f"{clip.voice}.wav", said, RATE)
    music, notes, program = playing(voice_set, ENROLL_SECONDS, rng)
    save(
        folder, clip, acoustics.in_room(said + music, rng), rng, clean=said, speech=spans, notes=notes, program=program
    )


def make_between(folder, voice_set, seed, clip, rng) -> None:
    """Speech, music, speech: a quarter, a half and a quarter of the time."""
    quarter, files = SECONDS / 4, recordings(voice_set, seed, clip.voice)[1]
    music, notes, program = playing(voice_set, 2 * quarter, rng)
    (before, spans), (after, later) = talking(files, quarter, rng), talking(files, quarter, rng)
    if clip.case == "whisper":
        parts = [acoustics.whispered(before, rng) * 0.4, music, acoustics.whispered(after, rng) * 0.4]
    elif clip.case == "far":
        across = [acoustics.in_room(acoustics.in_room(said, rng), rng) * 0.12 for said in (before, after)]
        parts = [across[0], acoustics.in_room(music, rng), across[1]]
    else:
        parts = [before, music, after]
    sound = np.concatenate(parts)
    save(
        folder, clip, sound if clip.case == "far" else acoustics.in_room(sound, rng), rng,
        clean=np.concatenate([before, 0 * music, after]), program=program,
        notes=[[start + quarter, end + quarter, midi] for start, end, midi in notes],
        speech=spans + [[start + 3 * quarter, end + 3 * quarter] for start, end in later],
    )  # fmt: skip


def make_over(folder, voice_set, seed, clip, rng) -> None:
    """Speech over music, from a quarter to three quarters of the time."""
    music, notes, program = playing(voice_set, SECONDS, rng)
    said, spans = talking(recordings(voice_set, seed, clip.voice)[1], SECONDS / 2, rng)
    quicker = 1.0
    if clip.case == "child":
        said, quicker = acoustics.repitched(said), 100 / 128
    start_s = SECONDS / 4
    clean = np.zeros(len(music), np.float32)
    clean[int(start_s * RATE) :][: len(said)] = said
    sound = acoustics.in_room(music + clean * 10 ** (clip.level / 20), rng)
    spans = [[start * quicker + start_s, end * quicker + start_s] for start, end in spans]
    save(folder, clip, sound, rng, clean=clean, speech=spans, notes=notes, program=program, snr_db=clip.level)


def save(folder: pathlib.Path, clip: Clip, sound: np.ndarray, rng, clean: np.ndarray | None = None, **truth) -> None:
    if clean is not None:
        soundfile.write(folder / "clean" / f"{clip.name}.wav", clean, RATE)
    soundfile.write(folder / f"{clip.name}.wav", acoustics.on_phone(sound, rng), RATE, subtype="PCM_16")
    metadata = {"case": clip.case, "seconds": len(sound) / RATE, "notes": [], "speech": [], "speaker": clip.voice} | truth
    if clip.voice:
        kind = clip.case if clip.case in ("child", "whisper") else "speech"
        metadata["voice_kind"] = "synthetic" if clip.voice.startswith("espeak-") else kind
    if "program" in truth:
        metadata["family"] = sets.family_of(truth["program"])
    (folder / f"{clip.name}.json").write_text(json.dumps(metadata))


def recordings(voice_set: sets.VoiceSet, seed: int, voice: str) -> tuple[list[str], list[str]]:
    """The recordings of a voice in two halves: for enrollment, and for clips."""
    files = voice_set.recordings()[voice]
    generator(voice_set.name, seed, voice).shuffle(files)
    return files[: len(files) // 2], files[len(files) // 2 :]


def talking(files: list[str], seconds: float, rng: np.random.Generator) -> tuple[np.ndarray, list[list[float]]]:
    """Utterances with short pauses: the samples, and the spans of speech."""
    out, spans, at = np.zeros(int(seconds * RATE), np.float32), [], 0
    while len(out) - at > 0.2 * RATE:
        said = trimmed(acoustics.decoded(str(rng.choice(files))))
        if len(said) < 0.25 * RATE:
            continue
        said = acoustics.leveled(said)[: len(out) - at]
        out[at : at + len(said)] = said
        spans.append([at / RATE, (at + len(said)) / RATE])
        at += len(said) + int(rng.uniform(0.1, 0.5) * RATE)
    return out, spans


def trimmed(sound: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(sound) > 0.02 * (np.abs(sound).max(initial=0) + 1e-9))
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound[:0]


def playing(voice_set: sets.VoiceSet, seconds: float, rng: np.random.Generator) -> tuple[np.ndarray, list, int]:
    """A beginner's melody, on keyboards sometimes with a left hand: the audio, its notes, its program."""
    program = int(rng.choice(voice_set.programs))
    root = 48 if program in LOW_PROGRAMS else int(rng.choice([60, 62, 65, 67]))
    beat, at, degree, notes = float(rng.choice([0.35, 0.45, 0.6])), 0.15, int(rng.integers(7)), []
    while at < seconds - 0.6:
        degree = max(-3, min(10, degree + int(rng.choice([-2, -1, -1, 0, 1, 1, 2]))))
        length = beat * int(rng.choice([1, 1, 1, 2]))
        end, pitch = min(at + length * 0.92, seconds - 0.1), root + 12 * (degree // 7) + SCALE[degree % 7]
        notes.append([at, end, pitch])
        if program in KEYBOARDS and rng.random() < 0.35:
            notes.append([at, end, pitch - 12 - int(rng.choice([0, 3, 5]))])
        at += length
    delay = sets.ONSET_DELAY_S.get(program, 0.0)
    sound = rendered(voice_set.soundfont, program, notes, rng)[: int(seconds * RATE)]
    notes = [[start + delay, end + delay, pitch] for start, end, pitch in notes]
    return acoustics.leveled(np.pad(sound, (0, int(seconds * RATE) - len(sound)))), notes, program


def rendered(soundfont: str, program: int, notes: list, rng: np.random.Generator) -> np.ndarray:
    midi, part = pretty_midi.PrettyMIDI(), pretty_midi.Instrument(program)
    part.notes = [pretty_midi.Note(int(rng.integers(60, 110)), pitch, start, end) for start, end, pitch in notes]
    midi.instruments.append(part)
    with tempfile.TemporaryDirectory() as folder:
        score, wave = f"{folder}/score.mid", f"{folder}/score.wav"
        midi.write(score)
        command = ["fluidsynth", "-ni", "-q", "-r", str(RATE), "-R", "0", "-C", "0", "-F", wave, soundfont, score]
        subprocess.run(command, check=True, capture_output=True)
        return soundfile.read(wave, dtype="float32", always_2d=True)[0].mean(1)
