"""Synthetic voices by espeak-ng: each reads the same sentences of its language."""

import pathlib
import subprocess
import tomllib

SENTENCES = tomllib.loads((pathlib.Path(__file__).resolve().parent / "sentences.toml").read_text())
# espeak-ng's variants of a voice: male and female.
VOICES = [f"{language}+{variant}" for language in SENTENCES for variant in ("m3", "f4")]


def folder_of(data: pathlib.Path, voice: str) -> pathlib.Path:
    return data / "espeak" / voice.replace("+", "-")


def render(data: pathlib.Path) -> None:
    """Creates the missing recordings in DATA/espeak/VOICE."""
    for voice in VOICES:
        folder = folder_of(data, voice)
        folder.mkdir(parents=True, exist_ok=True)
        for number, sentence in enumerate(SENTENCES[voice.split("+")[0]]):
            path = folder / f"{number}.wav"
            if not path.exists():
                subprocess.run(["espeak-ng", "-v", voice, "-w", path, sentence], check=True, capture_output=True)
