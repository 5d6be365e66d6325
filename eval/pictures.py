#!/usr/bin/env python3
"""Draws docs/before-after.svg: spectrograms of recordings before and after `sordino anonymize --keep-time`.

usage: pictures.py [--program SORDINO]

Left: the recording; right: the anonymized output, on one scale: 0 to 8 kHz upwards, 80 dB
from dark to bright. Red under a picture: cut. Yellow: a voice erased out of the music.
"""

import argparse
import base64
import json
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy as np

import acoustics

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDINGS = {
    "talk-between": "piano, then speech, then piano",
    "talk-over": "speech over a guitar, 3 dB below it",
    "raised-voice-over": "a raised voice over a flute, as loud as it",
    "violin-alone": "a violin alone",
}
WINDOW, RANGE = 256, 80.0
COLORS = 48
WIDTH, HEIGHT, GAP, TOP = 440, 128, 16, 26
# From black over violet and red to pale yellow, perceptually uniform, after "inferno" of Smith and van der Walt.
SHADES = np.array([[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/sordino")
    options = parser.parse_args()
    clips = [ROOT / "samples/audio" / f"{name}.wav" for name in RECORDINGS]
    with tempfile.TemporaryDirectory() as folder:
        command = [options.program, "--json", "anonymize", *clips, "--keep-time", "--out", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows = [row(clip, pathlib.Path(folder) / clip.name) for clip in clips]
    (ROOT / "docs/before-after.svg").write_text(drawn(rows))


def row(before: pathlib.Path, after: pathlib.Path) -> dict:
    said = json.loads(after.with_suffix(".json").read_text())
    recorded, left = acoustics.load(before, acoustics.ATTACKER_RATE), acoustics.load(after, acoustics.ATTACKER_RATE)
    return {
        "title": f"{before.stem}: {RECORDINGS[before.stem]}",
        "seconds": len(recorded) / acoustics.ATTACKER_RATE,
        "before": picture(recorded, len(recorded)),
        "after": picture(left, len(recorded)),
        "removed": [(removal["start_s"], removal["end_s"]) for removal in said["removed"]],
        "erased": said["erased"],
    }


def picture(sound: np.ndarray, length: int) -> str:
    """A spectrogram of `length` samples as a PNG, in base64."""
    sound = np.pad(sound, (0, max(0, length - len(sound))))[:length]
    starts = np.linspace(0, max(0, len(sound) - WINDOW), WIDTH).astype(int)
    frames = np.stack([sound[start : start + WINDOW] for start in starts]) * np.hanning(WINDOW)
    level = 20 * np.log10(np.abs(np.fft.rfft(frames)) / (WINDOW / 4) + 1e-9)
    level -= np.percentile(level[level > -150], 99.8) if (level > -150).any() else 0
    shade = np.clip(1 + level / RANGE, 0, 1).T[::-1] * (COLORS - 1)
    return base64.b64encode(png(shade.round().astype(np.uint8))).decode()


def png(shades: np.ndarray) -> bytes:
    """PNG (ISO/IEC 15948), 8 bits into a palette of COLORS, no filter."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    places = np.linspace(0, len(SHADES) - 1, COLORS)
    palette = np.stack([np.interp(places, np.arange(len(SHADES)), SHADES[:, part]) for part in range(3)], 1)
    height, width = shades.shape
    lines = b"".join(b"\0" + line.tobytes() for line in shades)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"PLTE", palette.round().astype(np.uint8).tobytes())]
    chunks += [chunk(b"IDAT", zlib.compress(lines, 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def drawn(rows: list[dict]) -> str:
    step = HEIGHT + TOP + GAP + 8
    parts = []
    for index, one in enumerate(rows):
        y = index * step + TOP
        parts.append(f'<text x="0" y="{y - 8}">{one["title"]}; {one["seconds"]:.1f} s</text>')
        for column, side in enumerate(("before", "after")):
            x = column * (WIDTH + GAP)
            parts.append(
                f'<image x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" preserveAspectRatio="none" '
                f'href="data:image/png;base64,{one[side]}"/>'
            )
        for spans, color in ((one["erased"], "#e0a800"), (one["removed"], "#c62828")):
            for start, end in spans:
                x = WIDTH + GAP + WIDTH * start / one["seconds"]
                width = WIDTH * (end - start) / one["seconds"]
                parts.append(f'<rect x="{x:.1f}" y="{y + HEIGHT + 2}" width="{width:.1f}" height="5" fill="{color}"/>')
    width, height = 2 * WIDTH + GAP, len(rows) * step
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {width + 16} {height}" font-family="sans-serif" font-size="13">\n'
        f'<rect x="-8" width="{width + 16}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    main()
