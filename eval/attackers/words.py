"""Speech recognition: Whisper base (Radford et al. 2022, arXiv 2212.04356), with the language given.

Words left are the words that Whisper finds in the speech alone and still finds in the clip, with
repetitions, in any order.
"""

import collections
import pathlib
import re

import numpy as np

from acoustics import ATTACKER_RATE

# Whisper invents words in silence; segments with this probability of no speech are ignored.
NO_SPEECH = 0.8
MIN_SAMPLES = ATTACKER_RATE // 2


class Listener:
    def __init__(self, weights: pathlib.Path, threads: int):
        from faster_whisper import WhisperModel

        self.model = WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=threads)

    def words(self, sound: np.ndarray, language: str | None) -> tuple[list[str], str | None]:
        """The recognized words and their language, which is detected if `language` is None."""
        if len(sound) < MIN_SAMPLES:
            return [], language
        parts, info = self.model.transcribe(
            sound, beam_size=1, language=language, condition_on_previous_text=False,
            without_timestamps=True, temperature=0, max_new_tokens=96,
        )  # fmt: skip
        text = " ".join(part.text for part in parts if part.no_speech_prob < NO_SPEECH)
        return re.findall(r"\w{2,}", text.lower()), info.language


def share_left(said: list[str], recognized: list[str]) -> float:
    counts = collections.Counter(recognized)
    return sum(min(counts[word], times) for word, times in collections.Counter(said).items()) / len(said)
