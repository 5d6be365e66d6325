"""Tests of the clips of real recordings, on a small folder of synthetic ones."""

import collections
import json
import pathlib
import sys
import tempfile
import unittest

import numpy as np
import soundfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import figures
import music
import performance
import real_corpus
import recordings
import scene
from recordings import SOURCE_RATE

TEST_SPLIT = {
    "instruments/tuba/wartuba": ["sus-C2-f", "sus-D2-f", "sus-E2-f", "sus-G2-f"],
    "instruments/double-bass/rubner-bass": ["arco-down-A2-ff", "arco-down-C3-ff", "arco-down-D3-ff", "pizz-A2-fa"],
    "voices/speech/mycroft-1": ["001", "002", "003", "004"],
    "voices/speech/vctk-p1": ["001"],
    "voices/singing/vocadito-1": ["001"],
    "noises/fan": ["001"],
    "noises/door": ["001"],
    "rooms": ["openair-hall", "openair-hall-ch1", "cab-1"],
}
TRAIN_SPLIT = {"instruments/horn/tonejs-vsco2": ["sus-C2"], "voices/speech/someone-1": ["001"]}


def write_recordings(folder: pathlib.Path) -> None:
    """Tones with a decay, of another frequency and four seconds each."""
    time = np.arange(4 * SOURCE_RATE) / SOURCE_RATE
    for number, (place, names) in enumerate((TEST_SPLIT | TRAIN_SPLIT).items()):
        (folder / place).mkdir(parents=True)
        for index, name in enumerate(names):
            sound = 0.5 * np.sin(2 * np.pi * (200 + 90 * number + 17 * index) * time) * np.exp(-time)
            soundfile.write(folder / place / f"{name}.flac", sound, SOURCE_RATE)
    indexes = {"noises": {"fan/001": "berklee", "door/001": "berklee"}, "rooms": dict.fromkeys(TEST_SPLIT["rooms"], "openair-toob")}
    for group, sets in indexes.items():
        rows = [f"{path}.flac\t{name}" for path, name in sets.items()]
        (folder / group / "INDEX.tsv").write_text("\n".join(["path\tset", *rows]) + "\n")


class WithRecordings(unittest.TestCase):
    folder: pathlib.Path
    sources: recordings.Recordings
    temporary: tempfile.TemporaryDirectory

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        write_recordings(cls.folder)
        cls.sources = recordings.read(cls.folder, "test")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()


class Reading(WithRecordings):
    def test_only_recordings_of_the_split_are_read(self):
        self.assertEqual({voice.speaker for voice in self.sources.voices}, {"mycroft-1", "vctk-p1", "vocadito-1"})
        self.assertEqual({instrument.set_name for instrument in self.sources.instruments}, {"wartuba", "rubner-bass"})
        self.assertEqual({voice.speaker for voice in recordings.read(self.folder, "train").voices}, {"someone-1"})

    def test_plucked_strings_are_a_family_of_their_own(self):
        self.assertEqual(self.sources.families(), ["bowed", "brass", "plucked"])

    def test_loudspeakers_are_not_rooms(self):
        self.assertEqual({name: len(files) for name, files in self.sources.rooms.items()}, {"openair-hall": 2})

    def test_pitches_are_read_from_names(self):
        names = {"sus-As3-f": 58, "piano-Db6": 85, "sus-C4": 60, "key-A0-pp": 21, "phrase-01": None, "cajon-01": None}
        self.assertEqual({name: recordings.pitch_of(pathlib.Path(f"{name}.flac")) for name in names}, names)

    def test_a_folder_without_recordings_is_an_error(self):
        with self.assertRaisesRegex(FileNotFoundError, "not a folder of recordings"):
            recordings.read(self.folder / "rooms", "test")


class Clips(WithRecordings):
    def test_three_fifths_of_the_clips_have_a_voice(self):
        clips = real_corpus.plan(self.sources, 300)
        self.assertEqual(len({clip.name for clip in clips}), len(clips))
        self.assertLessEqual({clip.case for clip in clips}, set(figures.CASES))
        spoken = np.mean([clip.case not in ("music", "noise") for clip in clips])
        self.assertTrue(0.5 < spoken < 0.7, spoken)

    def test_cases_without_recordings_are_omitted(self):
        cases = {clip.case for clip in real_corpus.plan(self.sources, 300)}
        self.assertFalse(cases & {"child", "vocal", "vocal-over", "humming"})

    def test_families_have_equal_shares(self):
        rng = np.random.default_rng(0)
        clips = [real_corpus.Clip("", "music", number) for number in range(30)]
        families = [real_corpus.instrument_of(self.sources, clip, 1, rng).family for clip in clips]
        self.assertEqual(set(collections.Counter(families).values()), {10})

    def test_clips_are_the_same_in_any_plan(self):
        clip = real_corpus.Clip("over+0-001", "over+0", 1)
        outs = [self.folder / "one", self.folder / "two"]
        real_corpus.build(outs[0], self.folder, "test", 1, [clip])
        real_corpus.build(outs[1], self.folder, "test", 1, [real_corpus.Clip("music-000", "music", 0), clip])
        for name in ("over+0-001.wav", "over+0-001.json", "clean/over+0-001.wav", "dry/over+0-001.wav"):
            self.assertEqual((outs[0] / name).read_bytes(), (outs[1] / name).read_bytes(), name)

    def test_every_case_has_its_truth(self):
        out = self.folder / "all"
        real_corpus.build(out, self.folder, "test", 1, real_corpus.plan(self.sources, 30))
        for path in out.glob("*.json"):
            truth = json.loads(path.read_text())
            sound, rate = soundfile.read(path.with_suffix(".wav"))
            self.assertEqual((rate, len(sound) / rate), (48_000, truth["seconds"]))
            self.assertTrue(np.isfinite(sound).all() and 0 < np.abs(sound).max() < 1)
            self.assertEqual(bool(truth["speech"]), truth["case"] not in ("music", "noise"), path.name)
            self.assertEqual(bool(truth["music"]), truth["case"] not in ("speech", "singing", "noise"), path.name)
            self.assertEqual(truth["snr_db"] is not None, bool(truth["music"]) and bool(truth["speech"]), path.name)
            self.assertTrue(all(0 <= start < end <= truth["seconds"] for start, end in truth["speech"] + truth["music"]))

    def test_recordings_for_enrollment_are_in_no_clip(self):
        voice = real_corpus.enrolled(self.sources)[0]
        self.assertEqual(voice.speaker, "mycroft-1")
        enrolled, others = (
            real_corpus.files_for(self.sources, voice, real_corpus.Clip("", case, 0)) for case in ("enrolmix", "over+0")
        )
        self.assertTrue(enrolled and others)
        self.assertFalse(set(enrolled) & set(others))


class Scenes(WithRecordings):
    def test_a_room_adds_no_delay(self):
        click = np.zeros(SOURCE_RATE, np.float32)
        click[1_000] = 1.0
        for seed in range(6):
            room = scene.room_of(self.sources, np.random.default_rng(seed))
            self.assertEqual(int(np.argmax(np.abs(room.heard(click, 0.3)))), 1_000)

    def test_distance_adds_reverberation(self):
        click = np.zeros(SOURCE_RATE, np.float32)
        click[0] = 1.0
        room = scene.room_of(self.sources, np.random.default_rng(0))
        end = int(scene.DIRECT_S * SOURCE_RATE)
        near, far = (np.linalg.norm(room.heard(click, distance)[end:]) for distance in (0.5, 5.0))
        self.assertAlmostEqual(far / near, 10, delta=0.1)

    def test_active_spans_join_short_gaps(self):
        sound = np.zeros(3 * SOURCE_RATE, np.float32)
        for start, end in ((0.5, 0.8), (0.9, 1.2), (2.0, 2.5)):
            sound[int(start * SOURCE_RATE) : int(end * SOURCE_RATE)] = 0.1
        self.assertEqual(scene.active_spans(sound), [[0.5, 1.2], [2.0, 2.5]])
        self.assertEqual(scene.active_spans(np.zeros(SOURCE_RATE, np.float32)), [])
        self.assertAlmostEqual(scene.active_level(scene.leveled(sound)), 0.1, places=5)

    def test_notes_are_as_long_as_asked(self):
        tuba = next(instrument for instrument in self.sources.instruments if instrument.name == "tuba")
        played = performance.performed(tuba, 6.0, np.random.default_rng(1))
        self.assertEqual(len(played), 6 * SOURCE_RATE)
        self.assertGreater(sum(end - start for start, end in scene.active_spans(played)), 3)


class ClearMusic(unittest.TestCase):
    def test_speech_is_taken_out_of_the_music(self):
        truth = {"music": [[0.0, 5.0], [6.0, 8.0]], "notes": [], "speech": [[1.0, 2.0], [4.5, 6.5]]}
        self.assertEqual(music.clear_music(truth), [[0.0, 1.0], [2.0, 4.5], [6.5, 8.0]])
        self.assertAlmostEqual(music.judged(truth, [[0.0, 2.0]], [], [])["music_kept"], 1 / 5)

    def test_music_under_speech_all_the_time_counts_as_a_whole(self):
        self.assertEqual(music.clear_music({"music": [[1.0, 2.0]], "notes": [], "speech": [[0.0, 3.0]]}), [[1.0, 2.0]])


if __name__ == "__main__":
    unittest.main()
