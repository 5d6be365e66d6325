"""The voices and instruments of the clips.

None of `HELD_BACK` was used in training (see `models/voice/sources.py`) or is in `LEARNING`.
Paths are those of Debian's packages, which `eval/setup.sh` installs.
"""

import dataclasses
import glob
import json
import pathlib

ASTERISK = "/usr/share/asterisk/sounds"
KLETTRES = "/usr/share/klettres"
KTUBERLING = "/usr/share/ktuberling/sounds"
TIMGM6MB = "/usr/share/sounds/sf2/TimGM6mb.sf2"
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

    def recordings(self) -> dict[str, list[str]]:
        """Each voice's files, in a fixed order; voices with too few recordings are omitted."""
        found = {voice: sorted(glob.glob(pattern, recursive=True)) for voice, pattern in self.voices.items()}
        return {voice: files for voice, files in found.items() if len(files) >= MIN_RECORDINGS}


def klettres(*languages: str) -> dict[str, str]:
    return {f"klettres-{language}": f"{KLETTRES}/{language}/**/*.ogg" for language in languages}


def ktuberling(*languages: str) -> dict[str, str]:
    return {f"ktuberling-{language}": f"{KTUBERLING}/{language}/*.ogg" for language in languages}


# Five of the voices and four of the instruments that the network was not trained on: steel guitar, cello,
# clarinet, recorder. Tune thresholds only on the other voices and instruments of that split, so that
# these remain unseen.
HELD_BACK = VoiceSet(
    "held_back",
    {"it-menardi": f"{ASTERISK}/it_IT_f_Menardi/*.wav"} | klettres("hu", "nl") | ktuberling("ru", "gl"),
    [25, 42, 71, 74],
)

# Voices (except it-menardi) and instruments of the training set: the results are optimistic.
DEV = VoiceSet(
    "dev",
    {"en-allison": f"{ASTERISK}/en_US_f_Allison/*.wav", "es-co": f"{ASTERISK}/es/*.gsm"}
    | {"it-menardi": f"{ASTERISK}/it_IT_f_Menardi/*.wav"}
    | ktuberling("de", "ca")
    | klettres("fr"),
    [0, 24, 40, 73],
)

# The training set of attackers: training voices and instruments only.
LEARNING = VoiceSet(
    "learning",
    {"en-allison": f"{ASTERISK}/en_US_f_Allison/*.wav", "es-co": f"{ASTERISK}/es/*.gsm"}
    | ktuberling("de", "ca", "sl", "uk", "fi", "pt")
    | klettres("fr", "de", "cs", "ru"),
    [0, 2, 4, 24, 26, 40, 41, 56, 65, 66, 73],
)


def read(path: pathlib.Path) -> VoiceSet:
    """A custom set: JSON with `name`, `speech` {voice: pattern}, `soundfont`, `programs`."""
    given = json.loads(path.read_text())
    return VoiceSet(given["name"], given["speech"], given["programs"], given["soundfont"])
