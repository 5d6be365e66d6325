"""The split of each recording, by `splits.toml`."""

import fnmatch
import hashlib
import pathlib
import tomllib

SPLITS = ("train", "valid", "calibration", "test")
RULES = tomllib.loads((pathlib.Path(__file__).resolve().parent / "splits.toml").read_text())


def of(group: str, name: str) -> str:
    """The split of the set `name` in the group `voices`, `instruments`, `noises` or `rooms`."""
    rules = RULES[group]
    for split in SPLITS[1:]:
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in rules[split]):
            return split
    for share in rules.get("shares", ()):
        if fnmatch.fnmatchcase(name, share["names"]):
            percentile, end = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 100, 0
            for split in SPLITS[1:]:
                end += share[split]
                if percentile < end:
                    return split
    return "train"


def is_excluded(group: str, path: str) -> bool:
    """Whether weights must not be learned from the file at `path`, relative to the folder of the group."""
    return path in RULES[group].get("excluded", ())


def of_programs(programs: set[int]) -> str:
    """The split of a piece for several General MIDI programs: that of the latest split that one of them is in."""
    return next((split for split in reversed(SPLITS[1:]) if programs & set(RULES["programs"][split])), "train")
