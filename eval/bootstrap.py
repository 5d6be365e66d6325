"""Confidence intervals of figures: percentile bootstrap over clips (Efron 1979), 95 %."""

import dataclasses
import math

import numpy as np

ROUNDS = 2_000
TAILS = (2.5, 97.5)


@dataclasses.dataclass(frozen=True)
class Figure:
    value: float
    low: float
    high: float
    # The number of clips (or pairs).
    count: int

    def known(self) -> bool:
        return not math.isnan(self.value)


NONE = Figure(math.nan, math.nan, math.nan, 0)


def interval(clips: np.ndarray, statistic=None, rounds: int = ROUNDS) -> Figure:
    """The interval of a statistic over the rows of `clips`, by default the mean.

    The seed is fixed: two runs over the same clips agree.
    """
    clips = np.asarray(clips, float)
    if len(clips) == 0:
        return NONE
    statistic = statistic or (lambda rows: float(np.mean(rows)))
    rng = np.random.default_rng(1)
    drawn = [statistic(clips[rng.integers(len(clips), size=len(clips))]) for _ in range(rounds)]
    low, high = np.nanpercentile(drawn, TAILS) if not np.isnan(drawn).all() else (math.nan, math.nan)
    return Figure(float(statistic(clips)), float(low), float(high), len(clips))


def ratio(pairs: np.ndarray) -> float:
    """The ratio of the sum of the first column to that of the second."""
    return float(pairs[:, 0].sum() / pairs[:, 1].sum()) if pairs[:, 1].sum() else math.nan
