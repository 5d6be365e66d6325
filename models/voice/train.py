#!/usr/bin/env python3
"""Trains the network on examples that are mixed during training.

usage: train.py BANK RUN [--minutes N | --steps N] [--batch N] [--threads N] [--workers N] [--start CHECKPOINT]

Every 50 steps it writes RUN/checkpoint.pt and appends a line to RUN/curve.jsonl: the losses, and on the validation
voices and instruments the false positive rate on music and the true positive rate on audible voices. The learning rate
decays over the second half of the run; the written weights are an exponential moving average.
"""

import argparse
import json
import pathlib
import time

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import mix
import net

LEARNING_RATE = 3e-3
VALIDATION_CLIPS = 160
AUDIBLE = 0.1  # the voice is audible in a band if it is within 10 dB of everything else
CLEARLY, BARELY = 0.04, 0.01  # shares of bands in which it is audible
BUFFERED_BATCHES, REPEATS = 48, 5  # batches in memory, and training steps per batch
VOICE_WEIGHT = 2.0  # of remaining voice in the mask loss, relative to lost music
EMA_DECAY = 0.998  # of the written weights


class Examples(Dataset):
    def __init__(self, bank: pathlib.Path, split: str, first: int, count: int):
        self.mixer, self.first, self.count = mix.Mixer(bank, split), first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int):
        example = self.mixer.example(self.first + index)
        return example["mixture"], example["voice"], list(mix.KINDS).index(example["kind"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bank", type=pathlib.Path)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=100)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=pathlib.Path)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)

    model = net.VoiceNet()
    if options.start:
        model.load_state_dict(torch.load(options.start)["model"])
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=1e-3)
    examples = Examples(options.bank, "train", options.seed * 10_000_000, options.steps * options.batch)
    loader = DataLoader(examples, options.batch, num_workers=options.workers, prefetch_factor=4)
    valid = list(DataLoader(Examples(options.bank, "valid", 0, VALIDATION_CLIPS), 16))
    began, sums, counted, kept = time.time(), np.zeros(3), 0, []
    draw = np.random.default_rng(options.seed)
    smooth = {name: value.clone() for name, value in model.state_dict().items()}
    for step, (mixture, voice, kind) in enumerate(loader, 1):
        progress = max(step / options.steps, (time.time() - began) / 60 / options.minutes)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, step / 50, max(0.003, (1 - progress) * 2))
        kept = [*kept[-BUFFERED_BATCHES + 1 :], (net.spectrum(voice), net.spectrum(mixture - voice), kind)]
        # Mixing is slower than training: batches in memory are used again, with each voice over other music.
        for repeat in range(REPEATS):
            batch = kept[-1] if repeat == 0 else crossed(kept, draw)
            all_, spoken, rest = stems(model, *batch[:2])
            if repeat == 1:
                all_, spoken, rest = erased(model, all_, spoken, rest, draw)
            parts = losses(model, all_, spoken, rest, batch[2])
            learn(model, optimizer, parts)
            sums += [float(part.detach()) for part in parts]
            counted += 1
            for name, value in model.state_dict().items():
                if value.is_floating_point():
                    smooth[name].lerp_(value, max(1 - EMA_DECAY, 1 / (step + 1)))
                else:
                    smooth[name].copy_(value)
        if step % 50 == 0 or progress >= 1:
            line = {"step": step, "seconds": round(time.time() - began), "detect": sums[0] / counted, "hard": sums[1] / counted, "erase": sums[2] / counted}
            if step % 200 == 0 or progress >= 1:
                line |= validate(smoothed(smooth), valid)
            sums[:], counted = 0, 0
            line = {key: round(value, 4) for key, value in line.items()}
            print(json.dumps(line), flush=True)
            with (options.run / "curve.jsonl").open("a") as curve:
                curve.write(json.dumps(line) + "\n")
            torch.save({"model": smooth, "step": step}, options.run / "checkpoint.pt")
        if progress >= 1:
            break


def learn(model: net.VoiceNet, optimizer: torch.optim.Optimizer, parts) -> None:
    optimizer.zero_grad()
    sum(parts).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()


def losses(model: net.VoiceNet, all_: torch.Tensor, spoken: torch.Tensor, rest: torch.Tensor, kind: torch.Tensor):
    """The detection loss, the loss of the most voice-like frames without a voice, and the mask loss."""
    with torch.no_grad():
        wanted, weight = truth(spoken, rest)
        silent = kind < 2  # music alone, noise alone
        weight = torch.where(silent[:, None], torch.full_like(weight, 1.5), weight)
    voiced, mask = model(all_)
    each = functional.binary_cross_entropy_with_logits(voiced, wanted, reduction="none")
    detect = (each * weight).sum() / weight.sum()
    hardest = voiced[silent].topk(max(1, voiced.shape[1] // 20), 1).values if silent.any() else voiced[:0]
    hard = 0.2 * functional.softplus(hardest).mean() if silent.any() else voiced.sum() * 0
    return detect, hard, mask_loss(torch.sigmoid(mask), spoken, rest)


def crossed(kept: list, draw: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mixes the voices of one batch with the rest of another, at the level of the voice there ±8 dB; clips
    without a voice stay without one."""
    voices, (original, rest, kind) = kept[draw.integers(len(kept))], kept[draw.integers(len(kept))]
    spoken = np.flatnonzero(voices[2].numpy() >= 2)
    if len(spoken) == 0:
        return original, rest, kind
    voice = voices[0][torch.from_numpy(draw.choice(spoken, len(kind)))]
    target, current = (bins.abs().square().mean((1, 2)).sqrt() for bins in (original, voice))
    gain = target / (current + 1e-9) * torch.from_numpy(10 ** (draw.uniform(-8, 8, len(kind)) / 20)).float()
    gain = torch.where(current > 1e-5, gain, torch.ones_like(gain))
    return voice * torch.where(kind < 2, 0.0, gain)[:, None, None], rest, kind


@torch.no_grad()
def erased(model: net.VoiceNet, all_: torch.Tensor, spoken: torch.Tensor, rest: torch.Tensor, draw: np.random.Generator):
    """The same after erasing once: the result must be distinguished from music, too."""
    mask = torch.sigmoid(model(all_)[1]) ** (2 * draw.uniform(0.7, 2.0))
    return all_ * mask, spoken * mask, rest * mask


def smoothed(weights: dict) -> net.VoiceNet:
    model = net.VoiceNet()
    model.load_state_dict(weights)
    return model


def stems(
    model: net.VoiceNet, voice: torch.Tensor, rest: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Band energies of the mixture, of its voice and of the rest, from spectra."""
    return model.energies(voice + rest), model.energies(voice), model.energies(rest)


def truth(spoken: torch.Tensor, rest: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The label of each frame and its weight: 0 if the voice is inaudible, below the music or the noise in almost every
    band."""
    strongest, loudest = (
        functional.max_pool1d(stem.amax(2)[:, None], 2 * net.LOCAL_MEAN_CONTEXT + 1, 1, net.LOCAL_MEAN_CONTEXT)[:, 0, :, None]
        for stem in (spoken, spoken + rest)
    )
    present = (spoken > 1e-4 * strongest) & (spoken > 1e-6 * loudest) & (spoken > 10 * net.POWER_FLOOR)
    shown = (present & (spoken > AUDIBLE * rest)).float().mean(2)
    hinted = (present & (spoken > 0.1 * AUDIBLE * rest)).float().mean(2)
    wanted = (shown >= BARELY).float()
    weight = torch.where(shown >= CLEARLY, 1.0, torch.where(shown >= BARELY, 0.4, torch.where(hinted < BARELY, 1.0, 0.0)))
    return wanted, weight


def mask_loss(mask: torch.Tensor, spoken: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """Remaining voice and lost music, both in amplitude, relative to the local level."""
    level = functional.avg_pool1d((spoken + rest).mean(2)[:, None], 2 * net.LOCAL_MEAN_CONTEXT + 1, 1, net.LOCAL_MEAN_CONTEXT)[:, 0, :, None]
    level = level + net.POWER_FLOOR
    left, lost = (spoken / level).sqrt(), (rest / level).sqrt()
    return (VOICE_WEIGHT * mask**2 * left + (1 - mask) ** 2 * lost).mean()


@torch.no_grad()
def validate(model: net.VoiceNet, batches) -> dict:
    model.eval()
    out = {}
    music, found = {0.3: [], 0.5: [], 0.8: []}, {0.3: [], 0.5: [], 0.8: []}
    attenuation = [[], []]
    for mixture, voice, kind in batches:
        all_, spoken, rest = stems(model, net.spectrum(voice), net.spectrum(mixture - voice))
        voiced, mask = model(all_)
        probability, mask = torch.sigmoid(voiced), torch.sigmoid(mask)
        wanted, weight = truth(spoken, rest)
        audible = (wanted > 0) & (weight == 1)
        for threshold in music:
            if (kind < 2).any():
                music[threshold].append((probability[kind < 2] > threshold).float().mean())
            found[threshold].append((probability[audible] > threshold).float().mean())
        attenuation[0].append((mask**2 * spoken)[audible].sum() / spoken[audible].sum())
        attenuation[1].append((mask**2 * rest)[audible].sum() / rest[audible].sum())
    for threshold in music:
        out[f"music>{threshold}"] = float(torch.stack(music[threshold]).mean())
        out[f"found>{threshold}"] = float(torch.stack(found[threshold]).nanmean())
    out["voice_db"] = float(10 * torch.stack(attenuation[0]).nanmean().log10())
    out["music_db"] = float(10 * torch.stack(attenuation[1]).nanmean().log10())
    return out


if __name__ == "__main__":
    main()
