#!/usr/bin/env python3
"""Trains the network on examples from a pool that is mixed during training.

usage: train.py BANK RUN [--minutes N | --steps N] [--pool N] [--batch N] [--threads N] [--resume]

A process mixes examples into RUN/pool.npy; every step takes voices from some and music from others, and examples without a
voice that the network mistakes for one more often than others. Every 250 steps it writes RUN/checkpoint.pt and appends a line
to RUN/curve.jsonl: the losses, and on the validation voices and instruments the false positive rate on music and the true
positive rate on audible voices. The learning rate decays over the second half of the run; the exported weights are an
exponential moving average. --resume continues from RUN/checkpoint.pt, with the learning rate of a new run.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import time

import numpy as np
import torch
from torch.nn import functional

import mix
import net

LEARNING_RATE = 3e-3
WARM_UP = 200  # steps
VALIDATION_CLIPS = 320
SECONDS = 6.0
AUDIBLE = 0.1  # the voice is audible in a band if it is within 10 dB of everything else
CLEARLY, BARELY = 0.04, 0.01  # shares of bands in which it is audible
SILENT_SHARE = 0.42  # of a batch: examples without a voice
CROSSED_SHARE = 0.7  # of the others: the voice of one example over the rest of another
ERASED_EVERY = 6  # batches: the last of these is erased once before it is learned
VOICE_WEIGHT = 2.0  # of remaining voice in the mask loss, relative to lost music
EMA_DECAY = 0.999
MIN_POOL = 600  # examples before training starts
PCM = 32_767


class Pool:
    """Examples in a file: (count, 2, samples) int16, of the voice and of the rest; and the kind of each."""

    def __init__(self, run: pathlib.Path, count: int):
        self.path, self.shape = run / "pool.npy", (count, 2, int(SECONDS * mix.RATE))
        mode = "r+" if self.path.exists() else "w+"
        self.examples = np.lib.format.open_memmap(self.path, mode, np.int16, self.shape)
        self.kinds_path = run / "pool-kinds.npy"
        self.kinds = np.lib.format.open_memmap(self.kinds_path, "r+" if self.kinds_path.exists() else "w+", np.int8, (count,))
        if mode == "w+":
            self.kinds[:] = -1

    def mixed(self) -> int:
        """The number of examples that are there."""
        return int(np.searchsorted(self.kinds < 0, True))

    def fill(self, bank: pathlib.Path, seed: int, worker: int, workers: int) -> None:
        os.nice(5)
        mixer = mix.Mixer(bank, "train", SECONDS)
        for index in range(worker, len(self.kinds), workers):
            if self.kinds[index] >= 0:
                continue
            example = mixer.example(seed * 10_000_000 + index)
            self.examples[index, 0] = np.clip(example["voice"] * PCM, -PCM, PCM)
            self.examples[index, 1] = np.clip((example["mixture"] - example["voice"]) * PCM, -PCM, PCM)
            self.kinds[index] = list(mix.KINDS).index(example["kind"])


class Sampler:
    """Draws batches from the pool."""

    def __init__(self, pool: Pool, seed: int):
        self.pool, self.draw = pool, np.random.default_rng(seed)
        # How voice-like the network finds the most voice-like frames of each example without a voice.
        self.difficulty = np.full(len(pool.kinds), 0.5)

    def batch(self, size: int):
        """Spectra of the voice and of the rest, the kinds, and the examples in the pool."""
        draw, kinds = self.draw, np.array(self.pool.kinds[: self.pool.mixed()])
        silent, spoken = np.flatnonzero(kinds < mix.WITHOUT_VOICE), np.flatnonzero(kinds >= mix.WITHOUT_VOICE)
        count = int(draw.binomial(size, SILENT_SHARE))
        odds = 0.3 + self.difficulty[silent]
        without = draw.choice(silent, count, p=odds / odds.sum())
        voices = draw.choice(spoken, size - count)
        rests = np.where(draw.random(len(voices)) < CROSSED_SHARE, draw.choice(len(kinds), len(voices)), voices)
        gains = np.ones(len(voices), np.float32)
        voice = self.pool.examples[voices, 0].astype(np.float32) / PCM
        rest = self.pool.examples[np.concatenate([without, rests]), 1].astype(np.float32) / PCM
        for row, (voice_of, rest_of) in enumerate(zip(voices, rests)):
            if voice_of != rest_of:
                level = draw.triangular(-20, -5, 12) if kinds[rest_of] in (0, 3, 4) else draw.uniform(0, 40)
                gains[row] = mix.loudness(rest[count + row]) / mix.loudness(voice[row]) * mix.gain(level)
        voice *= gains[:, None]
        voice = np.concatenate([np.zeros((count, voice.shape[1]), np.float32), voice])
        peak = np.abs(voice + rest).max(1, keepdims=True)
        scale = np.minimum(1, 0.98 / (peak + 1e-9)).astype(np.float32)
        chosen = torch.from_numpy(np.concatenate([kinds[without], np.full(len(voices), mix.WITHOUT_VOICE)]).astype(np.int64))
        spectra = (net.spectrum(torch.from_numpy(stem * scale)) for stem in (voice, rest))
        return *spectra, chosen, without

    def learn(self, without: np.ndarray, voiced: torch.Tensor) -> None:
        top = torch.sigmoid(voiced[: len(without)].detach()).topk(20, 1).values.mean(1).numpy()
        self.difficulty[without] += 0.5 * (top - self.difficulty[without])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bank", type=pathlib.Path)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--pool", type=int, default=8_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--mixers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)

    pool = Pool(options.run, options.pool)
    for worker in range(options.mixers):
        fill = (options.bank, options.seed, worker, options.mixers)
        multiprocessing.Process(target=pool.fill, args=fill, daemon=True).start()
    valid = validation(options.bank)
    model, done, seconds = net.VoiceNet(), 0, 0.0
    smooth = {name: value.clone() for name, value in model.state_dict().items()}
    if options.resume:
        saved = torch.load(options.run / "checkpoint.pt")
        model.load_state_dict(saved["model"])
        smooth = net.converted(saved["smooth"], torch.float)
        done, seconds = saved["step"], saved["seconds"]
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=1e-3)
    while pool.mixed() < min(MIN_POOL, options.pool):
        time.sleep(1)
    sampler, began, sums, counted = Sampler(pool, options.seed + done), time.time(), np.zeros(3), 0
    for step in range(1, options.steps + 1):
        progress = max(step / options.steps, (time.time() - began) / 60 / options.minutes)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, step / WARM_UP, max(0.003, (1 - progress) * 2))
        spoken, rest, kind, without = sampler.batch(options.batch)
        all_, spoken, rest = stems(model, spoken, rest)
        if step % ERASED_EVERY == 0:
            all_, spoken, rest = erased(model, all_, spoken, rest, sampler.draw)
        voiced, mask = model(all_)
        parts = losses(voiced, mask, spoken, rest, kind)
        sampler.learn(without, voiced)
        learn(model, optimizer, parts)
        sums += [float(part.detach()) for part in parts]
        counted += 1
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                smooth[name].lerp_(value, max(1 - EMA_DECAY, 1 / (done + step)))
            else:
                smooth[name].copy_(value)
        if step % 250 == 0 or progress >= 1:
            line: dict[str, float] = {"step": done + step, "seconds": round(seconds + time.time() - began), "pool": pool.mixed()}
            line |= dict(zip(("detect", "hard", "erase"), sums / counted))
            if step % 1_000 == 0 or progress >= 1:
                line |= validate(smoothed(smooth), valid)
            sums[:], counted = 0, 0
            line = {key: round(float(value), 4) for key, value in line.items()}
            print(json.dumps(line), flush=True)
            with (options.run / "curve.jsonl").open("a") as curve:
                curve.write(json.dumps(line) + "\n")
            save(options.run / "checkpoint.pt", model, smooth, line)
        if progress >= 1:
            break


def save(path: pathlib.Path, model: net.VoiceNet, smooth: dict, line: dict) -> None:
    """Under 3 MB: the moving average in half precision, and no state of the optimizer."""
    half = net.converted(smooth, torch.half)
    torch.save({"model": model.state_dict(), "smooth": half, "step": int(line["step"]), "seconds": line["seconds"]}, path)


def validation(bank: pathlib.Path) -> list:
    mixer = mix.Mixer(bank, "valid", SECONDS)
    examples = [mixer.example(seed) for seed in range(VALIDATION_CLIPS)]
    batches = [examples[start : start + 16] for start in range(0, len(examples), 16)]
    return [
        (
            *(torch.from_numpy(np.stack([example[stem] for example in batch])) for stem in ("mixture", "voice")),
            torch.tensor([list(mix.KINDS).index(example["kind"]) for example in batch]),
        )
        for batch in batches
    ]


def learn(model: net.VoiceNet, optimizer: torch.optim.Optimizer, parts) -> None:
    optimizer.zero_grad()
    sum(parts).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()


def losses(voiced: torch.Tensor, mask: torch.Tensor, spoken: torch.Tensor, rest: torch.Tensor, kind: torch.Tensor):
    """The detection loss, the loss of the most voice-like frames without a voice, and the mask loss."""
    with torch.no_grad():
        wanted, weight = truth(spoken, rest)
        silent = kind < mix.WITHOUT_VOICE
        weight = torch.where(silent[:, None], torch.full_like(weight, 1.5), weight)
    each = functional.binary_cross_entropy_with_logits(voiced, wanted, reduction="none")
    detect = (each * weight).sum() / weight.sum()
    hardest = voiced[silent].topk(max(1, voiced.shape[1] // 20), 1).values if silent.any() else voiced[:0]
    hard = 0.2 * functional.softplus(hardest).mean() if silent.any() else voiced.sum() * 0
    return detect, hard, mask_loss(torch.sigmoid(mask), spoken, rest)


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
    """`music>T`, `found>T`: shares of frames without and with an audible voice that reach T; `found@1%`: the latter at the
    threshold that 1 % of the former reach. `voice_db`, `music_db`: what the mask takes of each in frames with a voice."""
    model.eval()
    without, audible_ones = [], []
    attenuation = [[], []]
    for mixture, voice, kind in batches:
        all_, spoken, rest = stems(model, net.spectrum(voice), net.spectrum(mixture - voice))
        voiced, mask = model(all_)
        probability, mask = torch.sigmoid(voiced), torch.sigmoid(mask)
        wanted, weight = truth(spoken, rest)
        audible = (wanted > 0) & (weight == 1)
        without.append(probability[kind < mix.WITHOUT_VOICE].flatten())
        audible_ones.append(probability[audible])
        if audible.any():
            attenuation[0].append((mask**2 * spoken)[audible].sum() / spoken[audible].sum())
            attenuation[1].append((mask**2 * rest)[audible].sum() / rest[audible].sum())
    music, found = torch.cat(without), torch.cat(audible_ones)
    out = {"found@1%": (found > music.quantile(0.99)).float().mean()}
    for threshold in (0.3, 0.5, 0.8):
        out[f"music>{threshold}"] = (music > threshold).float().mean()
        out[f"found>{threshold}"] = (found > threshold).float().mean()
    for name, values in zip(("voice_db", "music_db"), attenuation):
        out[name] = 10 * torch.stack(values).mean().log10()
    return out


if __name__ == "__main__":
    main()
