"""The net trained on pairs: an attack that cannot succeed proves nothing."""

import pathlib
import sys
import tempfile
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import train_attacker
from attackers import trained

RATE = 16_000


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A low tone in noise, 15 dB below it, and the tone alone."""
    rng, time = np.random.default_rng(seed), np.arange(2 * RATE) / RATE
    voice = 0.1 * np.sin(2 * np.pi * rng.uniform(200, 900) * time) * (np.sin(2 * np.pi * 2 * time + seed) > 0)
    mixed = voice + 0.3 * rng.standard_normal(len(time))
    return trained.features(mixed.astype(np.float32)), trained.voice_features(voice.astype(np.float32))


class Trained(unittest.TestCase):
    def test_it_learns_to_bring_back_what_is_hidden(self):
        pairs = [pair(seed) for seed in range(12)]
        net, measured = trained.learn(pairs[:10], pairs[10:], 0.1, 2, widths=(4, 8))
        self.assertLess(measured["loss"], 0.5 * measured["loss_of_input"])

    def test_a_saved_net_restores_clips_of_any_length(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "net.pt"
            trained.save(trained.Net(), path)
            net = trained.load(path)
        for length in (0, 100, 5_000, 16_001):
            made = trained.restored(net, np.full(length, 0.01, np.float32))
            self.assertEqual(len(made), length)
            self.assertTrue(np.isfinite(made).all())

    def test_the_voice_is_cut_like_the_clip(self):
        sound = np.arange(4 * RATE, dtype=np.float32)
        left = train_attacker.kept_of(sound, [[0.5, 1.0], [2.0, 2.25]])
        np.testing.assert_array_equal(left, np.concatenate([sound[RATE // 2 : RATE], sound[2 * RATE : 2 * RATE + RATE // 4]]))

    def test_no_speaker_is_in_both_parts(self):
        found = [(f"speaker-{number % 40}", np.zeros(1), np.full(1, number % 40)) for number in range(200)]
        learned, checked = train_attacker.split(found)
        self.assertTrue(learned and checked)
        self.assertFalse({int(wanted[0]) for _, wanted in learned} & {int(wanted[0]) for _, wanted in checked})


if __name__ == "__main__":
    unittest.main()
