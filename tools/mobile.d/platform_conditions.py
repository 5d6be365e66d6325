#!/usr/bin/env python3
"""usage: platform_conditions.py TARGET... — checks that the targets compile all platform-dependent code.

Reads each `cfg(…)` in src/, dsp/ and bindings/ffi/ that names an operating system, vendor, family, ABI or processor. It must
be true for one of the targets, and each operating system that it names must be that of a target. `rustc --print cfg` gives
the configuration of a target. Prints findings as file:line, and exits with 1 if there are any.
"""

import pathlib
import re
import subprocess
import sys

PLATFORM = re.compile(r"\b(target_(os|vendor|family|env|abi|arch|pointer_width|endian)|unix|windows)\b")
TOKEN = re.compile(r'\s*(?:([A-Za-z_]\w*)(?:\s*=\s*"([^"]*)")?|([(),]))')


FOLDERS = ("bindings/ffi", "dsp", "src")


def main(targets: list[str]) -> int:
    platforms = {target: configuration(target) for target in targets}
    systems = {value for known in platforms.values() for name, value in known if name == "target_os"}
    conditions, findings = 0, 0
    for path in sorted(path for folder in FOLDERS for path in pathlib.Path(folder).rglob("*.rs")):
        for line, condition in platform_conditions(path.read_text(encoding="utf-8")):
            conditions += 1
            tree, named = parse(condition)
            unknown = sorted({value for name, value in named if name == "target_os"} - systems)
            if unknown:
                findings += 1
                print(f"{path}:{line}: no target has the operating system {', '.join(unknown)}: {condition}")
            elif not any(tree(known) is not False for known in platforms.values()):
                findings += 1
                print(f"{path}:{line}: true for no target: {condition}")
    print(f"{conditions} platform conditions in {', '.join(FOLDERS)}, {findings} of them not covered by {len(targets)} targets")
    return 1 if findings or not conditions else 0


def configuration(target: str) -> set[tuple[str, str | None]]:
    """The configuration of a target, as pairs of a name and a value."""
    output = subprocess.run(["rustc", "--print", "cfg", "--target", target], check=True, capture_output=True, text=True)
    pairs = (line.partition("=") for line in output.stdout.split())
    return {(name, value.strip('"') if equals else None) for name, equals, value in pairs}


def platform_conditions(source: str):
    """Yields the line and the content of each `cfg(…)`, `cfg!(…)` and `cfg_attr(…)` that names a platform."""
    for start in re.finditer(r"\bcfg(?:!|_attr)?\(", source):
        depth, end = 1, start.end()
        while depth and end < len(source):
            depth += {"(": 1, ")": -1}.get(source[end], 0)
            end += 1
        condition = " ".join(source[start.end() : end - 1].split())
        if PLATFORM.search(condition):
            yield source.count("\n", 0, start.start()) + 1, condition


def parse(condition: str):
    """Parses a condition.

    Returns a function from a configuration to True, False or None (depends on a feature), and the pairs that the condition
    names.
    """
    tokens = [match.groups() for match in TOKEN.finditer(condition)]
    named: set[tuple[str, str | None]] = set()

    def one():
        name, value, _ = tokens.pop(0)
        if name in ("all", "any", "not") and tokens and tokens[0][2] == "(":
            tokens.pop(0)
            parts = []
            while tokens and tokens[0][2] != ")":
                if tokens[0][2] == ",":
                    tokens.pop(0)
                else:
                    parts.append(one())
            if tokens:
                tokens.pop(0)
            return combine(name, parts)
        named.add((name, value))
        if PLATFORM.fullmatch(name):
            return lambda known: (name, value) in known
        return lambda known: None

    return one(), named


def combine(operator: str, parts: list):
    def judge(known):
        values = [part(known) for part in parts]
        if operator == "not":
            return None if values[0] is None else not values[0]
        decisive = operator == "any"
        if decisive in values:
            return decisive
        return None if None in values else not decisive

    return judge


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
