"""What was said: Whisper base (Radford et al. 2022, arXiv 2212.04356), told the language.

Words left are those of the speech alone, as Whisper hears them there, that it still finds: each as
often as it was said, whatever the order.
"""

import collections
import pathlib
import re

import numpy as np

from acoustics import HEARD

# Whisper makes words out of silence; what it holds to be none with this probability is left out.
NO_SPEECH = 0.8
SHORTEST = HEARD // 2


class Listener:
    def __init__(self, weights: pathlib.Path, threads: int):
        from faster_whisper import WhisperModel

        self.model = WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=threads)

    def words(self, sound: np.ndarray, language: str | None) -> tuple[list[str], str | None]:
        """The words that are heard, and the language they are in; `language` None: to be found out."""
        if len(sound) < SHORTEST:
            return [], language
        parts, told = self.model.transcribe(
            sound, beam_size=1, language=language, condition_on_previous_text=False,
            without_timestamps=True, temperature=0, max_new_tokens=96,
        )  # fmt: skip
        text = " ".join(part.text for part in parts if part.no_speech_prob < NO_SPEECH)
        return re.findall(r"\w{2,}", text.lower()), told.language


def share_left(said: list[str], heard: list[str]) -> float:
    counts = collections.Counter(heard)
    return sum(min(counts[word], times) for word, times in collections.Counter(said).items()) / len(said)
