"""The training data that comes in packages; `splits.toml` has the sets of recordings and the split of each.

`EVALUATION_ONLY_PACKAGES` have copyleft or share-alike licenses: the network is measured on them, never trained on them, and
nothing is tuned on them. `recordings.tsv` lists what it is trained on.
"""

# Debian packages: the program that renders SoundFonts, two SoundFonts (MIT), and synthetic voices (BSD-like).
PACKAGES = ["fluidsynth", "fluid-soundfont-gm", "musescore-general-soundfont", "flite"]
SOUNDFONTS = {
    "fluid": "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "musescore": "/usr/share/sounds/sf3/MuseScore_General.sf3",
}
FLITE_VOICES = ["rms", "slt", "kal16"]
EVALUATION_ONLY_PACKAGES = [
    "asterisk-core-sounds-en-wav", "asterisk-prompt-it-menardi-wav", "asterisk-prompt-es-co", "klettres-data",
    "ktuberling-data", "espeak-ng", "festvox-italp16k", "festvox-itapc16k", "festvox-czech-dita", "festvox-czech-krb",
    "festvox-czech-machac", "festvox-czech-ph", "festvox-ca-ona-hts", "festvox-suopuhe-lj", "festvox-suopuhe-mv",
    "festvox-hi-nsk", "festvox-mr-nsk", "festvox-te-nsk", "timgm6mb-soundfont", "freepats",
]  # fmt: skip

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
    # Those of which there are few recordings, and those that detectors take for voices.
    | {program: 3 for program in (21, 22, 57, 58, 60, 68, 70, 73, 74)}
)  # fmt: skip
