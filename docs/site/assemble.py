"""usage: assemble.py SOURCE API…

Assembles the pages of the site in the folder SOURCE, for Sphinx: the repository's Markdown at its paths, so that links
between pages stay valid. Sections of README.md become pages. A link to a file that is not a page points to a page that
shows the file. API is `NAME=FRONT-PAGE,…` for each API reference that was built, with its pages below api/NAME, or
`NAME:missing tool`.

Broken links are printed, and the exit status is 1.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

PAGES = [
    "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "RELEASING.md", "SECURITY.md", "docs/*.md", "docs/papers/*.md",
    "docs/quickstart/*.md", "bindings/*/README.md", "samples/*/README.md", "samples/*/*.md", "models/*/README.md", "dsp/weights/CREDITS.md",
    "eval/*.md", "fuzz/README.md", "tests/vectors/*/README.md",
]
# Sections of README.md: page, title.
SECTIONS = {
    "Terms": ("terms.md", "Terms"),
    "Try it": ("try-it.md", "Try it"),
    "Limits": ("limits.md", None),
    "License": ("license.md", None),
}
# The page whose tables have the figures of the front page.
BENCHMARKS = "docs/benchmarks.md"
LEXERS = {".rs": "rust", ".py": "python", ".json": "json", ".sql": "sql", ".toml": "toml", ".kt": "kotlin",
          ".swift": "swift", ".xml": "xml", ".xcprivacy": "xml", ".sh": "bash", "": "bash"}
PICTURES = {".svg", ".png", ".jpg"}
# The maximum number of characters of a file that are shown.
MAX_SHOWN = 200_000

LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
FENCE = re.compile(r"^(`{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)


def slug(heading):
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", "")).replace(" ", "-")


def sections_of(readme):
    """README.md's sections of the second level: heading, text."""
    outside = FENCE.sub(lambda block: re.sub(r"^#", "\0", block[0], flags=re.MULTILINE), readme)
    parts = re.split(r"^## (.+)$", outside, flags=re.MULTILINE)[1:]
    return {head: text.replace("\0", "#") for head, text in zip(parts[::2], parts[1::2])}


def raised(text):
    """A section as a page: its headings one level up."""
    return re.sub(r"^###", "##", text, flags=re.MULTILINE)


class Site:
    def __init__(self, out):
        self.out = out
        self.broken = []
        self.shown = set()
        self.tracked = set(git_files())
        self.pages = {str(p.relative_to(ROOT)) for pattern in PAGES for p in ROOT.glob(pattern)}
        self.index = (HERE / "index.md").read_text()
        self.readme = (ROOT / "README.md").read_text()
        self.benchmarks = (ROOT / BENCHMARKS).read_text()
        self.sections = sections_of(self.readme)
        missing = [head for head in SECTIONS if head not in self.sections]
        if missing:
            sys.exit(f"README.md has no section `{missing[0]}`; change SECTIONS in docs/site/assemble.py")
        self.anchors = {slug(head): page for head, (page, _) in SECTIONS.items()}

    def write(self, path, text):
        file = self.out / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def page(self, path, text):
        """Writes the page of `path`, with its links pointing to pages of the site."""
        blocks = []
        def set_aside(block):
            blocks.append(re.sub(r"^(`{3,}\w+),\w+", r"\1", block[0]))
            return f"\0{len(blocks) - 1}\0"
        text = FENCE.sub(set_aside, text)
        text = LINK.sub(lambda link: self.link(path, link[0]), text)
        text = re.sub("\0(\\d+)\0", lambda number: blocks[int(number[1])], text)
        # Pages that are not in the side bar.
        is_listed = re.search(rf"^(?:.+<)?{re.escape(path)}>?$", self.index, re.MULTILINE)
        self.write(path, text if is_listed else f"---\norphan: true\n---\n{text}")

    def link(self, page, link):
        if re.match(r"[a-z]+:", link):
            return link
        target, _, anchor = link.partition("#")
        if not target:
            # README.md is several pages on the site.
            other = self.anchors.get(anchor)
            known = page not in [name for name, _ in SECTIONS.values()] or other in (None, page)
            return link if known else f"{other}#{anchor}"
        here = PurePosixPath(page).parent
        path = os.path.normpath(here / target)
        if path == "README.md":
            path = self.anchors.get(anchor, "index.md")
        elif path in self.pages:
            pass
        elif not (ROOT / path).exists():
            self.broken.append(f"{page}: {link}")
            return link
        elif Path(path).suffix in PICTURES:
            self.copy(path)
        else:
            path, anchor = self.show(path), ""
        return os.path.relpath(path, here) + (f"#{anchor}" if anchor and path != "index.md" else "")

    def copy(self, path):
        (self.out / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, self.out / path)

    def show(self, path):
        """Writes a page that shows the file or folder, and returns its path."""
        page = f"files/{path.lstrip('.')}.md"
        if page in self.shown:
            return page
        self.shown.add(page)
        head = f"---\norphan: true\nnosearch: true\n---\n# `{path}`\n\n"
        if (ROOT / path).is_dir():
            files = sorted(file for file in self.tracked if file.startswith(f"{path}/"))
            body = "".join(f"- [{file}]({self.link(page, os.path.relpath(file, PurePosixPath(page).parent))})\n"
                           for file in files)
        else:
            text = (ROOT / path).read_text(errors="replace")[:MAX_SHOWN]
            fence = "`" * (3 + max(map(len, re.findall("`+", text)), default=0))
            lexer = LEXERS.get(Path(path).suffix, "text")
            body = f"{fence}{{code-block}} {lexer}\n:linenos:\n\n{text}\n{fence}\n"
        self.write(page, head + body)
        return page

    def figure(self, label):
        """The cells of the row of that name in the tables of the benchmarks."""
        row = re.search(rf"^\| {re.escape(label)} \|(.+)\|$", self.benchmarks, re.MULTILINE)
        if not row:
            sys.exit(f"{BENCHMARKS} has no row `{label}`, which docs/site/index.md uses")
        return row[1].split("|")

    def front(self, apis):
        text = re.sub(r"FIGURE\((.+?), (\d)\)",
                      lambda ask: self.figure(ask[1])[int(ask[2])].strip().strip("*"), self.index)
        # Only pages that exist are listed.
        known = self.pages | {name for name, _ in SECTIONS.values()} | {"api.md", "papers.md"}
        lines = []
        for line in text.splitlines():
            entry = re.fullmatch(r"(?:.+<)?([\w./-]+\.md)>?", line)
            if not entry or entry[1] in known:
                lines.append(line)
        self.write("index.md", "\n".join(lines) + "\n")
        (self.out / "_static").mkdir(exist_ok=True)
        shutil.copy(HERE / "site.css", self.out / "_static")
        shutil.copy(HERE / "conf.py", self.out)
        self.copy("docs/pipeline.svg")
        self.write("api.md", api_page(apis))
        self.write("papers.md", (HERE / "papers.md").read_text())

    def build(self, apis):
        # Links in the other sections are checked too.
        for link in LINK.findall(FENCE.sub("", self.readme)):
            self.link("README.md", link)
        for page in sorted(self.pages):
            self.page(page, (ROOT / page).read_text())
        for head, (page, title) in SECTIONS.items():
            self.page(page, f"# {title or head}\n\n{raised(self.sections[head])}")
        self.front(apis)


API_TITLES = {
    "kotlin": ("Kotlin", "classes, flows and suspend functions"),
    "swift": ("Swift", "the module `Sordino`; needs a web server to be viewed"),
    "python": ("Python", "the package `sordino`, for devices and for researchers"),
    "rust": ("Rust", "the crate `sordino`"),
}


def api_page(apis):
    lines = ["# API references", "", "Generated from the code by each language's own tool.", ""]
    for name, (title, what) in API_TITLES.items():
        fronts, lacks = apis.get(name, (None, "a reference"))
        if not fronts:
            lines.append(f"- {title}: {what} (not built: {lacks} is missing)")
            continue
        for front in fronts.split(","):
            part = f" ({PurePosixPath(front).parent})" if "," in fronts else ""
            # Plain HTML, since these pages are not Sphinx's.
            lines.append(f'- <a href="api/{name}/{front}">{title}{part}</a>: {what}')
    return "\n".join(lines) + "\n"


def git_files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.splitlines()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    apis = {}
    for argument in sys.argv[2:]:
        name, fronts, lacks = re.fullmatch(r"(\w+)(?:=(.+)|:(.+))", argument).groups()
        apis[name] = (fronts, lacks)
    site = Site(Path(sys.argv[1]))
    site.build(apis)
    for link in site.broken:
        print(f"broken link in {link}", file=sys.stderr)
    sys.exit(bool(site.broken))


if __name__ == "__main__":
    main()
