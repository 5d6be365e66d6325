"""The bundled notices: layers for the app's screens, and a text that another program can reproduce."""

import json
import pathlib
import re
import unittest

import sordino

NOTICES = pathlib.Path(__file__).parents[3] / "src" / "consent" / "notices"
APP, CONTACT, DAYS = "Etude", "privacy@etude.example", 123
PURPOSES = ["quality-assurance", "recognition-research"]
RETENTION = {"recognition-research": 456}


def text(notice, retention):
    """The text, assembled as docs/consent.md defines."""
    sections = ["\n".join([part["heading"], *part["paragraphs"]]) for part in notice["full"]]
    kept = notice["kept"]
    for name in PURPOSES:
        days = retention.get(name)
        said = kept["limited"].replace("{kept}", str(days)) if days else kept["unlimited"]
        notice["purposes"][name] += " " + said
    purposes = [notice["purposes"][name] for name in PURPOSES]
    put_in = {"{app}": APP, "{contact}": CONTACT, "{days}": str(DAYS)}
    lines = "\n\n".join([notice["title"], notice["short"], *sections, *purposes]) + "\n"
    return re.sub(r"\{(app|contact|days)\}", lambda found: put_in[found[0]], lines)


def bundled(language, retention=None):
    terms = sordino.NoticeTerms(version=1, consent_days=DAYS, retention_days=retention or {})
    return sordino.bundled_notice(language, sordino.AppInfo(name=APP, contact=CONTACT), terms)


class Notices(unittest.TestCase):
    def test_the_text_matches_another_implementation(self):
        files = sorted(NOTICES.glob("*.json"))
        self.assertEqual(len(files), 9)
        for file in files:
            language = file.stem
            ours = bundled(language)
            notice = file.read_text(encoding="utf-8")
            self.assertEqual(ours.notice.text, text(json.loads(notice), {}))
            kept = bundled(language, {sordino.Purpose.RECOGNITION_RESEARCH: RETENTION["recognition-research"]})
            self.assertEqual(kept.notice.text, text(json.loads(notice), RETENTION))
            self.assertEqual((ours.language, ours.notice.language), (language, language))

    def test_the_layers_are_parts_of_the_text(self):
        ours = bundled("de-AT")
        self.assertEqual(set(ours.purposes), set(sordino.Purpose))
        layers = [ours.title, ours.short, *ours.purposes.values()]
        layers += [line for part in ours.full for line in (part.heading, *part.paragraphs)]
        self.assertEqual(sorted(layers), sorted(filter(None, ours.notice.text.split("\n"))))

    def test_a_missing_language_falls_back_to_english(self):
        near, far = bundled("pt-BR"), bundled("da")
        self.assertEqual((near.requested_language, near.language, near.fallback), ("pt-BR", "pt", False))
        self.assertEqual((far.requested_language, far.language, far.fallback), ("da", "en", True))

    def test_invalid_names_contacts_and_terms_are_refused(self):
        wrong = [
            ("name is empty", (" ", CONTACT, DAYS)),
            ("contact has 201", (APP, "c" * 201, DAYS)),
            ("control character", (APP, "a\nb", DAYS)),
            ("0 days", (APP, CONTACT, 0)),
        ]
        for says, (app, contact, days) in wrong:
            with self.assertRaisesRegex(sordino.SordinoError.Argument, says):
                terms = sordino.NoticeTerms(version=1, consent_days=days)
                sordino.bundled_notice("en", sordino.AppInfo(name=app, contact=contact), terms)


if __name__ == "__main__":
    unittest.main()
