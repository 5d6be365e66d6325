"""Runs the exported weights, and nothing else: what the SDK's own inference must agree with.

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
    ("first", (3, 5, 3, net.NARROW)), ("first_bias", (net.NARROW,)),
    ("second", (3, 5, net.NARROW)), ("widen", (net.NARROW, net.WIDE)), ("widen_bias", (net.WIDE,)),
    ("gather", (net.WIDE * net.BANDS // 4, net.CHANNELS)), ("gather_bias", (net.CHANNELS,)),
]  # fmt: skip
for _block in range(len(net.DILATIONS)):
    TENSORS += [(f"time{_block}", (net.TAPS, net.CHANNELS)), (f"time{_block}_bias", (net.CHANNELS,))]
    TENSORS += [(f"mix{_block}", (net.CHANNELS, net.CHANNELS)), (f"mix{_block}_bias", (net.CHANNELS,))]
TENSORS += [("mask", (net.CHANNELS, net.BANDS)), ("mask_bias", (net.BANDS,)), ("voice", (net.CHANNELS, 1)), ("voice_bias", (1,))]


def packed(values: dict[str, np.ndarray]) -> bytes:
    flat = np.concatenate([values[name].reshape(shape).reshape(-1) for name, shape in TENSORS])
    return MAGIC + struct.pack("<II", LAYOUT, len(flat)) + flat.astype("<f2").tobytes()


class Exported:
    def __init__(self, path: pathlib.Path):
        raw = path.read_bytes()
        layout, count = struct.unpack("<II", raw[8:16])
        if raw[:8] != MAGIC or layout != LAYOUT:
            raise ValueError(f"{path}: not the net's weights, or of another layout; export them again")
        flat, at = np.frombuffer(raw, "<f2", count, 16).astype(np.float32), 0
        self.w = {}
        for name, shape in TENSORS:
            size = int(np.prod(shape))
            self.w[name] = torch.from_numpy(flat[at : at + size].reshape(shape).copy())
            at += size
        self.bands = torch.from_numpy(net.band_matrix())

    @torch.no_grad()
    def hear(self, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
        """Mono 16 kHz to: voice probability a frame; mask (frames, BANDS); the spectrum they are of."""
        bins = net.spectrum(torch.from_numpy(np.ascontiguousarray(sound, dtype=np.float32)))
        power = (bins.real**2 + bins.imag**2) @ self.bands * (4.0 / (net.FFT / 2) ** 2)
        voice, mask = self.answer(net.features(power[None]))
        return torch.sigmoid(voice).numpy(), torch.sigmoid(mask).numpy(), bins

    def answer(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        w = self.w
        x = functional.conv2d(x, w["first"].permute(3, 2, 0, 1), w["first_bias"], (1, 2), (1, 2)).relu()
        x = functional.conv2d(x, w["second"].permute(2, 0, 1)[:, None], None, (1, 2), (1, 2), groups=net.NARROW)
        x = functional.conv2d(x, w["widen"].T[:, :, None, None], w["widen_bias"]).relu()
        x = x[0].permute(1, 0, 2).flatten(1)  # frames, channel * 40 + band
        x = (x @ w["gather"] + w["gather_bias"]).relu()
        for block, dilation in enumerate(net.DILATIONS):
            reach = dilation * (net.TAPS - 1) // 2
            past = functional.pad(x.T, (reach, reach)).T
            y = sum(past[tap * dilation : tap * dilation + len(x)] * w[f"time{block}"][tap] for tap in range(net.TAPS))
            x = x + (y + w[f"time{block}_bias"]).relu() @ w[f"mix{block}"] + w[f"mix{block}_bias"]
        x = x.relu()
        return (x @ w["voice"] + w["voice_bias"])[:, 0], x @ w["mask"] + w["mask_bias"]
