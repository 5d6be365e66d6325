#!/usr/bin/env python3
"""The detection, erasing, cutting and gate of dsp/src in Python, for tuning.

usage: anonymize.py IN_DIR OUT_DIR [--weights FILE] [--cut-only] [--name=value …]

Each IN_DIR/NAME.wav becomes OUT_DIR/NAME.wav (16 kHz) and NAME.json, as `sordino anonymize` writes
them: {"kept": [[start_s, end_s], …]}. Steps:
1. Detection: frames with a probability of --threshold or more, with --padding on both sides.
2. In them the mask, to the power of --mask-exponent, erases the voice; the rest is unchanged, bit by bit.
3. Where the mask leaves less than --min-residual of half a second's energy, the span is cut.
4. The gate, Silero, analyzes the finished clip, as is and amplified, at --gate. What it detects is cut with
   --padding, or with --gate-context where the clip was erased, and the rest is analyzed again; if the last pass still
   detects something, the clip is withheld.
Hum, noise, level, clock and length are not processed here.
"""

import argparse
import json
import pathlib

import numpy as np
import soundfile as sf
import soxr
import torch

import infer
import net

SETTINGS = {
    "threshold": 0.25, "gate": 0.45, "padding": 0.16, "mask_exponent": 2.0, "min_residual": 0.1, "min_kept": 0.5, "gate_context": 0.5,
}  # fmt: skip
RATE, HOP = net.RATE, net.HOP
FADE = RATE // 125
MAX_PASSES = 8


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("orig", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--weights", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / "dsp/weights/voice_net.f16")
    parser.add_argument("--cut-only", action="store_true")
    for name, value in SETTINGS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=value)
    options = parser.parse_args()
    torch.set_num_threads(2)
    settings = {name: getattr(options, name) for name in SETTINGS} | {"cut_only": options.cut_only}
    detector, gate = infer.Exported(options.weights), Gate()
    options.out.mkdir(parents=True, exist_ok=True)
    for path in sorted(options.orig.glob("*.wav")):
        sound, rate = sf.read(path, dtype="float32", always_2d=True)
        sound = soxr.resample(sound.mean(1), rate, RATE, "VHQ")
        clip, kept = anonymize(sound, detector, gate, settings)
        (options.out / f"{path.stem}.json").write_text(json.dumps({"kept": kept, "withheld": clip is None}))
        if clip is not None:
            sf.write(options.out / path.name, clip, RATE, subtype="PCM_16")


def anonymize(sound: np.ndarray, detector: infer.Exported, gate: "Gate | None", s: dict):
    """The finished clip, or None, and its spans of the input."""
    voice, mask, bins = detector.predict(sound)
    voiced = dilate(voice >= s["threshold"], s["padding"])
    cut = np.zeros(len(voice), bool)
    erased = sound
    if s["cut_only"]:
        cut = voiced
    elif voiced.any():
        erased, residual = apply_mask(sound, voiced, mask, bins, s["mask_exponent"])
        cut = voiced & (residual < s["min_residual"])
    keep, masked = ~to_samples(cut, len(sound)), to_samples(voiced, len(sound))
    for _ in range(MAX_PASSES):
        keep = without_fragments(keep, s["min_kept"])
        kept = spans(keep)
        if sum(end - start for start, end in kept) < RATE:
            return None, []
        clip = splice(erased, kept)
        detected = gate.detect(clip, s["gate"]) if gate else np.zeros(len(clip), bool)
        if not detected.any():
            return clip, [[start / RATE, end / RATE] for start, end in kept]
        suspect = np.zeros(len(sound), bool)
        suspect[np.flatnonzero(keep)[detected]] = True
        keep &= ~(expand(suspect, s["padding"]) | (expand(suspect & masked, s["gate_context"]) & masked))
    return None, []


def agc(sound: np.ndarray) -> np.ndarray:
    """As dsp/src/agc.rs: quiet parts amplified to -20 dBFS, by 40 dB at most."""
    window = np.ones(3200, np.float32) / 3200
    level = np.sqrt(np.convolve(sound**2, window, "same") + 1e-12)
    return (sound * np.clip(0.1 / level, 1, 100)).clip(-1, 1).astype(np.float32)


def dilate(frames: np.ndarray, padding: float) -> np.ndarray:
    reach = round(padding * RATE / HOP)
    return np.convolve(frames, np.ones(2 * reach + 1), "same") > 0.5


def apply_mask(sound, voiced, mask, bins, exponent):
    """The audio with the mask applied where a voice was detected, and the share of energy that each
    frame's neighborhood keeps."""
    gains = torch.from_numpy(np.where(voiced[:, None], mask**exponent, 1.0).astype(np.float32))
    masked = bins * (gains @ torch.from_numpy(net.band_matrix()).T)
    wet = net.inverse_spectrum(masked, len(sound)).numpy()
    near = to_samples(np.convolve(voiced, np.ones(5), "same") > 0, len(sound))
    before, after = ((spectrum.abs() ** 2).sum(1).numpy() for spectrum in (bins, masked))
    half_second = np.ones(31)
    residual = np.convolve(after, half_second, "same") / (np.convolve(before, half_second, "same") + 1e-12)
    return np.where(near, wet, sound).astype(np.float32), residual


def expand(samples: np.ndarray, seconds: float) -> np.ndarray:
    out, reach = samples.copy(), int(seconds * RATE)
    for start, end in spans(samples):
        out[max(0, start - reach) : end + reach] = True
    return out


def to_samples(frames: np.ndarray, n: int) -> np.ndarray:
    """Frame t represents the hop around sample t * HOP."""
    held = np.repeat(frames, HOP)[HOP // 2 :][:n]
    return np.pad(held, (0, n - len(held)), "edge")


def without_fragments(keep: np.ndarray, shortest: float) -> np.ndarray:
    for start, end in spans(keep):
        if end - start < shortest * RATE:
            keep[start:end] = False
    return keep


def spans(keep: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], keep.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2])]


def splice(sound: np.ndarray, kept: list[tuple[int, int]]) -> np.ndarray:
    parts = []
    for start, end in kept:
        part, ramp = sound[start:end].copy(), np.sin(np.linspace(0, np.pi / 2, FADE)) ** 2
        part[:FADE] *= ramp
        part[-FADE:] *= ramp[::-1]
        parts.append(part)
    return np.concatenate(parts)


class Gate:
    """Silero, a second detector with other features and training data."""

    def __init__(self):
        from silero_vad import load_silero_vad

        self.model = load_silero_vad(onnx=True)

    def detect(self, clip: np.ndarray, threshold: float) -> np.ndarray:
        detected = np.zeros(len(clip), bool)
        for samples in (clip, agc(clip)):
            self.model.reset_states()
            for start in range(0, len(clip), 512):
                frame = np.pad(samples[start : start + 512], (0, max(0, start + 512 - len(clip))))
                if float(self.model(torch.from_numpy(frame.copy()), RATE)) >= threshold:
                    detected[start : start + 512] = True
        return detected


if __name__ == "__main__":
    main()
