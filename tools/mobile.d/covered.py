#!/usr/bin/env python3
"""usage: covered.py TARGET... — holds every condition on the platform in src/, dsp/ and bindings/ffi/ to the targets that are checked.

For each `cfg(…)` that names an operating system, a vendor, a family, an ABI or a processor: one of the targets
must make it true, or nothing has ever read the code behind it; and each operating system that it names must be
that of a target. What the targets are, rustc says (`--print cfg`). Fails by file:line.
"""

import pathlib
import re
import subprocess
import sys

PLATFORM = re.compile(r"\b(target_(os|vendor|family|env|abi|arch|pointer_width|endian)|unix|windows)\b")
TOKEN = re.compile(r'\s*(?:([A-Za-z_]\w*)(?:\s*=\s*"([^"]*)")?|([(),]))')


def main(targets: list[str]) -> int:
    platforms = {target: facts(target) for target in targets}
    systems = {value for known in platforms.values() for name, value in known if name == "target_os"}
    conditions, faults = 0, 0
    for path in sorted(path for folder in ("bindings/ffi", "dsp", "src") for path in pathlib.Path(folder).rglob("*.rs")):
        for line, condition in platform_conditions(path.read_text(encoding="utf-8")):
            conditions += 1
            tree, named = parse(condition)
            unknown = sorted({value for name, value in named if name == "target_os"} - systems)
            if unknown:
                faults += 1
                print(f"{path}:{line}: no checked target has the system {', '.join(unknown)}: {condition}")
            elif not any(tree(known) is not False for known in platforms.values()):
                faults += 1
                print(f"{path}:{line}: true on no checked target: {condition}")
    print(f"{conditions} conditions on the platform in src/, dsp/ and bindings/ffi/, {faults} of them not covered by {len(targets)} targets")
    return 1 if faults or not conditions else 0


def facts(target: str) -> set[tuple[str, str | None]]:
    """What rustc holds to be true of the target, as pairs of a name and a value."""
    output = subprocess.run(["rustc", "--print", "cfg", "--target", target], check=True, capture_output=True, text=True)
    pairs = (line.partition("=") for line in output.stdout.split())
    return {(name, value.strip('"') if equals else None) for name, equals, value in pairs}


def platform_conditions(source: str):
    """Each `cfg(…)`, `cfg!(…)` and `cfg_attr(…)` that is about the platform: its line, and what stands within."""
    for start in re.finditer(r"\bcfg(?:!|_attr)?\(", source):
        depth, end = 1, start.end()
        while depth and end < len(source):
            depth += {"(": 1, ")": -1}.get(source[end], 0)
            end += 1
        condition = " ".join(source[start.end() : end - 1].split())
        if PLATFORM.search(condition):
            yield source.count("\n", 0, start.start()) + 1, condition


def parse(condition: str):
    """The condition as a function from facts to True, False or None (it hangs on a feature), and what it names."""
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
