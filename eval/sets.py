"""The voices and instruments of the clips.

`RecordedSet` is a folder of recordings, of which the test split is used. All other voices and the SoundFont are of
packages that are only for evaluation (`EVALUATION_ONLY_PACKAGES` in `models/voice/sources.py`): the network has learned
from none of them. `packages` are all of their voices. Paths are those of Debian's packages, which `eval/setup.sh` installs.
"""

import dataclasses
import glob
import json
import pathlib

import synthetic

ASTERISK = "/usr/share/asterisk/sounds"
KLETTRES = "/usr/share/klettres"
KTUBERLING = "/usr/share/ktuberling/sounds"
TIMGM6MB = "/usr/share/sounds/sf2/TimGM6mb.sf2"
# The package that each of these paths is of.
PACKAGES = {
    f"{ASTERISK}/en_US_f_Allison": "asterisk-core-sounds-en-wav",
    f"{ASTERISK}/es": "asterisk-prompt-es-co",
    f"{ASTERISK}/it_IT_f_Menardi": "asterisk-prompt-it-menardi-wav",
    KLETTRES: "klettres-data",
    KTUBERLING: "ktuberling-data",
    TIMGM6MB: "timgm6mb-soundfont",
}
# A voice with fewer recordings cannot provide different ones for enrollment and clips.
MIN_RECORDINGS = 8
# The time, in seconds, until a note of TimGM6mb's slow instruments (cello, recorder) is audible. Without it the
# transcriber, with a tolerance of 50 ms, would find every onset of an unprocessed clip too late.
ONSET_DELAY_S = {42: 0.03, 74: 0.06}


@dataclasses.dataclass(frozen=True)
class VoiceSet:
    name: str
    # The pattern of the recordings of each voice.
    voices: dict[str, str]
    # General MIDI programs, from 0.
    programs: list[int]
    soundfont: str = TIMGM6MB
    # The number of clips of each voice besides the one for enrollment, of all cases in turn; None: one of each case.
    clips_per_voice: int | None = None
    music_clips: int = 12

    def recordings(self) -> dict[str, list[str]]:
        """Each voice's files, in a fixed order; voices with too few recordings are omitted."""
        found = {voice: sorted(glob.glob(pattern, recursive=True)) for voice, pattern in self.voices.items()}
        return {voice: files for voice, files in found.items() if len(files) >= MIN_RECORDINGS}


@dataclasses.dataclass(frozen=True)
class RecordedSet:
    """One split of a folder of recordings, see `recordings.py`."""

    name: str
    folder: pathlib.Path
    split: str


def klettres(*languages: str) -> dict[str, str]:
    return {f"klettres-{language}": f"{KLETTRES}/{language}/**/*.ogg" for language in languages}


def ktuberling(*languages: str) -> dict[str, str]:
    return {f"ktuberling-{language}": f"{KTUBERLING}/{language}/*.ogg" for language in languages}


# The voices and instruments (steel guitar, cello, clarinet, recorder) of earlier results. The network has learned from
# recorders, but from none of this SoundFont.
HELD_BACK = VoiceSet(
    "held_back",
    {"it-menardi": f"{ASTERISK}/it_IT_f_Menardi/*.wav"} | klettres("hu", "nl") | ktuberling("ru", "gl"),
    [25, 42, 71, 74],
)

# The voices and instruments that earlier networks were trained on, except it-menardi. The present one was not.
DEV = VoiceSet(
    "dev",
    {"en-allison": f"{ASTERISK}/en_US_f_Allison/*.wav", "es-co": f"{ASTERISK}/es/*.gsm"}
    | {"it-menardi": f"{ASTERISK}/it_IT_f_Menardi/*.wav"}
    | ktuberling("de", "ca")
    | klettres("fr"),
    [0, 24, 40, 73],
)

# The training set of attackers where there is no folder of recordings: no voice or program is in `HELD_BACK`.
LEARNING = VoiceSet(
    "learning",
    {"en-allison": f"{ASTERISK}/en_US_f_Allison/*.wav", "es-co": f"{ASTERISK}/es/*.gsm"}
    | ktuberling("de", "ca", "sl", "uk", "fi", "pt")
    | klettres("fr", "de", "cs", "ru"),
    [0, 2, 4, 24, 26, 40, 41, 56, 65, 66, 73],
)


# General MIDI programs whose notes begin at once in TimGM6mb, and those of ONSET_DELAY_S.
PROGRAMS = [0, 4, 6, 11, 12, 13, 21, 22, 24, 25, 26, 40, 42, 46, 56, 65, 71, 73, 74, 105]
# The families of General MIDI, eight programs each, by their names in `recordings.FAMILIES`.
GM_FAMILIES = ["keys", "mallets", "keys", "plucked", "plucked", "bowed", "bowed", "brass", "reeds", "flutes"]
GM_EXCEPTIONS = {21: "free reeds", 22: "free reeds", 23: "free reeds", 46: "plucked", 47: "drums", 105: "plucked"}


def packages(data: pathlib.Path) -> VoiceSet:
    """All voices of the evaluation-only packages; those of espeak-ng are rendered to `data`."""
    synthetic.render(data)
    found = {"en-allison": f"{ASTERISK}/en_US_f_Allison/*.wav", "es-co": f"{ASTERISK}/es/*.gsm"}
    found |= {"it-menardi": f"{ASTERISK}/it_IT_f_Menardi/*.wav"}
    for folder in sorted(path for path in pathlib.Path(KLETTRES).glob("*") if path.is_dir()):
        found |= klettres(folder.name)
    # Those with an @ are the recordings of others.
    for folder in sorted(path for path in pathlib.Path(KTUBERLING).glob("*") if path.is_dir() and "@" not in path.name):
        found |= ktuberling(folder.name)
    for voice in synthetic.VOICES:
        found[f"espeak-{voice.replace('+', '-')}"] = f"{synthetic.folder_of(data, voice)}/*.wav"
    return VoiceSet("packages", found, PROGRAMS, clips_per_voice=3, music_clips=32)


def family_of(program: int) -> str:
    """The instrument family of a General MIDI program, from 0."""
    default = GM_FAMILIES[program // 8] if program // 8 < len(GM_FAMILIES) else "other"
    return GM_EXCEPTIONS.get(program, default)


def read(path: pathlib.Path) -> VoiceSet:
    """A custom set: JSON with `name`, `speech` {voice: pattern}, `soundfont`, `programs`."""
    given = json.loads(path.read_text())
    return VoiceSet(given["name"], given["speech"], given["programs"], given["soundfont"])
