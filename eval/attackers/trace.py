"""Detects whether there was speech over the music: a small network trained on the anonymizer's output.

It learns from pairs of clips of training voices and instruments, the same playing once with a voice
over it and once without, both anonymized; it is evaluated on pairs of held-back ones. Its input is
the audio only, without its length and without the manifest's removed spans.
"""

import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import acoustics
from acoustics import ATTACKER_RATE

BANDS, WINDOW, HOP = 64, 512, 256
EPOCHS, BATCH = 30, 16
# Clips are cut or repeated to this length in seconds, so that it reveals nothing.
SECONDS = 6.0
# The score of a clip is the mean of its highest frame scores.
SCORED_FRAMES = 24


class Net(nn.Module):
    """Six convolutions over time, with a context of half a second on both sides."""

    def __init__(self, width: int = 48):
        super().__init__()
        layers, before = [], BANDS
        for dilation in (1, 1, 2, 4, 8, 1):
            layers += [
                nn.Conv1d(before, width, 3, padding=dilation, dilation=dilation),
                nn.BatchNorm1d(width),
                nn.ReLU(),
            ]
            before = width
        self.layers = nn.Sequential(*layers, nn.Dropout(0.2), nn.Conv1d(width, 1, 1))

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        """(clips, BANDS, frames) to a score per clip."""
        return self.layers(bands)[:, 0].topk(SCORED_FRAMES, 1).values.mean(1)


def bands_of(path: pathlib.Path) -> np.ndarray | None:
    """The logarithmic bands (BANDS, frames) of a clip minus their mean; None if it was withheld."""
    sound = acoustics.load(path, ATTACKER_RATE)
    if len(sound) < ATTACKER_RATE:
        return None
    wanted = int(SECONDS * ATTACKER_RATE)
    sound = torch.from_numpy(np.resize(sound, wanted))
    spectrum = torch.stft(sound, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True).abs()
    level = torch.log(torch.from_numpy(triangles()).T @ spectrum**2 + 1e-8)
    return ((level - level.mean()) / 4).numpy()


def triangles() -> np.ndarray:
    """Mel bands over the spectrum's bins, (bins, BANDS)."""
    mel = np.linspace(0, 2595 * np.log10(1 + ATTACKER_RATE / 2 / 700), BANDS + 2)
    edges = (10 ** (mel / 2595) - 1) * 700
    hertz = np.linspace(0, ATTACKER_RATE / 2, WINDOW // 2 + 1)[:, None]
    rising, falling = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def learn(pairs: list[tuple[np.ndarray, np.ndarray]], threads: int) -> Net:
    """`pairs`: bands with a voice and without."""
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    clips = torch.from_numpy(np.stack([bands for pair in pairs for bands in pair]))
    spoken = torch.tensor([1.0, 0.0] * len(pairs))
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.02)
    steps = EPOCHS * (len(clips) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    for _ in range(steps):
        chosen = torch.from_numpy(rng.integers(len(clips), size=BATCH))
        # With a random start and level each time.
        bands = clips[chosen].roll(int(rng.integers(clips.shape[2])), 2) + 0.2 * torch.randn(BATCH, 1, 1)
        loss = functional.binary_cross_entropy_with_logits(net(bands), spoken[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def scores(net: Net, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Rows (score of the clip with speech, score of the other)."""
    return np.array([net(torch.from_numpy(np.stack(pair))).tolist() for pair in pairs])


def area_under_curve(rows: np.ndarray) -> float:
    """The share of clips with speech that score higher than one without: 0.5 is chance."""
    with_voice, without = rows[:, 0][:, None], rows[:, 1][None, :]
    return float(np.mean((with_voice > without) + 0.5 * (with_voice == without)))
