"""The person's control of their data: review, export, deletion, reset."""

import array
import hashlib
import io
import json
import pathlib
import tempfile
import unittest
import zipfile

from organization import ROOT, Collector, Organization, run

import app
import sordino

SAMPLES, RATE = app.read_wav(ROOT / "samples" / "audio" / "flute-alone.wav")
QUALITY = [sordino.Purpose.QUALITY_ASSURANCE]
CHILD, ADULT = sordino.AgeBand.CHILD, sordino.AgeBand.ADULT
NO_CONSENT = sordino.WithheldReason.NO_CONSENT


class ConsentTest(unittest.TestCase):
    review = False

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.state = self.folder / "state"
        self.organization = Organization(self.folder, self.review)
        self.collector = Collector(self.organization)
        self.addCleanup(self.collector.stop)
        self.engine = self.open()
        self.engine.install_plan(self.organization.plan)

    def open(self, **options):
        engine = sordino.Sordino.open(
            str(self.state), self.organization.key, self.collector.url, **options
        )
        self.addCleanup(engine.close)
        return engine

    def give_consent(self, age_band=ADULT, **options):
        return self.engine.give_consent(QUALITY, age_band, app.notice(1), **options)

    def submit(self):
        return self.engine.submit(SAMPLES.tobytes(), RATE)

    def queue(self):
        return self.submit().sample

    def upload(self):
        outcomes = app.upload(self.engine)
        self.assertTrue(all(finished.is_done() for _, finished in outcomes), outcomes)

    def at_the_collector(self):
        return {path.stem for path in self.collector.data.rglob("*.age")}


class Deletion(ConsentTest):
    def test_delete_all_deletes_here_and_then_at_the_collector(self):
        self.give_consent()
        sent = self.queue()
        self.upload()
        self.queue()
        self.assertEqual(self.at_the_collector(), {sent})
        self.engine.delete_all()
        states = [sample.state for sample in self.engine.samples()]
        self.assertEqual(states, [sordino.SampleState.DELETION_ASKED, sordino.SampleState.DELETED])
        self.assertEqual(self.engine.status().deletions_pending, 1)
        self.upload()
        self.assertEqual(self.at_the_collector(), set())
        self.assertEqual(self.engine.status().deletions_pending, 0)
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.GRANTED)
        self.assertTrue(self.submit().is_queued())


class Export(ConsentTest):
    def test_the_export_has_receipts_that_verify(self):
        receipt = self.give_consent()
        sample = self.queue()
        with zipfile.ZipFile(io.BytesIO(self.engine.export_my_data())) as archive:
            self.assertIsNone(archive.testzip())
            archive.extractall(self.folder / "export")
        export = self.folder / "export"
        [listed] = json.loads((export / "samples.json").read_bytes())
        self.assertEqual((listed["id"], listed["state"]), (sample, "pending"))
        file = export / "consent" / f"{listed['consent']}.json"
        self.assertEqual(json.loads(file.read_bytes()), json.loads(receipt))
        [notice] = (export / "notices").iterdir()
        text = notice.read_bytes()
        self.assertEqual(text.decode(), app.notice(1).text)
        self.assertEqual(notice.stem, hashlib.sha256(text).hexdigest())
        result = run("sordino", "consent", "verify", file, "--notice", notice)
        self.assertTrue(result["notice_matches"])


class ComingOfAge(ConsentTest):
    def test_a_child_who_comes_of_age_is_asked_again(self):
        self.give_consent(CHILD, guardian=sordino.GuardianMethod.TEXT_PLUS)
        self.assertIsNone(self.engine.sampling_blocked())
        self.assertFalse(self.engine.consent().came_of_age)
        self.engine.come_of_age()
        status = self.engine.consent()
        self.assertEqual(status.state, sordino.ConsentState.OUTDATED)
        self.assertTrue(status.came_of_age)
        self.assertEqual(self.submit().reason, NO_CONSENT)
        self.give_consent()
        self.assertTrue(self.submit().is_queued())
        with app.raises(self, sordino.SordinoError.Consent, "invalid-transition"):
            self.engine.come_of_age()

    def test_only_the_hash_of_a_guardians_evidence_is_stored(self):
        evidence = b"number 4711 of the payment, 2 November"
        for short in (b"", b"fifteen bytes..", b"1234"):
            with app.raises(self, sordino.SordinoError.Consent, "evidence-too-short"):
                self.give_consent(
                    CHILD,
                    guardian=sordino.GuardianMethod.PAYMENT_CARD,
                    guardian_evidence=short,
                )
        self.assertEqual(self.engine.sampling_blocked(), NO_CONSENT)
        receipt = self.give_consent(
            CHILD,
            guardian=sordino.GuardianMethod.PAYMENT_CARD,
            guardian_evidence=evidence,
        )
        self.assertIsNone(self.engine.sampling_blocked())
        # The hash as docs/consent.md defines it.
        record = bytes.fromhex(json.loads(receipt)["dct:identifier"])
        self.assertIn(hashlib.sha256(record + evidence).hexdigest(), receipt)
        self.assertNotIn("4711", receipt)


class Reset(ConsentTest):
    def test_uploaded_samples_are_deleted_after_a_reset(self):
        self.give_consent()
        sample = self.queue()
        self.upload()
        with app.raises(self, sordino.SordinoError.State, "in-use"):
            sordino.reset(str(self.state))
        self.engine.close()
        self.assertTrue(sordino.reset(str(self.state)))
        self.engine = self.open()
        self.assertEqual(self.engine.plan().version, 1)
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.UNANSWERED)
        self.assertEqual(self.engine.samples(), [])
        self.assertEqual(self.at_the_collector(), {sample})
        self.upload()
        self.assertEqual(self.at_the_collector(), set())

    def test_a_corrupt_state_is_a_different_error_and_can_be_reset(self):
        self.give_consent()
        self.queue()
        self.upload()
        with self.assertRaises(sordino.SordinoError.State):
            self.open()
        self.engine.close()
        (self.state / "state.redb").write_bytes(b"garbage" * 1000)
        with app.raises(self, sordino.SordinoError.Damaged, "damaged"):
            self.open()
        self.assertFalse(sordino.reset(str(self.state)))
        self.engine = self.open()
        self.assertIsNone(self.engine.plan())
        self.upload()
        self.assertEqual(self.at_the_collector(), set())

    def test_reset_leaves_other_folders_unchanged(self):
        with app.raises(self, sordino.SordinoError.NoState, "no-state"):
            sordino.reset(str(self.folder / "nowhere"))
        self.assertFalse((self.folder / "nowhere").exists())


class Review(ConsentTest):
    review = True

    def setUp(self):
        super().setUp()
        self.log = app.EventLog()
        self.engine.set_event_listener(self.log)
        self.give_consent()

    def test_the_accepted_preview_is_what_is_sent(self):
        self.assertTrue(self.engine.plan().review_required)
        outcome = self.submit()
        self.assertTrue(outcome.is_awaits_review(), outcome)
        [event] = self.log.of(sordino.Event.AWAITS_REVIEW)
        [preview] = self.engine.previews()
        self.assertEqual({preview.id, event.preview}, {outcome.preview})
        self.assertEqual((preview.trigger, preview.purposes), (sordino.Trigger.MARK, QUALITY))
        self.assertEqual((self.engine.samples(), self.at_the_collector()), ([], set()))
        received = self.engine.preview(preview.id)
        self.assertAlmostEqual(len(received.samples) / 2 / received.rate, preview.seconds, places=2)

        accepted = self.engine.accept_preview(preview.id)
        self.assertTrue(accepted.is_queued(), accepted)
        self.assertEqual(self.engine.previews(), [])
        self.upload()
        self.collector.open_sample(accepted.sample, self.folder / "opened")
        sent, rate = app.read_wav(self.folder / "opened" / "audio.wav")
        integers = array.array("h", received.samples)
        self.assertEqual(rate, received.rate)
        self.assertEqual(sent, array.array("f", (sample / 32768 for sample in integers)))

    def test_discarding_and_withdrawing_delete_a_preview(self):
        refused = self.submit().preview
        self.engine.discard_preview(refused)
        waiting = self.submit().preview
        self.engine.withdraw()
        self.assertEqual((self.engine.previews(), self.engine.samples()), ([], []))
        for gone in (refused, waiting):
            for call in ("preview", "accept_preview", "discard_preview"):
                with self.assertRaisesRegex(sordino.SordinoError.Argument, gone):
                    getattr(self.engine, call)(gone)


class ReviewByTheApp(ConsentTest):
    def test_the_app_can_require_review(self):
        self.give_consent()
        self.assertFalse(self.engine.plan().review_required)
        self.assertTrue(self.submit().is_queued())
        self.engine.close()
        self.engine = self.open(review_required=True)
        self.assertTrue(self.submit().is_awaits_review())


if __name__ == "__main__":
    unittest.main()
