"""Tests of the p-values that certify thresholds."""

import itertools
import math
import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import calibrate

LEVEL = calibrate.LEVEL


def enumerated(count: int, clips: int, bound: float) -> float:
    """The probability of at most `count` losses of 1 among `clips` with this expectation, over all outcomes."""
    outcomes = itertools.product((0, 1), repeat=clips)
    return sum(bound ** sum(losses) * (1 - bound) ** (clips - sum(losses)) for losses in outcomes if sum(losses) <= count)


def divergence(mean: float, bound: float) -> float:
    """Of Bernoulli distributions, in nats."""
    pairs = ((mean, bound), (1 - mean, 1 - bound))
    return sum(share * math.log(share / expected) for share, expected in pairs if share)


class PValue(unittest.TestCase):
    def test_it_is_the_smaller_of_both_bounds(self):
        for clips, bound in itertools.product((1, 4, 9), (0.1, 0.3, 0.7)):
            for count in range(clips + 1):
                hoeffding = math.exp(-clips * divergence(count / clips, bound)) if count < clips * bound else 1.0
                expected = min(1.0, hoeffding, math.e * enumerated(count, clips, bound))
                self.assertAlmostEqual(calibrate.p_value(count / clips, clips, bound), expected, places=9)

    def test_a_sum_that_is_not_whole_counts_as_the_next_whole_one(self):
        clips, bound, mean = 16, 0.5, 2.95 / 16
        bentkus = math.e * enumerated(3, clips, bound)
        self.assertLess(bentkus, math.exp(-clips * divergence(mean, bound)))
        self.assertAlmostEqual(calibrate.p_value(mean, clips, bound), bentkus, places=9)

    def test_a_risk_at_its_bound_is_rejected_at_most_as_often_as_the_level(self):
        rng = np.random.default_rng(11)
        rounds = 4_000
        for clips, bound in ((200, 0.05), (600, 0.01), (40, 0.3)):
            whole = rng.random((rounds, clips)) < bound
            # Of the same expectation, between 0 and 1.
            partial = rng.random((rounds, clips)) * (rng.random((rounds, clips)) < 2 * bound)
            for losses in (whole, partial):
                ps = np.array([calibrate.p_value(float(mean), clips, bound) for mean in losses.mean(1)])
                self.assertLessEqual((ps <= LEVEL).mean(), LEVEL, (clips, bound))

    def test_300_clips_without_a_loss_certify_one_percent(self):
        self.assertLessEqual(calibrate.p_value(0.0, 300, 0.01), LEVEL)
        self.assertGreater(calibrate.p_value(0.0, 250, 0.01), LEVEL)

    def test_a_mean_above_the_bound_is_never_rejected(self):
        for mean in (0.01, 0.02, 0.5, 1.0):
            self.assertGreater(calibrate.p_value(mean, 300, 0.01), LEVEL)


if __name__ == "__main__":
    unittest.main()
