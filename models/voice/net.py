"""The network: from the spectrum of a clip to a voice probability per frame and a mask that removes the voice.

Defines everything that training, export and inference must agree on; README.md describes it. dsp/src/voice_net/config.rs
has the same dimensions.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

RATE = 16_000
FFT = 1024
HOP = 256
BINS = FFT // 2 + 1
BANDS = 160
PLANES = 3
# The mask is decoded in groups of bands: `STRIDE` each, with `OVERLAP` more on either side as inputs.
GROUPS, STRIDE, OVERLAP = 20, 8, 2
WIDTH = STRIDE + 2 * OVERLAP
TIME_TAPS = 3
NARROW, WIDE = 8, 16  # channels of the convolutions over bands
BAND_TAPS = 5
EMBEDDING = 2 * WIDE  # channels of each group
CHANNELS = 104  # channels of the temporal blocks
CONTEXT = 16  # channels per group that the decoder gets from the temporal blocks
HIDDEN = 32  # channels of each group in the decoder
TAPS = 5
DILATIONS = (1, 2, 4, 8, 16, 1, 2, 4, 8, 16)
LOCAL_PLANE = 1  # the plane of the features that the decoder sees
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


class Depthwise(torch.autograd.Function):
    """A depthwise dilated convolution of (batch, frames, channels); several times faster on a CPU than `Conv1d`."""

    @staticmethod
    def forward(ctx, x: torch.Tensor, taps: torch.Tensor, dilation: int) -> torch.Tensor:
        reach = (TAPS - 1) // 2 * dilation
        padded, frames = functional.pad(x, (0, 0, reach, reach)), x.shape[1]
        ctx.save_for_backward(padded, taps)
        ctx.dilation = dilation
        out = padded[:, :frames] * taps[0]
        for tap in range(1, TAPS):
            out.addcmul_(padded[:, tap * dilation : tap * dilation + frames], taps[tap])
        return out

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        padded, taps = ctx.saved_tensors
        dilation, frames = ctx.dilation, gradient.shape[1]
        reach = (TAPS - 1) // 2 * dilation
        around = functional.pad(gradient, (0, 0, reach, reach))
        to_input = around[:, :frames] * taps[TAPS - 1]
        for tap in range(1, TAPS):
            to_input.addcmul_(around[:, tap * dilation : tap * dilation + frames], taps[TAPS - 1 - tap])
        to_taps = [(padded[:, tap * dilation : tap * dilation + frames] * gradient).sum((0, 1)) for tap in range(TAPS)]
        return to_input, torch.stack(to_taps), None


class Norm(nn.BatchNorm1d):
    """A batch norm over the last dimension."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.reshape(-1, x.shape[-1])).view(x.shape)


class Block(nn.Module):
    """A temporal block: x + pointwise(relu(depthwise(x)))."""

    def __init__(self, dilation: int):
        super().__init__()
        self.dilation = dilation
        self.depthwise = nn.Parameter(torch.empty(TAPS, CHANNELS).uniform_(-1, 1) / TAPS**0.5)
        self.depthwise_norm = Norm(CHANNELS)
        self.pointwise = nn.Linear(CHANNELS, CHANNELS, bias=False)
        self.pointwise_norm = Norm(CHANNELS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        around = functional.relu(self.depthwise_norm(Depthwise.apply(x, self.depthwise, self.dilation)))
        return x + self.pointwise_norm(self.pointwise(around))


class Grouped(nn.Module):
    """A linear layer for each group of bands: (GROUPS, frames, inputs) to (GROUPS, frames, outputs)."""

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(GROUPS, inputs, outputs).uniform_(-1, 1) / (inputs / 3) ** 0.5)
        self.bias = nn.Parameter(torch.full((GROUPS, 1, outputs), bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


class VoiceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("bands", torch.from_numpy(band_matrix()), persistent=False)
        self.conv = nn.Conv2d(PLANES, NARROW, (TIME_TAPS, BAND_TAPS), stride=(1, 2), padding=(1, 2), bias=False)
        self.conv_norm = nn.BatchNorm2d(NARROW)
        self.depthwise = nn.Conv2d(NARROW, NARROW, (TIME_TAPS, BAND_TAPS), stride=(1, 2), padding=(1, 2), groups=NARROW, bias=False)
        self.pointwise = nn.Conv2d(NARROW, WIDE, 1, bias=False)
        self.pointwise_norm = nn.BatchNorm2d(WIDE)
        self.projection = nn.Linear(GROUPS * EMBEDDING, CHANNELS, bias=False)
        self.projection_norm = Norm(CHANNELS)
        self.blocks = nn.ModuleList(Block(dilation) for dilation in DILATIONS)
        self.voice = nn.Linear(CHANNELS, 1)
        self.context = nn.Linear(CHANNELS, GROUPS * CONTEXT)
        self.merge = Grouped(CONTEXT + EMBEDDING + WIDTH, HIDDEN)
        self.mask = Grouped(HIDDEN, STRIDE, bias=2.0)
        nn.init.constant_(self.voice.bias, -1.0)

    def energies(self, bins: torch.Tensor) -> torch.Tensor:
        """(..., frames, BINS) complex to (..., frames, BANDS): power, about 1 for a full-scale sine."""
        power = bins.real**2 + bins.imag**2
        return power @ self.bands * (4.0 / (FFT / 2) ** 2)

    def forward(self, energies: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(batch, frames, BANDS) to logits of the voice (batch, frames) and of the mask (batch, frames, BANDS)."""
        batch, frames = energies.shape[:2]
        planes = features(energies)
        x = functional.relu(self.conv_norm(self.conv(planes.permute(0, 3, 1, 2))))
        x = functional.relu(self.pointwise_norm(self.pointwise(self.depthwise(x))))
        embedding = x.permute(0, 2, 3, 1).flatten(0, 1).flatten(1)  # frames, then 40 bands of 16 channels
        x = self.projection(embedding)
        x = functional.relu(self.projection_norm(x)).unflatten(0, (batch, frames))
        for block in self.blocks:
            x = block(x)
        x = functional.relu(x)
        context = functional.relu(self.context(x)).view(-1, GROUPS, CONTEXT)
        local = groups(planes[..., LOCAL_PLANE]).flatten(1, 2)
        near = torch.cat([context, embedding.view(-1, GROUPS, EMBEDDING)], 2).transpose(0, 1)
        merged = functional.relu(self.merge(torch.cat([near, local], 2)))
        mask = self.mask(merged).transpose(0, 1).flatten(1).unflatten(0, (batch, frames))
        return self.voice(x)[..., 0], mask


def features(energies: torch.Tensor) -> torch.Tensor:
    """(batch, frames, BANDS, PLANES): log energy relative to the mean of the clip, the local mean over half a
    second, and the mean of the band."""
    logs = torch.log(energies + POWER_FLOOR)
    frame = logs.mean(2)
    local = functional.avg_pool1d(frame[:, None], 2 * LOCAL_MEAN_CONTEXT + 1, 1, LOCAL_MEAN_CONTEXT, count_include_pad=False)[:, 0]
    clip, band = logs.mean((1, 2), keepdim=True), logs.mean(1, keepdim=True)
    return torch.stack([logs - clip, logs - local[..., None], logs - band], 3) / 4.0


def groups(plane: torch.Tensor) -> torch.Tensor:
    """(batch, frames, BANDS) to (GROUPS, batch, frames, WIDTH), zero beyond the first and the last band."""
    padded = functional.pad(plane, (OVERLAP, OVERLAP))
    return torch.stack([padded[:, :, start : start + WIDTH] for start in range(0, BANDS, STRIDE)])


def converted(weights: dict[str, torch.Tensor], precision: torch.dtype) -> dict[str, torch.Tensor]:
    """The weights in another precision; counters stay integers."""
    return {name: value.to(precision) if value.is_floating_point() else value for name, value in weights.items()}


def cost() -> tuple[int, float]:
    """The number of weights, and million multiply-adds per second of audio."""
    half, quarter = BANDS // 2, BANDS // 4  # bands after each of the strided convolutions
    frame = TIME_TAPS * BAND_TAPS * NARROW * (PLANES * half + quarter) + NARROW * WIDE * quarter
    frame += GROUPS * ((CONTEXT + EMBEDDING + WIDTH) * HIDDEN + HIDDEN * STRIDE)
    frame += GROUPS * EMBEDDING * CHANNELS + len(DILATIONS) * CHANNELS * (CHANNELS + TAPS)
    frame += CHANNELS * (1 + GROUPS * CONTEXT)
    weights = sum(p.numel() for p in VoiceNet().parameters())
    return weights, frame * RATE / HOP / 1e6


if __name__ == "__main__":
    print("%d weights, %.1f MMAC per second" % cost())
