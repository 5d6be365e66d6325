"""From capture to a reader and back: nothing without consent, a pulled sample, and its withdrawal."""

import json
import math
import pathlib
import tempfile
import unittest

from organization import ROOT, Collector, Organization

import app
import sordino

RECORDING = ROOT / "samples" / "audio" / "flute-alone.wav"


class EndToEnd(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.organization = Organization(self.folder)
        self.collector = Collector(self.organization)
        self.addCleanup(self.collector.stop)
        self.engine = sordino.Sordino.open(
            folder=str(self.folder / "state"),
            organization_key=self.organization.key,
            collector_url=self.collector.url,
        )
        self.addCleanup(self.engine.close)
        self.log = app.EventLog()
        self.engine.set_event_listener(self.log)
        self.engine.install_plan(self.organization.plan)
        self.samples, self.rate = app.read_wav(RECORDING)

    def test_samples_reach_readers_only_with_consent(self):
        self.nothing_is_sampled_without_consent()
        self.consent_is_given()
        sample = self.a_marked_moment_is_queued()
        self.it_is_uploaded(sample)
        dataset = self.it_is_pulled(sample)
        self.it_is_what_was_played(sample)
        self.withdrawal_takes_it_back(sample, dataset)

    def nothing_is_sampled_without_consent(self):
        self.assertEqual(self.engine.sampling_blocked(), sordino.WithheldReason.NO_CONSENT)
        recognizer = self.play()
        self.assertIsInstance(recognizer.marked, sordino.SordinoError.Mark)
        self.assertEqual(bytes(recognizer.received), self.samples.tobytes())
        outcome = self.engine.submit(self.samples.tobytes(), self.rate)
        self.assertEqual(outcome.reason, sordino.WithheldReason.NO_CONSENT)
        self.assertEqual(self.engine.samples(), [])
        self.assertIsNone(self.engine.next_upload_task())
        self.assertEqual(list((self.folder / "state" / "outbox").iterdir()), [])
        self.assertEqual(self.log.of(sordino.Event.QUEUED), [])

    def consent_is_given(self):
        plan = self.engine.plan()
        receipt = self.engine.give_consent(
            purposes=plan.purposes,
            age_band=sordino.AgeBand.ADULT,
            notice=app.notice(plan.notice_version),
        )
        agreed = [process["dct:identifier"] for process in json.loads(receipt)["dpv:hasProcess"]]
        self.assertEqual(agreed, ["quality-assurance", "recognition-research"])
        status = self.engine.consent()
        self.assertEqual(status.state, sordino.ConsentState.GRANTED)
        self.assertEqual(status.receipt, receipt)
        self.assertIsNone(self.engine.sampling_blocked())

    def a_marked_moment_is_queued(self):
        recognizer = self.play()
        self.assertEqual(recognizer.marked, sordino.MarkOutcome.SELECTED)
        [queued] = self.log.of(sordino.Event.QUEUED)
        status = self.engine.status()
        self.assertEqual((status.pending, status.sent), (1, 0))
        return queued.sample

    def it_is_uploaded(self, sample):
        outcomes = app.upload(self.engine)
        self.assertTrue(all(finished.is_done() for _, finished in outcomes), outcomes)
        self.assertIn(f"send:{sample}@{self.collector.url}", [task for task, _ in outcomes])
        [entry] = self.engine.samples()
        self.assertEqual((entry.id, entry.state), (sample, sordino.SampleState.SENT))
        self.assertEqual(entry.trigger, sordino.Trigger.MARK)

    def it_is_pulled(self, sample):
        dataset = self.folder / "dataset"
        self.assertEqual(self.collector.pull(dataset)["pulled"], 1)
        manifest = json.loads((dataset / sample / "manifest.json").read_bytes())
        self.assertEqual(manifest["sample"], sample)
        flac = (dataset / sample / "audio.flac").read_bytes()
        # STREAMINFO, RFC 9639 section 8.2: rate, channels, depth and length in 64 bits.
        packed = int.from_bytes(flac[18:26], "big")
        rate, channels = packed >> 44, (packed >> 41 & 7) + 1
        depth, length = (packed >> 36 & 31) + 1, packed & (1 << 36) - 1
        self.assertEqual((flac[:4], rate, channels, depth), (b"fLaC", 16_000, 1, 16))
        self.assertAlmostEqual(length / rate, self.engine.samples()[0].seconds, places=2)
        request = self.engine.accesses_request(sample)
        found = self.engine.read_accesses(request.task, app.send(request))
        self.assertIsNone(found.inconsistency)
        [access] = found.accesses
        self.assertEqual(access.reader, "desk")
        self.assertEqual(self.engine.accesses(sample), found)
        return dataset

    def it_is_what_was_played(self, sample):
        """Checks that the sample has the pitch of each expected note at its time."""
        opened = self.folder / "opened"
        self.collector.open_sample(sample, opened)
        samples, rate = app.read_wav(opened / "audio.wav")
        manifest = json.loads((opened / "manifest.json").read_bytes())
        recognized = manifest["annotation"]["recognised"]
        self.assertGreater(len(recognized), 10)
        for note in recognized:
            start, end = (int(note[name] * rate) for name in ("onset", "offset"))
            sound = samples[start:end]
            level = {shift: pitch_level(sound, note["midi"] + shift, rate) for shift in (-1, 0, 1)}
            self.assertGreater(level[0], 2 * max(level[-1], level[1]), note)

    def withdrawal_takes_it_back(self, sample, dataset):
        withdrawal = self.engine.withdraw()
        self.assertEqual((withdrawal.shredded, withdrawal.deletions_pending), (0, 1))
        self.assertEqual(self.engine.sampling_blocked(), sordino.WithheldReason.NO_CONSENT)
        outcomes = app.upload(self.engine)
        self.assertTrue(all(finished.is_done() for _, finished in outcomes), outcomes)
        self.assertEqual(self.engine.status().deletions_pending, 0)
        self.assertEqual(self.engine.samples()[0].state, sordino.SampleState.DELETED)
        self.assertEqual(list(self.collector.data.rglob(f"{sample}.age")), [])
        pulled = self.collector.pull(dataset)
        self.assertEqual((pulled["removed"], pulled["total"]), (1, 0))
        self.assertFalse((dataset / sample).exists())

    def play(self):
        """Plays the recording and marks a moment such that the clip ends with the recording."""
        plan = self.engine.plan()
        after = plan.clip_seconds - plan.pre_roll_seconds
        at = len(self.samples) - after * self.rate
        truth = json.loads((ROOT / "samples" / "audio" / "truth.json").read_bytes())
        played = [
            sordino.MomentNote(
                midi=midi, onset=onset - at / self.rate, offset=offset - at / self.rate
            )
            for onset, offset, midi in truth[RECORDING.stem]["notes"]
        ]
        moment = sordino.Moment(at=at, recognized=played, tag="python/loop")
        recognizer = app.Recognizer(self.engine, moment)
        app.play(self.engine, self.samples, self.rate, recognizer)
        return recognizer


def pitch_level(sound, midi, rate):
    """The energy at a note's pitch: one bin of the Fourier transform, by Goertzel."""
    turn = 2 * math.pi * 440 * 2 ** ((midi - 69) / 12) / rate
    before, last = 0.0, 0.0
    for sample in sound:
        before, last = last, sample + 2 * math.cos(turn) * last - before
    return math.sqrt(before**2 + last**2 - 2 * math.cos(turn) * before * last) / len(sound)


if __name__ == "__main__":
    unittest.main()
