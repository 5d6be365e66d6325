"""Runs the exported weights: the reference for the inference in dsp/src/voice_net.

README.md describes the layout of the file. The norms are folded into the layers before them.
"""

import pathlib
import struct

import numpy as np
import torch
from torch.nn import functional

import net

MAGIC = b"SORDVOX1"
LAYOUT = 1
# name, shape in the file (inputs as rows, outputs as columns)
TENSORS = [
    ("conv", (3, 5, 3, net.NARROW)), ("conv_bias", (net.NARROW,)),
    ("depthwise", (3, 5, net.NARROW)), ("pointwise", (net.NARROW, net.WIDE)), ("pointwise_bias", (net.WIDE,)),
    ("projection", (net.WIDE * net.BANDS // 4, net.CHANNELS)), ("projection_bias", (net.CHANNELS,)),
]  # fmt: skip
for _block in range(len(net.DILATIONS)):
    TENSORS += [(f"depthwise{_block}", (net.TAPS, net.CHANNELS)), (f"depthwise{_block}_bias", (net.CHANNELS,))]
    TENSORS += [(f"pointwise{_block}", (net.CHANNELS, net.CHANNELS)), (f"pointwise{_block}_bias", (net.CHANNELS,))]
TENSORS += [("mask", (net.CHANNELS, net.BANDS)), ("mask_bias", (net.BANDS,)), ("voice", (net.CHANNELS, 1)), ("voice_bias", (1,))]


def packed(values: dict[str, np.ndarray]) -> bytes:
    flat = np.concatenate([values[name].reshape(shape).reshape(-1) for name, shape in TENSORS])
    return MAGIC + struct.pack("<II", LAYOUT, len(flat)) + flat.astype("<f2").tobytes()


class Exported:
    def __init__(self, path: pathlib.Path):
        raw = path.read_bytes()
        layout, count = struct.unpack("<II", raw[8:16])
        if raw[:8] != MAGIC or layout != LAYOUT:
            raise ValueError(f"{path}: not weights of this network, or another layout version; export them again")
        flat, at = np.frombuffer(raw, "<f2", count, 16).astype(np.float32), 0
        self.w = {}
        for name, shape in TENSORS:
            size = int(np.prod(shape))
            self.w[name] = torch.from_numpy(flat[at : at + size].reshape(shape).copy())
            at += size
        self.bands = torch.from_numpy(net.band_matrix())

    @torch.no_grad()
    def predict(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
        """From mono 16 kHz samples: the voice probability per frame, the mask (frames, BANDS), and the spectrum."""
        bins = net.spectrum(torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32)))
        power = (bins.real**2 + bins.imag**2) @ self.bands * (4.0 / (net.FFT / 2) ** 2)
        voice, mask = self.forward(net.features(power[None]))
        return torch.sigmoid(voice).numpy(), torch.sigmoid(mask).numpy(), bins

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        w = self.w
        x = functional.conv2d(x, w["conv"].permute(3, 2, 0, 1), w["conv_bias"], (1, 2), (1, 2)).relu()
        x = functional.conv2d(x, w["depthwise"].permute(2, 0, 1)[:, None], None, (1, 2), (1, 2), groups=net.NARROW)
        x = functional.conv2d(x, w["pointwise"].T[:, :, None, None], w["pointwise_bias"]).relu()
        x = x[0].permute(1, 0, 2).flatten(1)  # frames, channel * 40 + band
        x = (x @ w["projection"] + w["projection_bias"]).relu()
        for block, dilation in enumerate(net.DILATIONS):
            padding = dilation * (net.TAPS - 1) // 2
            padded = functional.pad(x.T, (padding, padding)).T
            y = sum(padded[tap * dilation : tap * dilation + len(x)] * w[f"depthwise{block}"][tap] for tap in range(net.TAPS))
            x = x + (y + w[f"depthwise{block}_bias"]).relu() @ w[f"pointwise{block}"] + w[f"pointwise{block}_bias"]
        x = x.relu()
        return (x @ w["voice"] + w["voice_bias"])[:, 0], x @ w["mask"] + w["mask_bias"]
