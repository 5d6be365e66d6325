"""Tests of the measures on cases with known results."""

import collections
import pathlib
import sys
import unittest
from unittest import mock

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "models" / "voice"))

import acoustics
import bootstrap
import corpus
import figures
import music
import report
import reversal
import sets
import sources
import versions
from attackers import restore, speaker, trace, words

NOTES = [[0.5, 1.0, 60], [1.2, 1.8, 62], [2.5, 3.0, 64], [7.0, 7.6, 65]]
TRUTH = {"case": "over+0", "seconds": 8.0, "notes": NOTES, "speech": [[2.0, 4.0]], "speaker": "a"}
GIVEN = {"words": {"plain": ["uno", "due", "due"]}, "notes": NOTES}


def output(recognized: list[str], samples: int = 128_000, notes=(), spoken: float = 0.0) -> dict:
    ways = {way: recognized for way in restore.SIMPLE}
    return {
        "samples": samples,
        "words": ways,
        "spoken": dict.fromkeys(restore.SIMPLE, spoken),
        "notes": list(notes),
        "speaker": None,
    }


class Rows(unittest.TestCase):
    def test_no_processing_keeps_all_music_and_words(self):
        row = figures.row(TRUTH, GIVEN, output(["due", "uno", "due"], notes=NOTES, spoken=2.0), [[0.0, 8.0]])
        for column in ("words", "voice", "music_kept", "f1_all", "f1_kept", "speech_kept"):
            self.assertAlmostEqual(row[column], 1.0, msg=column)
        self.assertEqual(row["withheld"], 0)

    def test_a_withheld_clip_has_no_music_and_no_words(self):
        row = figures.row(TRUTH, GIVEN, output([], samples=0), [])
        for column in ("words", "voice", "music_kept", "f1_all", "speech_kept"):
            self.assertEqual(row[column], 0.0, column)
        self.assertEqual(row["withheld"], 1)
        self.assertNotIn("f1_kept", row)

    def test_the_best_attacker_counts(self):
        result = output([])
        result["words"] = {"plain": [], "raised": ["uno"], "negative": ["uno", "due"]}
        row = figures.row(TRUTH, GIVEN, result, [[0.0, 8.0]])
        self.assertAlmostEqual(row["words"], 2 / 3)
        self.assertAlmostEqual(row["words simple"], 1 / 3)

    def test_notes_after_a_cut_are_scored_at_their_input_time(self):
        kept = [[0.0, 2.0], [4.0, 8.0]]
        recognized = [NOTES[0], NOTES[1], [5.0, 5.6, 65]]  # the last one moved up by the two seconds cut
        judged = music.judged(TRUTH, kept, NOTES, recognized)
        self.assertEqual(judged["f1_kept"], 1.0)
        self.assertAlmostEqual(judged["f1_all"], 2 * 3 / (3 + 4))
        self.assertEqual(judged["music_kept"], 1.0)


class Words(unittest.TestCase):
    def test_words_are_counted_with_repetition(self):
        self.assertAlmostEqual(words.share_left(["no", "no", "si"], ["no", "no", "no", "la"]), 2 / 3)


class Speakers(unittest.TestCase):
    def test_eer_is_zero_without_errors_and_half_for_guessing(self):
        sure = np.array([[0.9, 1], [0.8, 1], [0.2, 0], [0.1, 0]])
        self.assertEqual(speaker.equal_error_rate(sure), 0.0)
        blind = np.array([[speaker.UNKNOWN, same] for same in (1, 0, 0, 0)])
        self.assertEqual(speaker.equal_error_rate(blind), 0.5)


class Intervals(unittest.TestCase):
    def test_intervals_cover_the_true_value_most_of_the_time(self):
        rng = np.random.default_rng(5)
        drawn = [bootstrap.interval(rng.random(30), rounds=300) for _ in range(200)]
        hit = np.mean([figure.low <= 0.5 <= figure.high for figure in drawn])
        self.assertGreater(hit, 0.88)
        self.assertLess(hit, 0.995)

    def test_no_clips_give_no_figure(self):
        self.assertFalse(bootstrap.interval(np.array([])).known())
        self.assertEqual(report.cell(bootstrap.NONE), "–")

    def test_guessing_has_an_area_of_one_half(self):
        self.assertEqual(trace.area_under_curve(np.ones((9, 2))), 0.5)
        self.assertEqual(trace.area_under_curve(np.array([[1.0, 0.0]] * 5)), 1.0)


class Restoring(unittest.TestCase):
    """An attack that cannot succeed proves nothing: each must undo an erasure of its kind."""

    def test_inverting_the_mask_restores_an_erased_band(self):
        rng = np.random.default_rng(3)
        whole = (0.1 * rng.standard_normal(32_000)).astype(np.float32)
        bins, _ = restore.log_spectrum(whole)
        bins[40:52, 100:112] *= 0.1
        erased = restore.sound_of(bins, len(whole))
        for way in (restore.exaggerated, restore.inpainted):
            again, _ = restore.log_spectrum(way(erased))
            before, after = (np.abs(spectrum[42:50, 103:109]).mean() for spectrum in (bins, again))
            self.assertGreater(after, 3 * before, way.__name__)

    def test_the_negative_has_energy_only_where_erased(self):
        rng = np.random.default_rng(3)
        bins, _ = restore.log_spectrum((0.1 * rng.standard_normal(32_000)).astype(np.float32))
        bins[40:52, 100:112] *= 0.05
        levels, _ = restore.log_spectrum(restore.negative(restore.sound_of(bins, 32_000)))
        inside, outside = np.abs(levels[42:50, 103:109]).mean(), np.abs(levels[100:140, 103:109]).mean()
        self.assertGreater(inside, 1.5 * outside)

    def test_every_restoration_accepts_any_clip(self):
        for sound in (np.zeros(0, np.float32), np.zeros(100, np.float32), np.zeros(16_000, np.float32)):
            for way in restore.SIMPLE + restore.INVERTING:
                restored = restore.restored(sound, way)
                self.assertEqual(len(restored), len(sound), way)
                self.assertTrue(np.isfinite(restored).all(), way)


class Clips(unittest.TestCase):
    def test_all_voices_and_soundfonts_are_of_evaluation_only_packages(self):
        with mock.patch.object(sets.synthetic, "render"):
            packages = sets.packages(pathlib.Path("data"))
        known = sets.PACKAGES | {"data/espeak": "espeak-ng"}
        for voice_set in (sets.HELD_BACK, sets.DEV, sets.LEARNING, packages):
            for path in [*voice_set.voices.values(), voice_set.soundfont]:
                package = next((package for folder, package in known.items() if f"{path}/".startswith(f"{folder}/")), path)
                self.assertIn(package, sources.EVALUATION_ONLY_PACKAGES, voice_set.name)
        self.assertFalse(set(sources.PACKAGES) & set(sources.EVALUATION_ONLY_PACKAGES))

    def test_attackers_learn_from_nothing_that_is_held_back(self):
        self.assertFalse(set(sets.LEARNING.voices) & set(sets.HELD_BACK.voices))
        self.assertFalse(set(sets.LEARNING.programs) & set(sets.HELD_BACK.programs))

    def test_the_plan_has_every_case_and_unique_names(self):
        plan = corpus.plan(["a", "b"])
        recorded_only = {"singing", "singing-over", "humming", "vocal", "vocal-over", "crowd"}
        self.assertEqual({clip.case for clip in plan}, set(figures.CASES) - recorded_only)
        self.assertEqual(len({clip.name for clip in plan}), len(plan))

    def test_voices_take_cases_in_turn(self):
        voices = list("abcdefghijkl")
        clips = [clip for clip in corpus.plan(voices, clips_per_voice=3) if clip.voice and clip.case != "enrolmix"]
        self.assertEqual(collections.Counter(clip.voice for clip in clips), dict.fromkeys(voices, 3))
        self.assertEqual({clip.case for clip in clips}, {clip.case for clip in corpus.plan(["a"]) if clip.voice} - {"enrolmix"})

    def test_a_cut_is_padded(self):
        class Middle:
            frame = 512

            def reset(self):
                self.count = 0

            def is_voice(self, frame):
                self.count += 1
                return self.count == 40

        keep = versions.without_voice(np.zeros(64_000, np.float32), Middle())
        gone = np.flatnonzero(~keep)
        self.assertEqual((gone[0], gone[-1]), (39 * 512 - versions.CUT_PADDING, 40 * 512 + versions.CUT_PADDING - 1))


class Reversal(unittest.TestCase):
    def test_only_the_voice_of_speech_spans_is_reversed(self):
        time = np.arange(5 * 16_000) / 16_000
        rest = 0.2 * np.sin(2 * np.pi * 220 * time)
        voice = 0.1 * np.sin(2 * np.pi * (300 + 40 * time) * time)
        is_speech = (time > 1) & (time < 2.5)
        out = reversal.reversed_voice(rest + voice, voice, is_speech) - rest
        np.testing.assert_allclose(out[~is_speech], voice[~is_speech], atol=1e-6)
        span = np.flatnonzero(is_speech)
        middle = slice(4_000, len(span) - 4_000)
        np.testing.assert_allclose(out[span][middle], voice[span][::-1][middle], atol=1e-6)

    def test_long_speech_is_reversed_in_segments(self):
        voice = np.arange(3 * reversal.SEGMENT, dtype=float)
        made = reversal.in_segments(voice)
        self.assertEqual(len(made), len(voice))
        self.assertAlmostEqual(made[reversal.SEGMENT // 2], reversal.SEGMENT // 2 - 1)
        self.assertLess(np.abs(made - voice).max(), reversal.SEGMENT)


class Raising(unittest.TestCase):
    def test_agc_amplifies_only_quiet_parts(self):
        time = np.arange(32_000) / 16_000
        sound = (np.sin(2 * np.pi * 440 * time) * np.where(time < 1, 0.3, 0.003)).astype(np.float32)
        raised = acoustics.raised(sound)
        self.assertAlmostEqual(acoustics.loudness(raised[20_000:30_000]), acoustics.LEVEL, delta=0.01)
        np.testing.assert_allclose(raised[:12_000], sound[:12_000], atol=1e-6)


class Tables(unittest.TestCase):
    def test_only_missed_targets_are_bold(self):
        target = report.Target("words", max=0.01)
        self.assertTrue(target.missed(0.011))
        self.assertFalse(target.missed(0.01))
        self.assertEqual(report.cell(bootstrap.Figure(0.011, 0.0, 0.02, 5), bold=True), "**.011** <sub>0–.020</sub>")

    def test_overall_figures_need_all_attackers(self):
        recognized = {"words": 0.5, "words simple": 0.5, "words plain": 0.5, "voice": 0.0, "withheld": 0.0}
        attacked = recognized | {"words rnnoise": 0.25}
        speakers = dict.fromkeys(("uninformed", "informed"), bootstrap.NONE)
        rows = {"sordino": {"speech": [attacked]}, "identity": {"speech": [recognized]}}
        result = report.Result("dev", rows, dict.fromkeys(rows, speakers), {})
        line = next(line for line in report.bar(result, True).splitlines() if "all cases, all attackers" in line)
        self.assertEqual([part.strip() for part in line.split("|")[3:5]], ["**.500**", "–"])


if __name__ == "__main__":
    unittest.main()
