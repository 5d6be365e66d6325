#!/usr/bin/env python3
"""usage: tools/words.py [--counts] [PATH…] — checks the language of the tracked text files, or of those below PATH.

Prints each use of a word from tools/banned-words.txt as `file:line: word -> plain words`, with --counts only how many
there are in each folder, and runs the spelling checker typos (configured in typos.toml) where it is installed. The exit
status is 1 where something was found.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tools" / "banned-words.txt"
TYPOS = ROOT / "target" / "typos" / "bin" / "typos"
IGNORE = "words: ignore"
OFF, ON = "words: off", "words: on"
# Names of functions are sentences too, those of tests above all.
NAMED = re.compile(r"(?:fn|def|func|fun) (\w+_\w+_\w+)")


def read_list():
    """The patterns with their replacements, and the globs of paths that are not checked."""
    patterns, skipped = [], []
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("skip "):
            skipped.append(line.removeprefix("skip "))
        elif line.strip() and not line.startswith("#"):
            pattern, replacement = line.split("  ->  ")
            patterns.append((f"(?{flags(pattern)}:{pattern})", replacement.strip()))
    return patterns, skipped


def flags(pattern):
    return "i" if pattern == pattern.lower() else ""


def tracked(paths):
    listed = subprocess.run(["git", "ls-files", "-z", "--", *paths], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in listed.stdout.split("\0") if path]


def is_skipped(path, skipped):
    return any(fnmatch(path, glob) or (glob.startswith("**/") and fnmatch(path, glob[3:])) for glob in skipped)


def lines_to_check(text):
    """The numbered lines of a file without those that are marked as exceptions."""
    checked = True
    for number, line in enumerate(text.splitlines(), 1):
        if OFF in line or ON in line:
            checked = ON in line
        elif checked and IGNORE not in line:
            yield number, line + "".join(f" {name.replace('_', ' ')}" for name in NAMED.findall(line))


def findings(path, patterns, any_pattern):
    """The banned words in a file and in its path: line, word, replacement."""
    file = ROOT / path
    content = file.read_bytes() if file.is_file() and not file.is_symlink() else b""
    if b"\0" in content[:8192]:
        return
    numbered = [(0, path), *lines_to_check(content.decode("utf-8", errors="replace"))]
    for number, line in numbered:
        if any_pattern.search(line):
            for pattern, replacement in patterns:
                for found in pattern.finditer(line):
                    yield number, found[0].strip(), replacement


def folder(path):
    parts = Path(path).parts
    return "/".join(parts[: 2 if len(parts) > 2 else len(parts) - 1]) or "."


def check_words(paths, counts_only):
    patterns, skipped = read_list()
    any_pattern = re.compile(rf"\b(?:{'|'.join(pattern for pattern, _ in patterns)})")
    patterns = [(re.compile(rf"\b{pattern}"), replacement) for pattern, replacement in patterns]
    counts = Counter()
    for path in tracked(paths):
        if is_skipped(path, skipped):
            continue
        for number, word, replacement in findings(path, patterns, any_pattern):
            counts[folder(path)] += 1
            if not counts_only:
                print(f"{path}:{number}: {word} -> {replacement}")
    if counts_only:
        for name, count in sorted(counts.items(), key=lambda entry: -entry[1]):
            print(f"{count:5} {name}")
    print(f"{sum(counts.values())} banned words")
    return counts.total() == 0


def check_spelling(paths):
    typos = str(TYPOS) if TYPOS.exists() else shutil.which("typos")
    if not typos:
        print("skipped: the spelling, which needs typos (tools/setup.sh ci)")
        return True
    return subprocess.run([typos, "--format", "brief", *(paths or ["."])], cwd=ROOT).returncode == 0


def main():
    arguments = sys.argv[1:]
    if "--help" in arguments:
        sys.exit(print(__doc__))
    counts_only = "--counts" in arguments
    paths = [argument for argument in arguments if argument != "--counts"]
    ok = check_words(paths, counts_only)
    if not counts_only:
        ok = check_spelling(paths) and ok
    sys.exit(not ok)


if __name__ == "__main__":
    main()
