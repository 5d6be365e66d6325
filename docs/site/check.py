"""usage: check.py SITE — checks that each link within the site has a target and that no page loads anything from a third party.

Prints each fault as `page: message`. The exit status is 1 if there are faults.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Resources that a browser loads without a click.
FETCHED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("audio", "src"), ("video", "src"),
           ("source", "src"), ("embed", "src"), ("object", "data"), ("image", "href"), ("use", "href")}
FETCHED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "manifest",
                 "modulepreload", "shortcut"}
# Rustdoc: documentation copied from tracing with links to tracing's pages, and optional lists of implementers.
# Dokka: links to type parameters of inherited functions that have no page.
IGNORED = re.compile(r"dispatcher#setting-the-default-subscriber$|(\.\./)+trait\.impl/|index\.html#-?\d+%2F")
IN_STYLES = re.compile(r"@import\s+['\"]([^'\"]+)|url\(\s*['\"]?([^'\")]+)")


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.fetched, self.in_style = set(), set(), set(), False
        self.base = None
        self.feed(text)

    def handle_starttag(self, tag, pairs):
        attributes = {name: value or "" for name, value in pairs}
        self.ids |= {attributes[name] for name in ("id", "name") if name in attributes}
        self.in_style = tag == "style"
        if tag == "base":
            self.base = attributes.get("href")
        if tag == "a" and "href" in attributes:
            self.links.add(attributes["href"])
        if tag == "link" and FETCHED_LINKS & set(attributes.get("rel", "").split()):
            self.fetched.add(attributes.get("href", ""))
        self.fetched |= {attributes[name] for name in attributes if (tag, name) in FETCHED}
        self.fetched |= fetched_by_style(attributes.get("style", ""))

    def handle_data(self, data):
        if self.in_style:
            self.fetched |= fetched_by_style(data)

    def handle_endtag(self, tag):
        self.in_style = False


def fetched_by_style(style):
    return {first or second for first, second in IN_STYLES.findall(style)} - {""}


class Site:
    def __init__(self, root):
        self.root, self.faults = root.resolve(), []
        files = sorted(self.root.rglob("*.html"))
        self.pages = {file: Page(file.read_text(errors="replace")) for file in files}

    def fault(self, file, what):
        self.faults.append(f"{file.relative_to(self.root)}: {what}")

    def target(self, file, path):
        """The file that a path on the page refers to."""
        path = unquote(path)
        found = (self.root / path.lstrip("/")) if path.startswith("/") else (file.parent / path)
        found = found.resolve()
        return found / "index.html" if found.is_dir() else found

    def check(self):
        for file, page in self.pages.items():
            for link in sorted(page.links | page.fetched):
                if not IGNORED.match(link):
                    self.check_link(file, page, link)
        for file in sorted(self.root.rglob("*.css")):
            for link in sorted(fetched_by_style(file.read_text(errors="replace"))):
                self.check_link(file, None, link)
        return self.faults

    def check_link(self, file, page, link):
        parts = urlsplit(link)
        is_fetched = page is None or link in page.fetched
        if parts.scheme in ("data", "javascript", "mailto", "about", "blob"):
            return
        if parts.scheme or parts.netloc:
            if is_fetched:
                self.fault(file, f"loads {link} from a third party")
            return
        target = self.target(file, parts.path) if parts.path else file
        if not target.is_relative_to(self.root) or not target.exists():
            self.fault(file, f"{link} does not exist")
        elif parts.fragment and not is_fetched and not self.has(target, parts.fragment):
            self.fault(file, f"{link}: no such anchor on the page")

    def has(self, target, fragment):
        # Rustdoc's source pages create the anchors of lines with a script.
        created_by_script = "/api/" in target.as_posix() and "/src/" in target.as_posix()
        page = self.pages.get(target)
        return page is None or created_by_script or bool(page.ids & {fragment, unquote(fragment)})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    site = Site(Path(sys.argv[1]))
    faults = site.check()
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"{len(site.pages)} pages, {sum(len(page.links) for page in site.pages.values())} links, "
          f"{len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
