#!/usr/bin/env python3
"""Writes the weights that the SDK carries, and the oracle that its test compares with.

usage: export.py [FOLDER]      (this folder unless told otherwise)

Needs `pip install silero-vad==6.2.3 onnxruntime`. README.md says what stands in the two files.
"""

import json
import pathlib
import struct
import sys

import numpy as np
import silero_vad
import torch

MAGIC = b"SILERO16"
LAYOUT = 1
FRAME = 512


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    data = pathlib.Path(silero_vad.__file__).parent / "data"
    weights = published(data)
    check_basis(weights["stft"])
    (folder / "silero_vad_16k.f16").write_bytes(packed(weights))
    (folder / "reference.json").write_text(json.dumps(reference()) + "\n")


def packed(w: dict[str, np.ndarray]) -> bytes:
    """The header and the tensors, in the order in which a frame meets them."""
    tensors = []
    for layer, taps in (("conv1", slice(0, 3)), ("conv2", slice(0, 3)), ("conv3", slice(1, 3)), ("conv4", slice(1, 2))):
        # (out, in, tap) becomes (tap, in, out). Taps that only ever meet padding are left out.
        tensors += [w[f"{layer}.weight"][:, :, taps].transpose(2, 1, 0), w[f"{layer}.bias"]]
    # Input above recurrent: one matrix of (in, out) each; the two biases are only ever added.
    tensors += [w["lstm.weight_ih"].T, w["lstm.weight_hh"].T]
    tensors += [w["lstm.bias_ih"] + w["lstm.bias_hh"]]
    tensors += [w["output.weight"], w["output.bias"]]
    values = np.concatenate([tensor.reshape(-1) for tensor in tensors])
    return MAGIC + struct.pack("<II", LAYOUT, len(values)) + values.astype("<f2").tobytes()


def check_basis(basis: np.ndarray) -> None:
    """The first layer must be a DFT under a periodic Hann window, for which the SDK takes an FFT."""
    t, k = np.arange(256), np.arange(129)[:, None]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * t / 256)
    wanted = np.concatenate([np.cos(2 * np.pi * k * t / 256), -np.sin(2 * np.pi * k * t / 256)])
    if np.abs(basis[:, 0, :] - wanted * window).max() > 1e-6:
        sys.exit("the first layer is no Hann-windowed DFT any more: the SDK's inference must change")


def reference() -> dict:
    """What the package's own model says of a signal that integer arithmetic alone makes."""
    signal = torch.from_numpy(voice_like(FRAME * 125))
    model = silero_vad.load_silero_vad(onnx=True)
    frames = signal.split(FRAME)
    return {
        "package": "silero-vad 6.2.3",
        "probabilities": [round(float(model(frame, 16_000)), 5) for frame in frames],
    }


def voice_like(length: int) -> np.ndarray:
    """A buzz of gliding pitch through two resonances, in syllables, then noise. See reference.rs."""
    out = np.zeros(length, np.float64)
    phase, noise = 0.0, 1
    states = [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    for i in range(length):
        t = i / 16_000
        noise = (noise * 1_664_525 + 1_013_904_223) % 2**32
        hiss = noise / 2**31 - 1.0
        phase += (120.0 + 40.0 * triangle(t * 0.7)) / 16_000
        pulse = 0.0
        if phase >= 1.0:
            phase -= 1.0
            pulse = 1.0
        voiced = triangle(t * 3.1) > -0.3
        x = (pulse if voiced else 0.0) + 0.02 * hiss
        formants = (500.0 + 250.0 * triangle(t * 1.3), 1500.0 + 600.0 * triangle(t * 0.9), 2600.0)
        for state, hz in zip(states, formants):
            r = 0.985
            # 2 r cos(2 pi f / 16000), the cosine by its series: the same in every language.
            a = 2 * np.pi * hz / 16_000
            c = 1 - a**2 / 2 + a**4 / 24 - a**6 / 720 + a**8 / 40320
            y = x * 0.1 + 2 * r * c * state[0] - r * r * state[1]
            state[1], state[0] = state[0], y
            x = y
        out[i] = x
        if t > 3.2:
            out[i] = 0.0
    peak = np.abs(out).max()
    noise = 7
    for i in range(length):
        noise = (noise * 1_664_525 + 1_013_904_223) % 2**32
        out[i] = out[i] / peak * 0.5 + 0.003 * (noise / 2**31 - 1.0)
    return out.astype(np.float32)


def triangle(turns: float) -> float:
    """A triangle wave of period 1 between -1 and 1."""
    return 4.0 * abs(turns % 1.0 - 0.5) - 1.0


def published(data: pathlib.Path) -> dict[str, np.ndarray]:
    """The weights that the package runs. Its .safetensors holds those of another training."""
    state = torch.jit.load(str(data / "silero_vad.jit")).state_dict()
    names = {"stft.forward_basis_buffer": "stft", "decoder.decoder.2": "output", "decoder.rnn": "lstm"}
    names |= {f"encoder.{layer}.reparam_conv": f"conv{layer + 1}" for layer in range(4)}
    weights = {}
    for key, value in state.items():
        for old, new in names.items():
            if key.startswith(f"_model.{old}"):
                weights[new + key.removeprefix(f"_model.{old}")] = value.numpy()
    return weights


if __name__ == "__main__":
    main()
