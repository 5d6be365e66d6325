"""Tests of the link checker. cargo xtask docs runs them before the check."""

import tempfile
import unittest
from pathlib import Path

from check import Site


class ASite(unittest.TestCase):
    def faults(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                name, _, ending = name.rpartition("_")
                (Path(folder) / f"{name}.{ending}").write_text(text)
            return Site(Path(folder)).check()

    def test_links_with_targets_are_accepted(self):
        self.assertEqual([], self.faults(
            a_html='<a href="b.html#there">b</a> <a href="#here" id="here">a</a> <a href="https://x.example">x</a>',
            b_html='<p id="there">'))

    def test_missing_pages_and_anchors_are_reported_with_the_page(self):
        self.assertEqual(["a.html: b.html#gone: no such anchor on the page", "a.html: c.html does not exist"],
                         self.faults(a_html='<a href="b.html#gone">b</a> <a href="c.html">c</a>', b_html="<p>"))

    def test_links_out_of_the_site_are_rejected(self):
        self.assertEqual(["a.html: ../../etc/hosts does not exist"], self.faults(a_html='<a href="../../etc/hosts">'))

    def test_resources_from_third_parties_are_rejected(self):
        for page in (
            '<script src="https://x.example/y.js"></script>',
            '<img src="//x.example/y.png">',
            '<iframe src="http://x.example"></iframe>',
            '<link rel="stylesheet" href="https://x.example/y.css">',
            '<style>@import "https://x.example/y.css";</style>',
            '<p style="background:url(https://x.example/y)">',
        ):
            with self.subTest(page):
                self.assertRegex("".join(self.faults(a_html=page)), r"^a.html: loads .*x.example.* from a third party$")
        self.assertEqual(["a.css: loads https://x.example/font from a third party"],
                         self.faults(a_css="@font-face { src: url('https://x.example/font') }"))


if __name__ == "__main__":
    unittest.main()
