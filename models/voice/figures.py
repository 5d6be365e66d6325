#!/usr/bin/env python3
"""Prints the tables of the model card: detection rates of the exported weights by kind of voice and by instrument.

usage: figures.py BANK

Uses the voices and instruments of the validation split. Voices: the share of frames with an audible voice (train.truth)
that reach THRESHOLD, alone with noise and over music at -6 dB. Instruments: the share of frames that reach it, without
and with padding.
"""

import collections
import pathlib
import sys

import numpy as np
import torch

import anonymize
import infer
import mix
import net
import train

THRESHOLD, CLIPS = anonymize.SETTINGS["threshold"], 12
NAMES = {1: "bright piano", 12: "marimba", 22: "harmonica", 25: "steel guitar", 42: "cello", 57: "trombone", 71: "clarinet", 74: "recorder"}


def main() -> None:
    torch.set_num_threads(1)
    mixer = mix.Mixer(pathlib.Path(sys.argv[1]), "valid")
    detector, model = infer.Exported(pathlib.Path(__file__).resolve().parents[2] / "dsp/weights/voice_net.f16"), net.VoiceNet()
    print("| voice | alone | over music, -6 dB |\n| --- | --- | --- |")
    for kind in mix.SPOKEN:
        shares = [voice_rate(mixer, detector, model, kind, over) for over in (False, True)]
        print(f"| {kind} | {shares[0]:.2f} | {shares[1]:.2f} |")
    print("\n| instrument | frames detected | with padding |\n| --- | --- | --- |")
    for name, (hit, wide) in sorted(false_positive_rates(mixer, detector).items()):
        print(f"| {name} | {hit:.4f} | {wide:.3f} |")


def voice_rate(mixer: mix.Mixer, detector: infer.Exported, model: net.VoiceNet, kind: str, over: bool) -> float:
    hits, n = [], mixer.length
    voices = [name for name in mixer.speech.names if kind in mixer.speech.pieces[name]]
    for index in range(CLIPS):
        rng = np.random.default_rng([index, over])
        spans = mixer.speech.pieces[voices[index % len(voices)]][kind]
        voice = mix.padded(np.concatenate([mixer.speech.piece(spans[rng.integers(len(spans))]) for _ in range(6)]), n)
        voice = mix.in_room(voice, rng)
        voice *= mix.gain(-6 if over else 0) / mix.loudness(voice)
        rest = mix.colored(n, 1, rng).astype(np.float32) * mix.gain(-40)
        if over:
            rest = rest + mix.in_room(mixer.playing(rng), rng)
        stems = [model.energies(net.spectrum(torch.from_numpy(stem.astype(np.float32)))[None]) for stem in (voice, rest)]
        wanted, weight = train.truth(*stems)
        audible = (wanted[0] > 0) & (weight[0] == 1)
        hits.append(detector.predict(voice + rest)[0][audible.numpy()] >= THRESHOLD)
    return float(np.concatenate(hits).mean())


def false_positive_rates(mixer: mix.Mixer, detector: infer.Exported) -> dict[str, tuple[float, float]]:
    out = collections.defaultdict(list)
    for name in mixer.music.names:
        for start, end in mixer.music.pieces[name]["music"]:
            for at in range(start, end - mixer.length, 2 * mixer.length):
                sound = mixer.music.piece((at, at + mixer.length))
                hit = detector.predict(sound + mix.colored(len(sound), 1, np.random.default_rng(at)).astype(np.float32) * mix.gain(-45))[0] >= THRESHOLD
                engine, programs = name.split(":")
                for program in map(int, programs.split("+")):
                    out[f"{NAMES.get(program, program)} ({engine})"].append((hit.mean(), anonymize.dilate(hit, 0.16).mean()))
    return {name: tuple(np.mean(shares, 0)) for name, shares in out.items()}


if __name__ == "__main__":
    main()
