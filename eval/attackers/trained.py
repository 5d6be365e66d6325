"""A net trained to bring a voice back: from anonymized clips to the clean voice that was in them.

It is a U-Net over compressed magnitude spectra (Jansson et al. 2017, "Singing voice separation with deep U-Net
convolutional networks") with a mask of the given spectrum and a residual, which can add what was erased. It is trained on
the anonymizer's own output for other people and instruments, so it knows how this anonymizer erases.
"""

import pathlib
import time

import numpy as np
import torch
from scipy.signal import istft, stft
from torch import nn
from torch.nn import functional

import acoustics
from acoustics import ATTACKER_RATE

WAY, LABEL = "trained", "after the net trained on pairs"
WINDOW, HOP = 512, 256
BANDS = WINDOW // 2
# Magnitudes are raised to this power, which makes quiet parts count.
POWER = 0.3
# The mask's maximum: 40 dB.
MAX_MASK = 10 ** (40 / 20 * POWER)
WIDTHS = (8, 16, 24, 32)
BATCH, FRAMES = 8, 192
LEARNING_RATE = 2e-3
# The number of steps between two computations of the loss over the validation clips.
CHECKED_STEPS = 200


class Net(nn.Module):
    """(clips, frames, BANDS) of compressed magnitudes of a clip to those of its voice."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        self.down, self.up, before = nn.ModuleList(), nn.ModuleList(), 1
        for width in widths:
            self.down.append(block(nn.Conv2d(before, width, (3, 5), (1, 2), (1, 2)), width))
            before = width
        bands = BANDS // 2 ** len(widths)
        self.narrow = nn.Conv1d(before * bands, 128, 1)
        # Over time: 1 s on both sides.
        self.over_time = nn.ModuleList(
            nn.Sequential(nn.Conv1d(128, 128, 5, padding=2 * dilation, dilation=dilation), nn.BatchNorm1d(128), nn.ReLU())
            for dilation in (1, 2, 4, 8, 16)
        )
        self.widen = nn.Conv1d(128, before * bands, 1)
        for width in (*reversed(widths[:-1]), 16):
            layer = nn.ConvTranspose2d(2 * before, width, (3, 4), (1, 2), (1, 1))
            self.up.append(block(layer, width))
            before = width
        self.out = nn.Conv2d(before + 1, 2, 3, padding=1)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        layer, skipped = given[:, None], []
        for down in self.down:
            layer = down(layer)
            skipped.append(layer)
        clips, width, frames, bands = layer.shape
        wide = self.narrow(layer.transpose(2, 3).reshape(clips, width * bands, frames))
        for step in self.over_time:
            wide = wide + step(wide)
        layer = self.widen(wide).reshape(clips, width, bands, frames).transpose(2, 3)
        for up, skip in zip(self.up, reversed(skipped)):
            layer = up(torch.cat([layer, skip], 1))
        mask, residual = self.out(torch.cat([layer, given[:, None]], 1)).unbind(1)
        return functional.relu(MAX_MASK * torch.sigmoid(mask - 2) * given + residual)


def block(layer: nn.Module, width: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(width), nn.ReLU())


def spectrum(sound: np.ndarray) -> np.ndarray:
    """Complex bins (BANDS, frames) without the highest one, of a sound raised to LEVEL."""
    level = acoustics.loudness(sound) if len(sound) else 1.0
    _, _, bins = stft(sound / level * acoustics.LEVEL, ATTACKER_RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    return bins[:BANDS]


def voice_features(voice: np.ndarray) -> np.ndarray:
    """The same of a clean voice, which is at its level already."""
    _, _, bins = stft(voice, ATTACKER_RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    return ((np.abs(bins[:BANDS]) * 100) ** POWER).T.astype(np.float32)


def features(sound: np.ndarray) -> np.ndarray:
    """Compressed magnitudes (frames, BANDS)."""
    # Times 100, so that values are about 1.
    return ((np.abs(spectrum(sound)) * 100) ** POWER).T.astype(np.float32)


def learn(
    pairs: list[tuple[np.ndarray, np.ndarray]], checked: list[tuple[np.ndarray, np.ndarray]], minutes: float,
    threads: int, widths: tuple[int, ...] = WIDTHS,
) -> tuple[Net, dict]:  # fmt: skip
    """Trains for `minutes` on pairs of features of the anonymized clip and of its clean voice; the weights with the least
    loss over `checked` are kept. And what was measured."""
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    rng, net = np.random.default_rng(0), Net(widths)
    optimizer = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=0.01)
    best, steps, started = (float("inf"), net.state_dict()), 0, time.monotonic()
    while (passed := (time.monotonic() - started) / 60 / minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, steps / 50) * (0.02 + 0.98 * np.cos(np.pi / 2 * passed))
        given, wanted = batch(pairs, rng)
        loss = distance(net(given), wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        steps += 1
        if steps % CHECKED_STEPS == 0:
            best = min(best, checked_loss(net, checked), key=lambda pair: pair[0])
    best = min(best, checked_loss(net, checked), key=lambda pair: pair[0])
    net.load_state_dict(best[1])
    unchanged = float(np.mean([np.mean((given - wanted) ** 2) for given, wanted in checked]))
    measured = {"steps": steps, "minutes": minutes, "clips": len(pairs), "loss": best[0], "loss_of_input": unchanged}
    return net.eval(), measured


def batch(pairs: list, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    chosen = []
    for index in rng.integers(len(pairs), size=BATCH):
        given, wanted = pairs[index]
        start = int(rng.integers(max(0, len(given) - FRAMES) + 1))
        short = max(0, FRAMES - len(given))
        chosen.append([np.pad(part[start : start + FRAMES], ((0, short), (0, 0))) for part in (given, wanted)])
    given, wanted = (torch.from_numpy(np.stack(parts).astype(np.float32)) for parts in zip(*chosen))
    return given, wanted


def distance(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return functional.mse_loss(made, wanted)


@torch.no_grad()
def checked_loss(net: Net, pairs: list) -> tuple[float, dict]:
    net.eval()
    losses = [float(distance(run(net, given), torch.from_numpy(wanted.astype(np.float32)))) for given, wanted in pairs]
    net.train()
    return float(np.mean(losses)), {name: value.clone() for name, value in net.state_dict().items()}


def run(net: Net, given: np.ndarray) -> torch.Tensor:
    return net(torch.from_numpy(given.astype(np.float32))[None])[0]


def save(net: Net, path: pathlib.Path) -> None:
    torch.save(net.state_dict(), path)


def load(path: pathlib.Path) -> Net:
    net = Net()
    net.load_state_dict(torch.load(path, weights_only=True))
    return net.eval()


@torch.no_grad()
def restored(net: Net, sound: np.ndarray) -> np.ndarray:
    """The voice that the net makes of a clip, with the clip's phase, amplified."""
    if len(sound) < WINDOW:
        return sound
    bins = spectrum(sound)
    magnitude = run(net, features(sound)).numpy().T ** (1 / POWER) / 100
    made = np.concatenate([magnitude * np.exp(1j * np.angle(bins)), np.zeros((1, bins.shape[1]))])
    _, voice = istft(made, ATTACKER_RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    return acoustics.raised(voice[: len(sound)].astype(np.float32))
