"""recordings.tsv, CREDITS.md, README.md and splits.toml agree, and the network learns from permissive licenses only."""

import pathlib
import sys
import tempfile
import unittest

VOICE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(VOICE))

import manifest  # noqa: E402
import sources  # noqa: E402
import splits  # noqa: E402

# Any use, with at most credit and notices. Neither share-alike nor non-commercial nor copyleft.
PERMISSIVE = {
    manifest.PUBLIC_DOMAIN, "CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "MIT", "MIT-Festival", "Apache-2.0", "BSD-3-Clause", "Unlicense",
    "LicenseRef-Iowa-MIS",
}  # fmt: skip
ROWS = manifest.read_rows(manifest.MANIFEST)
RECORDINGS = [row for row in ROWS if not manifest.is_package(row)]
FLAC_HEAD = b"fLaC" + bytes(14) + (16_000 << 44 | 15 << 36 | 16_000).to_bytes(8, "big")


class Manifest(unittest.TestCase):
    def test_all_recordings_have_permissive_licenses(self):
        for row in ROWS:
            self.assertLessEqual(set(manifest.license_parts(row["license"])), PERMISSIVE, row)

    def test_rows_are_split_by_splits_toml(self):
        for row in RECORDINGS:
            self.assertEqual(row["split"], splits.of(row["group"].split("/")[0], row["set"]), row)

    def test_excluded_files_are_listed_and_not_learned_from(self):
        for group in manifest.GROUPS:
            for path in splits.RULES[group].get("excluded", ()):
                self.assertTrue(splits.is_excluded(group, path), path)
                parent, _, file = f"{group}/{path}".rpartition("/")
                stems = {stem for row in RECORDINGS if row["group"] == parent for stem in manifest.stems_of(row)}
                self.assertIn(file.removesuffix(".flac"), stems, path)
        self.assertFalse(splits.is_excluded("noises", "bird/013.flac"))
        self.assertFalse(splits.is_excluded("rooms", "bird/011.flac"))

    def test_a_voice_is_in_one_split_only(self):
        found: dict[str, set[str]] = {}
        for row in RECORDINGS:
            if row["group"].startswith("voices/"):
                found.setdefault(row["set"], set()).add(row["split"])
        self.assertEqual([], [name for name, in_splits in found.items() if len(in_splits) > 1])

    def test_each_row_can_be_checked_and_credited(self):
        for row in ROWS:
            self.assertRegex(row["hash"], r"^[0-9a-f]{64}$", row)
            for column in ("source", "paths", "stated", "title", "author"):
                self.assertTrue(row[column], row)
        self.assertEqual(len(ROWS), len({(row["group"], row["set"]) for row in ROWS}))

    def test_attributions_name_sets_of_the_manifest(self):
        known = {(row["group"].split("/")[0], row["set"]) for row in RECORDINGS}
        for row in manifest.read_rows(manifest.ATTRIBUTIONS):
            self.assertIn((row["group"], row["set"]), known)
            self.assertIn(row["license"], manifest.DEEDS)
            self.assertTrue(row["author"], row)

    def test_no_package_is_for_evaluation_only(self):
        packages = {row["source"].removeprefix("Debian ") for row in ROWS if manifest.is_package(row)}
        self.assertEqual(set(), packages & set(sources.EVALUATION_ONLY_PACKAGES))

    def test_credits_are_those_of_the_manifest(self):
        page = manifest.credits_page(ROWS, manifest.read_rows(manifest.ATTRIBUTIONS))
        self.assertTrue(page == manifest.CREDITS.read_text(encoding="utf-8"), "run manifest.py --credits")

    def test_the_model_card_has_the_summary(self):
        card = (VOICE / "README.md").read_text(encoding="utf-8")
        self.assertTrue(manifest.summary(ROWS) in card, "replace the table in README.md by that of manifest.py --summary")


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.rows = [self.row("voices/speech", "a-1", ["a-1/001", "a-1/002"]), self.row("noises/bird", "b", ["003", "004"])]

    def row(self, group: str, name: str, stems: list[str]) -> manifest.Row:
        files = [f"{group}/{stem}.flac" for stem in stems]
        for file in files:
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / file).write_bytes(FLAC_HEAD + file.encode())
        return manifest.measured(self.folder, group, files) | {"group": group, "set": name}

    def faults(self) -> list[str]:
        return manifest.check(self.folder, self.rows)

    def test_the_same_folder_has_no_faults(self):
        self.assertEqual(["a-1/*.flac", "003..004"], [row["names"] for row in self.rows])
        self.assertEqual(["0.03", "0.03"], [row["minutes"] for row in self.rows])
        self.assertEqual([], self.faults())

    def test_a_missing_file_is_reported(self):
        (self.folder / "noises/bird/004.flac").unlink()
        self.assertEqual(["noises/bird, set b: 1 of 2 files are missing (004)"], self.faults())

    def test_changed_content_is_reported(self):
        (self.folder / "voices/speech/a-1/002.flac").write_bytes(FLAC_HEAD)
        self.assertEqual(["voices/speech, set a-1: the 2 files have other content, of the same length"], self.faults())

    def test_unlisted_files_are_reported(self):
        self.row("voices/speech", "c-1", ["c-1/001"])
        self.assertEqual(["voices/speech/c-1/001.flac: not in recordings.tsv"], self.faults())


class Sources(unittest.TestCase):
    def sources(self, table: str) -> dict[str, manifest.Row]:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "SOURCES.md"
            file.write_text(f"# Sources\n\n| kind | ids |\n|---|---|\n| speech | 3 |\n\n{table}", encoding="utf-8")
            return manifest.sources(file)

    def test_both_forms_of_the_table_are_read(self):
        by_repository = self.sources(
            "| id | repository | commit | path pattern | licence | where stated | note |\n|---|---|---|---|---|---|---|\n"  # words: ignore
            "| speech/a-1 | a/b | 0123abc | `x/*.wav` | CC BY 4.0 (C) | README.md:1 | a \\| b |\n"
        )
        by_place = self.sources(
            "| set-id | repository or package @commit/version | path pattern | licence (credit) | where it is stated |\n"  # words: ignore
            "|---|---|---|---|---|\n| a-1 | github a/b @0123abc | x/*.wav | CC BY 4.0 (C) | README.md:1 |\n"
        )
        self.assertEqual(by_repository["speech/a-1"], by_place["a-1"])
        self.assertEqual("github a/b", by_place["a-1"]["source"])

    def test_a_row_with_a_missing_cell_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "a-1 has 2 cells instead of 3"):
            self.sources("| set-id | licence | where stated |\n|---|---|---|\n| a-1 | CC0 |\n")  # words: ignore

    def test_an_unknown_license_is_refused(self):
        self.assertEqual("CC-BY-3.0", manifest.license_id("CC BY 3.0 (MinJi Kim)", "a-1"))
        for text in ("CC BY-SA 3.0", "CC BY-NC 4.0", "GPL-3.0"):
            with self.assertRaisesRegex(SystemExit, "the license of a-1 is not known"):
                manifest.license_id(text, "a-1")


if __name__ == "__main__":
    unittest.main()
