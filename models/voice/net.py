"""The network: from the spectrum of a clip to a voice probability per frame and a mask that removes the voice.

Defines everything that training, export and inference must agree on; README.md describes it. dsp/src/voice_net/config.rs
has the same dimensions.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

RATE = 16_000
FFT = 1024
HOP = 256
BINS = FFT // 2 + 1
BANDS = 160
CHANNELS = 96
NARROW, WIDE = 8, 16
TAPS = 5
DILATIONS = (1, 2, 4, 8, 16, 1, 2, 4, 8, 16)
POWER_FLOOR = 1e-10  # relative to a full-scale sine: -100 dB
LOCAL_MEAN_CONTEXT = 31  # frames on either side of the local mean: 0.5 s


def band_centers() -> np.ndarray:
    """In bins: one bin apart up to 750 Hz, then 35 cents apart up to 7750 Hz."""
    low = np.arange(4.0, 48.0)
    return np.concatenate([low, np.geomspace(48.0, 496.0, BANDS - len(low))])


def band_matrix() -> np.ndarray:
    """BINS x BANDS, triangles between neighboring centers; each bin's weights sum to one."""
    centers, matrix = band_centers(), np.zeros((BINS, BANDS), np.float32)
    for index in range(BINS):
        right = int(np.searchsorted(centers, index))
        if right == 0 or right == BANDS:
            matrix[index, min(right, BANDS - 1)] = 1.0
            continue
        weight = (index - centers[right - 1]) / (centers[right] - centers[right - 1])
        matrix[index, right - 1 : right + 1] = 1 - weight, weight
    return matrix


def spectrum(sound: torch.Tensor) -> torch.Tensor:
    """(..., samples) to (..., frames, BINS), complex; frame t is centered on sample t * HOP."""
    window = torch.hann_window(FFT, device=sound.device)
    flat = sound.reshape(-1, sound.shape[-1])
    out = torch.stft(flat, FFT, HOP, FFT, window, center=True, pad_mode="constant", return_complex=True)
    return out.transpose(1, 2).reshape(*sound.shape[:-1], -1, BINS)


def inverse_spectrum(bins: torch.Tensor, length: int) -> torch.Tensor:
    """The inverse: weighted overlap-add under the same window."""
    window = torch.hann_window(FFT)
    return torch.istft(bins.transpose(-1, -2), FFT, HOP, FFT, window, center=True, length=length)


class Block(nn.Module):
    """A temporal block: x + pointwise(relu(depthwise(x)))."""

    def __init__(self, dilation: int):
        super().__init__()
        padding = dilation * (TAPS - 1) // 2
        self.depthwise = nn.Conv1d(CHANNELS, CHANNELS, TAPS, dilation=dilation, padding=padding, groups=CHANNELS, bias=False)
        self.depthwise_norm = nn.BatchNorm1d(CHANNELS)
        self.pointwise = nn.Conv1d(CHANNELS, CHANNELS, 1, bias=False)
        self.pointwise_norm = nn.BatchNorm1d(CHANNELS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.pointwise_norm(self.pointwise(functional.relu(self.depthwise_norm(self.depthwise(x)))))
        return x


class VoiceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("bands", torch.from_numpy(band_matrix()), persistent=False)
        self.conv = nn.Conv2d(3, NARROW, (3, 5), stride=(1, 2), padding=(1, 2), bias=False)
        self.conv_norm = nn.BatchNorm2d(NARROW)
        self.depthwise = nn.Conv2d(NARROW, NARROW, (3, 5), stride=(1, 2), padding=(1, 2), groups=NARROW, bias=False)
        self.pointwise = nn.Conv2d(NARROW, WIDE, 1, bias=False)
        self.pointwise_norm = nn.BatchNorm2d(WIDE)
        self.projection = nn.Conv1d(WIDE * BANDS // 4, CHANNELS, 1, bias=False)
        self.projection_norm = nn.BatchNorm1d(CHANNELS)
        self.blocks = nn.ModuleList(Block(dilation) for dilation in DILATIONS)
        self.mask = nn.Conv1d(CHANNELS, BANDS, 1)
        self.voice = nn.Conv1d(CHANNELS, 1, 1)
        nn.init.constant_(self.mask.bias, 2.0)
        nn.init.constant_(self.voice.bias, -1.0)

    def energies(self, bins: torch.Tensor) -> torch.Tensor:
        """(..., frames, BINS) complex to (..., frames, BANDS): power, about 1 for a full-scale sine."""
        power = bins.real**2 + bins.imag**2
        return power @ self.bands * (4.0 / (FFT / 2) ** 2)

    def forward(self, energies: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(batch, frames, BANDS) to logits of the voice (batch, frames) and of the mask (batch, frames, BANDS)."""
        x = features(energies)
        x = functional.relu(self.conv_norm(self.conv(x)))
        x = functional.relu(self.pointwise_norm(self.pointwise(self.depthwise(x))))
        x = x.permute(0, 1, 3, 2).flatten(1, 2)  # channel-major, 40 bands each
        x = functional.relu(self.projection_norm(self.projection(x)))
        for block in self.blocks:
            x = block(x)
        x = functional.relu(x)
        return self.voice(x)[:, 0], self.mask(x).transpose(1, 2)


def features(energies: torch.Tensor) -> torch.Tensor:
    """(batch, 3, frames, BANDS): log energy relative to the mean of the clip, the local mean over half a
    second, and the mean of the band."""
    logs = torch.log(energies + POWER_FLOOR)
    frame = logs.mean(2)
    local = functional.avg_pool1d(frame[:, None], 2 * LOCAL_MEAN_CONTEXT + 1, 1, LOCAL_MEAN_CONTEXT, count_include_pad=False)[:, 0]
    clip, band = logs.mean((1, 2), keepdim=True), logs.mean(1, keepdim=True)
    return torch.stack([logs - clip, logs - local[..., None], logs - band], 1) / 4.0


def cost() -> tuple[int, float]:
    """The number of weights, and million multiply-adds per second of audio."""
    narrow, wide = BANDS // 2, BANDS // 4
    frame = 3 * NARROW * 15 * narrow + NARROW * 15 * wide + NARROW * WIDE * wide + WIDE * wide * CHANNELS
    frame += len(DILATIONS) * CHANNELS * (CHANNELS + TAPS) + CHANNELS * (BANDS + 1)
    weights = sum(p.numel() for p in VoiceNet().parameters())
    return weights, frame * math.ceil(RATE / HOP * 2) / 2 / 1e6


if __name__ == "__main__":
    print("%d weights, %.1f MMAC per second" % cost())
