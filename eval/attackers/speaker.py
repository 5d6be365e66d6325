"""Speaker verification: Resemblyzer's voice encoder (Wan et al. 2018, arXiv 1710.10467).

A trial asks whether a clip is of an enrolled person; the score is the cosine of both embeddings. The
uninformed attacker enrolled people with clean speech, the informed one with anonymized clips of them.
"""

import numpy as np

from acoustics import ATTACKER_RATE

# The score of a clip with too little audio: undecided.
UNKNOWN = 0.0


class Recognizer:
    def __init__(self):
        from resemblyzer import VoiceEncoder

        self.encoder = VoiceEncoder("cpu", verbose=False)

    def embedding(self, sound: np.ndarray) -> list[float] | None:
        peak = np.abs(sound).max(initial=0)
        if len(sound) < ATTACKER_RATE or peak < 1e-3:
            return None
        return self.encoder.embed_utterance(sound / peak * 0.7).tolist()


def score(voice: list[float] | None, known: list[float] | None) -> float:
    return UNKNOWN if voice is None or known is None else float(np.dot(voice, known))


def equal_error_rate(trials: np.ndarray) -> float:
    """The equal error rate of rows (score, 1 if it is the same person): where both error rates are closest."""
    scores, same = trials[:, 0], trials[:, 1] > 0.5
    if same.all() or not same.any():
        return float("nan")
    thresholds = np.unique(scores)
    missed = np.searchsorted(np.sort(scores[same]), thresholds, "left") / same.sum()
    accepted = 1 - np.searchsorted(np.sort(scores[~same]), thresholds, "left") / (~same).sum()
    nearest = np.argmin(np.abs(missed - accepted) + 1e-9 * (missed + accepted))
    return float((missed + accepted)[nearest] / 2)
