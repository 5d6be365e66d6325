"""Runs the exported weights: the reference for the inference in dsp/src/voice_net.

README.md describes the layout of the file. The norms are folded into the layers before them.
"""

import pathlib
import struct

import numpy as np
import torch
from torch.nn import functional

import net

MAGIC = b"SORDVOX2"
LAYOUT = 1
EMBEDDINGS = net.GROUPS * net.EMBEDDING
# name, shape in the file (inputs as rows, outputs as columns)
TENSORS: list[tuple[str, tuple[int, ...]]] = []


def layer(name: str, inputs: int, outputs: int) -> None:
    TENSORS.extend([(name, (inputs, outputs)), (f"{name}_bias", (outputs,))])


layer("conv", net.TIME_TAPS * net.BAND_TAPS * net.PLANES, net.NARROW)
TENSORS.append(("depthwise", (net.TIME_TAPS * net.BAND_TAPS, net.NARROW)))
layer("pointwise", net.NARROW, net.WIDE)
layer("projection", EMBEDDINGS, net.CHANNELS)
for _block in range(len(net.DILATIONS)):
    TENSORS += [(f"depthwise{_block}", (net.TAPS, net.CHANNELS)), (f"depthwise{_block}_bias", (net.CHANNELS,))]
    layer(f"pointwise{_block}", net.CHANNELS, net.CHANNELS)
layer("voice", net.CHANNELS, 1)
layer("context", net.CHANNELS, net.GROUPS * net.CONTEXT)
for _group in range(net.GROUPS):
    layer(f"merge{_group}", net.CONTEXT + net.EMBEDDING + net.WIDTH, net.HIDDEN)
for _group in range(net.GROUPS):
    layer(f"mask{_group}", net.HIDDEN, net.STRIDE)


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

    def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """From the features of one clip (1, frames, BANDS, PLANES)."""
        local = net.groups(planes[..., net.LOCAL_PLANE])[:, 0]  # group, frame, band
        frames, w = planes.shape[1], self.w
        conv = w["conv"].reshape(net.TIME_TAPS, net.BAND_TAPS, net.PLANES, net.NARROW).permute(3, 2, 0, 1)
        x = functional.conv2d(planes.permute(0, 3, 1, 2), conv, w["conv_bias"], (1, 2), (1, 2)).relu()
        depthwise = w["depthwise"].reshape(net.TIME_TAPS, net.BAND_TAPS, net.NARROW).permute(2, 0, 1)[:, None]
        x = functional.conv2d(x, depthwise, None, (1, 2), (1, 2), groups=net.NARROW)[0].permute(1, 2, 0)
        embeddings = self.layer("pointwise", x).relu().flatten(1)
        embedding = embeddings.split(net.EMBEDDING, 1)
        x = self.layer("projection", embeddings).relu()
        for block, dilation in enumerate(net.DILATIONS):
            reach = dilation * (net.TAPS - 1) // 2
            padded = functional.pad(x, (0, 0, reach, reach))
            depthwise = self.w[f"depthwise{block}"]
            y = sum(padded[tap * dilation : tap * dilation + frames] * depthwise[tap] for tap in range(net.TAPS))
            x = x + self.layer(f"pointwise{block}", (y + self.w[f"depthwise{block}_bias"]).relu())
        x = x.relu()
        context = self.layer("context", x).relu().split(net.CONTEXT, 1)
        masks = []
        for group in range(net.GROUPS):
            inputs = torch.cat([context[group], embedding[group], local[group]], 1)
            masks.append(self.layer(f"mask{group}", self.layer(f"merge{group}", inputs).relu()))
        return self.layer("voice", x)[:, 0], torch.cat(masks, 1)

    def layer(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ self.w[name] + self.w[f"{name}_bias"]
