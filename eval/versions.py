"""The anonymizers to compare. Each turns FOLDER's clips into OUT/NAME.wav and OUT/NAME.json.

NAME.json has `kept`: [[start_s, end_s], …], the spans of the input in the output, in order. Without
NAME.wav the clip was withheld.
"""

import json
import pathlib
import subprocess

import numpy as np
import soundfile

import acoustics
import reversal
from acoustics import ATTACKER_RATE

# Padding of each cut on both sides.
CUT_PADDING = ATTACKER_RATE // 5
LABELS = {
    "sordino": "Sordino",
    "identity": "no processing (16 kHz)",
    "silero": "Silero cut",
    "webrtc": "WebRTC cut",
    "reversal": "separation and reversal",
}


def anonymize(version: str, folder: pathlib.Path, out: pathlib.Path, program: pathlib.Path) -> None:
    """Runs one version on a folder; `program` is the `sordino` to measure."""
    out.mkdir(parents=True, exist_ok=True)
    clips = sorted(folder.glob("*.wav"))
    if version == "sordino":
        subprocess.run([program, "--json", "anonymize", *clips, "--out", out], check=True, stdout=subprocess.DEVNULL)
        return
    if all((out / f"{clip.stem}.json").exists() for clip in clips):
        return  # the others never change
    detector = {"identity": Nothing, "silero": Silero, "webrtc": WebRtc, "reversal": Silero}[version]()
    for clip in clips:
        if (out / f"{clip.stem}.json").exists():
            continue
        sound = acoustics.load(clip, ATTACKER_RATE)
        keep = without_voice(sound, detector)
        if version == "reversal" and not keep.all():
            sound, keep = reversal.reversed_voice(sound, reversal.separated(sound), ~keep), np.ones(len(sound), bool)
        write(out / clip.name, sound, keep)


def without_voice(sound: np.ndarray, detector) -> np.ndarray:
    """The samples that remain after detected spans, padded by CUT_PADDING, are cut."""
    keep = np.ones(len(sound), bool)
    detector.reset()
    for start in range(0, len(sound) - detector.frame + 1, detector.frame):
        if detector.is_voice(sound[start : start + detector.frame]):
            keep[max(0, start - CUT_PADDING) : start + detector.frame + CUT_PADDING] = False
    return keep


def write(path: pathlib.Path, sound: np.ndarray, keep: np.ndarray) -> None:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], keep.astype(int), [0]])))
    kept = [[int(start) / ATTACKER_RATE, int(end) / ATTACKER_RATE] for start, end in zip(edges[::2], edges[1::2])]
    if kept:
        soundfile.write(path, sound[keep], ATTACKER_RATE, subtype="PCM_16")
    path.with_suffix(".json").write_text(json.dumps({"kept": kept}))


class Nothing:
    frame = 480

    def reset(self) -> None:
        pass

    def is_voice(self, frame: np.ndarray) -> bool:
        return False


class Silero:
    frame = 512

    def __init__(self):
        from silero_vad import load_silero_vad

        self.model = load_silero_vad(onnx=True)

    def reset(self) -> None:
        self.model.reset_states()

    def probability(self, frame: np.ndarray) -> float:
        import torch

        return float(self.model(torch.from_numpy(frame.copy()), ATTACKER_RATE))

    def is_voice(self, frame: np.ndarray) -> bool:
        return self.probability(frame) > 0.5


class WebRtc:
    """WebRTC's detector in its strictest mode, 3."""

    frame = 480

    def __init__(self):
        import webrtcvad

        self.model = webrtcvad.Vad(3)

    def reset(self) -> None:
        pass

    def is_voice(self, frame: np.ndarray) -> bool:
        return self.model.is_speech((np.clip(frame, -1, 1) * 32767).astype("<i2").tobytes(), ATTACKER_RATE)
