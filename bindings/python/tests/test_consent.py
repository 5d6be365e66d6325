"""What a person can do with what is held of them: hear it first, see it, have it deleted, be forgotten."""

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


class Held(unittest.TestCase):
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
        self.addCleanup(engine.shut_down)
        return engine

    def say_yes(self, age_band=ADULT, **options):
        return self.engine.give_consent(QUALITY, age_band, app.notice(1), **options)

    def offer(self):
        return self.engine.offer(SAMPLES.tobytes(), RATE)

    def queue(self):
        return self.offer().sample

    def upload(self):
        outcomes = app.upload(self.engine)
        self.assertTrue(all(finished.is_done() for _, finished in outcomes), outcomes)

    def at_the_collector(self):
        return {path.stem for path in self.collector.data.rglob("*.age")}


class Deletion(Held):
    def test_all_samples_are_deleted_here_at_once_and_there_with_the_next_upload(self):
        self.say_yes()
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
        self.assertTrue(self.offer().is_queued())


class Export(Held):
    def test_the_archive_opens_and_its_receipts_verify_against_the_texts_in_it(self):
        receipt = self.say_yes()
        sample = self.queue()
        with zipfile.ZipFile(io.BytesIO(self.engine.export_my_data())) as archive:
            self.assertIsNone(archive.testzip())
            archive.extractall(self.folder / "mine")
        mine = self.folder / "mine"
        [listed] = json.loads((mine / "samples.json").read_bytes())
        self.assertEqual((listed["id"], listed["state"]), (sample, "pending"))
        file = mine / "consent" / f"{listed['consent']}.json"
        self.assertEqual(json.loads(file.read_bytes()), json.loads(receipt))
        [notice] = (mine / "notices").iterdir()
        text = notice.read_bytes()
        self.assertEqual(text.decode(), app.notice(1).text)
        self.assertEqual(notice.stem, hashlib.sha256(text).hexdigest())
        told = run("sordino", "consent", "verify", file, "--notice", notice)
        self.assertTrue(told["notice_matches"])


class ComingOfAge(Held):
    def test_a_child_that_came_of_age_is_asked_anew_as_an_adult(self):
        self.say_yes(CHILD, guardian=sordino.GuardianMethod.TEXT_PLUS)
        self.assertIsNone(self.engine.may_sample())
        self.assertFalse(self.engine.consent().came_of_age)
        self.engine.come_of_age()
        status = self.engine.consent()
        self.assertEqual(status.state, sordino.ConsentState.OUTDATED)
        self.assertTrue(status.came_of_age)
        self.assertEqual(self.offer().reason, NO_CONSENT)
        self.say_yes()
        self.assertTrue(self.offer().is_queued())
        with self.assertRaisesRegex(sordino.SordinoError.Consent, "an adult said it"):
            self.engine.come_of_age()

    def test_a_guardians_evidence_is_kept_as_its_hash_and_is_not_to_be_guessed(self):
        evidence = b"number 4711 of the payment, 2 November"
        for short in (b"", b"fifteen bytes..", b"1234"):
            with self.assertRaisesRegex(sordino.SordinoError.Consent, "at least 16"):
                self.say_yes(
                    CHILD,
                    guardian=sordino.GuardianMethod.PAYMENT_CARD,
                    guardian_evidence=short,
                )
        self.assertEqual(self.engine.may_sample(), NO_CONSENT)
        receipt = self.say_yes(
            CHILD,
            guardian=sordino.GuardianMethod.PAYMENT_CARD,
            guardian_evidence=evidence,
        )
        self.assertIsNone(self.engine.may_sample())
        # As docs/consent.md says that it is hashed.
        record = bytes.fromhex(json.loads(receipt)["dct:identifier"])
        self.assertIn(hashlib.sha256(record + evidence).hexdigest(), receipt)
        self.assertNotIn("4711", receipt)


class Reset(Held):
    def test_a_device_that_forgot_the_person_still_asks_back_what_it_sent(self):
        self.say_yes()
        sample = self.queue()
        self.upload()
        with self.assertRaisesRegex(sordino.SordinoError.State, "in use"):
            sordino.reset(str(self.state))
        self.engine.shut_down()
        self.assertTrue(sordino.reset(str(self.state)))
        self.engine = self.open()
        self.assertEqual(self.engine.plan().version, 1)
        self.assertEqual(self.engine.consent().state, sordino.ConsentState.UNANSWERED)
        self.assertEqual(self.engine.samples(), [])
        self.assertEqual(self.at_the_collector(), {sample})
        self.upload()
        self.assertEqual(self.at_the_collector(), set())

    def test_a_damaged_state_is_told_from_one_in_use_and_can_be_reset(self):
        self.say_yes()
        self.queue()
        self.upload()
        with self.assertRaises(sordino.SordinoError.State):
            self.open()
        self.engine.shut_down()
        (self.state / "state.redb").write_bytes(b"rubbish" * 1000)
        with self.assertRaisesRegex(sordino.SordinoError.Damaged, "reset"):
            self.open()
        self.assertFalse(sordino.reset(str(self.state)))
        self.engine = self.open()
        self.assertIsNone(self.engine.plan())
        self.upload()
        self.assertEqual(self.at_the_collector(), set())

    def test_a_folder_that_no_engine_ever_had_is_left_as_it_is(self):
        with self.assertRaisesRegex(sordino.SordinoError.Argument, "no device in"):
            sordino.reset(str(self.folder / "nowhere"))
        self.assertFalse((self.folder / "nowhere").exists())


class Review(Held):
    review = True

    def setUp(self):
        super().setUp()
        self.diary = app.Diary()
        self.engine.set_event_listener(self.diary)
        self.say_yes()

    def test_what_is_heard_is_what_is_sent_after_a_yes(self):
        self.assertTrue(self.engine.plan().review_required)
        offer = self.offer()
        self.assertTrue(offer.is_awaits_review(), offer)
        [event] = self.diary.of(sordino.Event.AWAITS_REVIEW)
        [preview] = self.engine.previews()
        self.assertEqual({preview.id, event.preview}, {offer.preview})
        self.assertEqual((preview.trigger, preview.purposes), (sordino.Trigger.MARK, QUALITY))
        self.assertEqual((self.engine.samples(), self.at_the_collector()), ([], set()))
        heard = self.engine.preview(preview.id)
        self.assertAlmostEqual(len(heard.samples) / 2 / heard.rate, preview.seconds, places=2)

        accepted = self.engine.accept_preview(preview.id)
        self.assertTrue(accepted.is_queued(), accepted)
        self.assertEqual(self.engine.previews(), [])
        self.upload()
        self.collector.open_sample(accepted.sample, self.folder / "opened")
        sent, rate = app.read_wav(self.folder / "opened" / "audio.wav")
        integers = array.array("h", heard.samples)
        self.assertEqual(rate, heard.rate)
        self.assertEqual(sent, array.array("f", (sample / 32768 for sample in integers)))

    def test_a_no_wipes_it_and_so_does_a_withdrawal(self):
        refused = self.offer().preview
        self.engine.discard_preview(refused)
        waiting = self.offer().preview
        self.engine.withdraw()
        self.assertEqual((self.engine.previews(), self.engine.samples()), ([], []))
        for gone in (refused, waiting):
            for call in ("preview", "accept_preview", "discard_preview"):
                with self.assertRaisesRegex(sordino.SordinoError.Argument, gone):
                    getattr(self.engine, call)(gone)


class ReviewByTheApp(Held):
    def test_the_app_asks_for_it_where_the_plan_does_not(self):
        self.say_yes()
        self.assertFalse(self.engine.plan().review_required)
        self.assertTrue(self.offer().is_queued())
        self.engine.shut_down()
        self.engine = self.open(review_required=True)
        self.assertTrue(self.offer().is_awaits_review())


if __name__ == "__main__":
    unittest.main()
