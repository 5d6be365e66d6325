#!/usr/bin/env python3
"""Attacks the output of `sordino anonymize` and of baselines, and writes RESULTS.md.

usage: evaluate.py [--quick] [--thorough] [--no-asr] [--set NAME|FILE.json …] [--version NAME …]

--quick uses two voices and attackers without inversion, as a smoke test; its figures mean nothing. --thorough
also runs enhancement on the baselines, and uses all of dev's voices. --no-asr omits Whisper. Clips, outputs
and results are stored in target/eval.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import time

import corpus
import figures
import frontier
import analyze
import pairs
import report
import sets
import versions
from attackers import restore

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
SEED = 1
LEARNED_PAIRS, TRIED_PAIRS = 160, 80
# The voices of dev, unless the run is thorough.
DEV_VOICES = 3


def main() -> None:
    options = parsed()
    started = time.monotonic()
    results = [measured(voice_set, options) for voice_set in options.sets]
    print(f"{(time.monotonic() - started) / 60:.1f} minutes", file=sys.stderr)
    text = report.markdown(results, about(options), not options.no_asr)
    options.out.write_text(text)
    (options.data / "results.json").write_text(json.dumps([dataclasses.asdict(result) for result in results]))
    if frontier.CSV.exists():
        frontier.draw(frontier.CSV, frontier.SVG)
    print(report.for_terminal(text))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--thorough", action="store_true")
    parser.add_argument("--no-asr", action="store_true")
    parser.add_argument("--set", dest="sets", action="append", help="held_back, dev, or a JSON file; default: both")
    parser.add_argument("--version", dest="versions", action="append", choices=list(versions.LABELS))
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/sordino")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target/eval")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    options = parser.parse_args()
    known = {voice_set.name: voice_set for voice_set in (sets.HELD_BACK, sets.DEV)}
    names = options.sets or (["held_back"] if options.quick else list(known))
    options.sets = [known[name] if name in known else sets.read(pathlib.Path(name)) for name in names]
    options.versions = options.versions or list(versions.LABELS)
    options.out = options.out or (options.data / "quick.md" if options.quick else HERE / "RESULTS.md")
    options.data.mkdir(parents=True, exist_ok=True)
    if "sordino" in options.versions and not options.program.exists():
        parser.error(f"{options.program} is not there; run `cargo build --release -p sordino-cli -p sordino-collector`")
    return options


def measured(voice_set: sets.VoiceSet, options: argparse.Namespace) -> report.Result:
    folder = (
        options.data / ("quick" if options.quick else "thorough" if options.thorough else "corpus") / voice_set.name
    )
    few = 2 if options.quick else DEV_VOICES if voice_set is sets.DEV and not options.thorough else None
    clips = corpus.plan(sorted(voice_set.recordings())[:few])
    with stage(f"{voice_set.name}: clips"):
        corpus.build(folder / "clips", voice_set, SEED, clips, options.jobs)
    with stage(f"{voice_set.name}: anonymizing"):
        outs = anonymize_all(folder / "clips", folder / "out", options)
    settings = analyze.WorkerSettings(options.data / "cache", None if options.no_asr else options.data / "whisper", options.threads)
    headline = voice_set is not sets.DEV and not options.quick
    with stage(f"{voice_set.name}: attacks"):
        ways = {version: ways_of(version, headline, options.thorough) for version in outs}
        results = figures.run_attackers(folder / "clips", outs, ways, settings, options.jobs)
    traces = {}
    if headline:
        with stage(f"{voice_set.name}: speech detection"):
            traces = traced(voice_set, options)
    return report.Result(
        voice_set.name,
        {version: figures.rows(one) for version, one in results.items()},
        {version: figures.equal_error_rates(one) for version, one in results.items()},
        traces,
    )


def anonymize_all(folder: pathlib.Path, out: pathlib.Path, options: argparse.Namespace) -> dict[str, pathlib.Path]:
    outs = {version: out / version for version in options.versions}
    for version, place in outs.items():
        versions.anonymize(version, folder, place, options.program)
    return outs


def ways_of(version: str, headline: bool, thorough: bool) -> tuple[str, ...]:
    """The attackers. Inversion applies only where something may have been erased."""
    if headline and version == "sordino":
        return restore.SIMPLE + restore.ENHANCING + restore.INVERTING
    return restore.SIMPLE + (restore.ENHANCING if headline and thorough else ())


def traced(voice_set: sets.VoiceSet, options: argparse.Namespace) -> dict:
    """For Sordino, and for no processing, which shows that the attacker works."""
    learning, trying = options.data / "pairs" / "learning", options.data / "pairs" / voice_set.name
    pairs.build(learning, sets.LEARNING, LEARNED_PAIRS, options.jobs)
    pairs.build(trying, voice_set, TRIED_PAIRS, options.jobs)
    traces = {}
    for version in (version for version in ("sordino", "identity") if version in options.versions):
        given = []
        for folder in (learning, trying):
            out = folder / version
            versions.anonymize(version, folder, out, options.program)
            given.append(pairs.read_outputs(folder, out))
        traces[version] = pairs.distinguish(given[0], given[1], options.jobs * options.threads)
    return traces


def about(options: argparse.Namespace) -> list[str]:
    commit = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    lines = [
        f"Written by `make eval` at {commit or 'an unknown commit'}. [README.md](README.md) describes the method. Small: 95 % intervals "
        "by bootstrap over clips, omitted if all clips agree, which means little with few clips. **Bold**: the target is missed.",
    ]
    if options.quick:
        lines.append("**A quick run: two voices, attackers without inversion. Its figures mean nothing.**")
    return lines


@contextlib.contextmanager
def stage(name: str):
    started = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
