"""The checker finds what it is there for. Run by tools/docs before it relies on it."""

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

    def test_links_that_lead_somewhere_are_no_fault(self):
        self.assertEqual([], self.faults(
            a_html='<a href="b.html#there">b</a> <a href="#here" id="here">a</a> <a href="https://x.example">x</a>',
            b_html='<p id="there">'))

    def test_a_page_or_a_place_that_is_not_there_is_named_with_the_page_that_leads_to_it(self):
        self.assertEqual(["a.html: b.html#gone: there is no such place on the page", "a.html: c.html leads nowhere"],
                         self.faults(a_html='<a href="b.html#gone">b</a> <a href="c.html">c</a>', b_html="<p>"))

    def test_a_link_out_of_the_site_s_folder_leads_nowhere(self):
        self.assertEqual(["a.html: ../../etc/hosts leads nowhere"], self.faults(a_html='<a href="../../etc/hosts">'))

    def test_whatever_a_browser_would_fetch_from_elsewhere_is_a_fault(self):
        for page in (
            '<script src="https://x.example/y.js"></script>',
            '<img src="//x.example/y.png">',
            '<iframe src="http://x.example"></iframe>',
            '<link rel="stylesheet" href="https://x.example/y.css">',
            '<style>@import "https://x.example/y.css";</style>',
            '<p style="background:url(https://x.example/y)">',
        ):
            with self.subTest(page):
                self.assertRegex("".join(self.faults(a_html=page)), r"^a.html: fetches .*x.example.* from elsewhere$")
        self.assertEqual(["a.css: fetches https://x.example/font from elsewhere"],
                         self.faults(a_css="@font-face { src: url('https://x.example/font') }"))


if __name__ == "__main__":
    unittest.main()
