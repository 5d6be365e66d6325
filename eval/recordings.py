"""A folder of recordings, by split: instruments, voices, noises and rooms.

FOLDER/instruments/INSTRUMENT/SET/NAME.flac, FOLDER/voices/KIND/SPEAKER/NAME.flac, FOLDER/noises/CLASS/NAME.flac and
FOLDER/rooms/NAME.flac, mono, 16 kHz. FOLDER/noises/INDEX.tsv and FOLDER/rooms/INDEX.tsv name the set of each file, in
the columns `path` and `set`. `models/voice/splits.toml` assigns sets and speakers to splits.
"""

import csv
import dataclasses
import functools
import pathlib
import re
import sys

import numpy as np
import soundfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "models" / "voice"))

import splits
from acoustics import ATTACKER_RATE

SOURCE_RATE = ATTACKER_RATE
FAMILIES = {
    "bowed": ("cello", "double-bass", "strings-section", "viola", "violin"),
    "brass": ("didgeridoo", "horn", "trombone", "trumpet", "tuba"),
    "drums": ("cajon", "drums"),
    "flutes": ("flute", "recorder"),
    "free reeds": ("accordion", "harmonica", "khaen"),
    "keys": ("organ", "piano", "piano-upright"),
    "mallets": ("kalimba", "marimba", "steelpan", "vibraphone", "xylophone"),
    "plucked": (
        "banjo", "bass-electric", "bass-tagelharpa", "guitar-electric", "guitar-nylon", "guitar-steel", "harp", "mandolin",
        "sitar", "ukulele",
    ),
    "reeds": ("bagpipe", "bassoon", "clarinet", "oboe", "shehnai"),
    "other": (),
}  # fmt: skip
# Names of rooms' files that are loudspeakers and cabinets.
DEVICES = ("cab-", "device-")
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
PITCH = re.compile(r"-([A-G])(s|b)?(-?\d)(?=-|$)")


@dataclasses.dataclass(frozen=True)
class Instrument:
    """An instrument of one set, played in one way."""

    family: str
    name: str
    set_name: str
    files: tuple[pathlib.Path, ...]
    seconds: float


@dataclasses.dataclass(frozen=True)
class Voice:
    """One person (or one crowd) and one kind of voice."""

    kind: str
    speaker: str
    files: tuple[pathlib.Path, ...]
    seconds: float


@dataclasses.dataclass(frozen=True)
class Recordings:
    split: str
    instruments: tuple[Instrument, ...]
    voices: tuple[Voice, ...]
    # By class.
    noises: dict[str, tuple[pathlib.Path, ...]]
    # By room: one or several positions in it.
    rooms: dict[str, tuple[pathlib.Path, ...]]

    def families(self) -> list[str]:
        return sorted({instrument.family for instrument in self.instruments})

    def of_kind(self, *kinds: str) -> list[Voice]:
        return [voice for voice in self.voices if voice.kind in kinds]


@functools.cache
def read(folder: pathlib.Path, split: str) -> Recordings:
    """The recordings of `folder` that are in `split`."""
    if not (folder / "instruments").is_dir() or not (folder / "voices").is_dir():
        raise FileNotFoundError(f"{folder} is not a folder of recordings: it lacks instruments/ or voices/")
    noises, rooms = {}, {}
    for path in indexed(folder / "noises", "noises", split):
        noises.setdefault(path.parent.name, []).append(path)
    for path in indexed(folder / "rooms", "rooms", split):
        if not path.name.startswith(DEVICES):
            rooms.setdefault(re.sub(r"-ch\d+$", "", path.stem), []).append(path)
    return Recordings(
        split,
        tuple(instruments(folder / "instruments", split)),
        tuple(voices(folder / "voices", split)),
        {name: tuple(files) for name, files in noises.items()},
        {name: tuple(files) for name, files in rooms.items()},
    )


def indexed(folder: pathlib.Path, group: str, split: str) -> list[pathlib.Path]:
    if not (folder / "INDEX.tsv").exists():
        return []
    with open(folder / "INDEX.tsv", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    return sorted(folder / row["path"] for row in rows if splits.of(group, row["set"]) == split)


def instruments(folder: pathlib.Path, split: str) -> list[Instrument]:
    found = []
    for place in sorted(path for path in folder.glob("*/*") if path.is_dir()):
        if splits.of("instruments", place.name) != split:
            continue
        by_family: dict[str, list[pathlib.Path]] = {}
        for file in sorted(place.glob("*.flac")):
            by_family.setdefault(family_of(place.parent.name, file.stem), []).append(file)
        for family, files in by_family.items():
            found.append(Instrument(family, place.parent.name, place.name, tuple(files), duration(files)))
    return found


def family_of(instrument: str, file: str) -> str:
    """The family of an instrument; a bowed string that is plucked counts as plucked."""
    if instrument.startswith("saxophone"):
        return "reeds"
    family = next((family for family, names in FAMILIES.items() if instrument in names), "other")
    return "plucked" if family == "bowed" and file.startswith("pizz") else family


def voices(folder: pathlib.Path, split: str) -> list[Voice]:
    found = []
    for place in sorted(path for path in folder.glob("*/*") if path.is_dir()):
        files = sorted(place.glob("*.flac"))
        if files and splits.of("voices", place.name) == split:
            kind = "humming" if place.name.endswith("-hum") else place.parent.name
            found.append(Voice(kind, place.name, tuple(files), duration(files)))
    return found


def duration(files: list[pathlib.Path]) -> float:
    return sum(soundfile.info(str(file)).duration for file in files)


@functools.lru_cache(maxsize=512)
def samples(file: pathlib.Path) -> np.ndarray:
    """The audio of a recording at SOURCE_RATE."""
    sound, rate = soundfile.read(file, dtype="float32", always_2d=True)
    if rate != SOURCE_RATE:
        raise ValueError(f"{file} has {rate} Hz; expected {SOURCE_RATE}")
    sound = sound.mean(1)
    sound.setflags(write=False)
    return sound


def pitch_of(file: pathlib.Path) -> int | None:
    """The MIDI pitch in a name like `sus-As3-f`."""
    found = PITCH.search(f"-{file.stem}")
    if not found:
        return None
    letter, accidental, octave = found.groups()
    return 12 * (int(octave) + 1) + SEMITONES[letter] + {"s": 1, "b": -1, None: 0}[accidental]
