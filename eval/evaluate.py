#!/usr/bin/env python3
"""Attacks the output of `sordino anonymize` and of baselines, and writes RESULTS.md.

usage: evaluate.py [--quick] [--thorough] [--no-asr] [--set NAME|FILE.json …] [--version NAME …] [--recordings FOLDER]

The sets are `real`, the test split of FOLDER (or of the environment variable EVAL_RECORDINGS), and `packages`; without
FOLDER `real` is skipped. --quick uses few clips and attackers without inversion, as a smoke test; its figures mean
nothing. --thorough also runs enhancement on the baselines. --no-asr omits Whisper. Clips, outputs and results are stored
in target/eval.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import corpus
import figures
import frontier
import analyze
import pairs
import real_corpus
import recordings
import report
import sets
import train_attacker
import versions
from attackers import restore, trained

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
SEED = 1
LEARNED_PAIRS, TRIED_PAIRS = 160, 80
# The voices of dev, unless the run is thorough.
DEV_VOICES = 3
QUICK_CLIPS = 40
SKIPPED = (
    "the set `real` is skipped: set EVAL_RECORDINGS or --recordings to a folder of recordings (eval/README.md, Recordings)"
)


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
    parser.add_argument("--set", dest="sets", action="append", help="real, packages (both by default), held_back, dev, or a JSON file")
    parser.add_argument("--recordings", type=pathlib.Path, default=os.environ.get("EVAL_RECORDINGS") or None)
    parser.add_argument("--attacker-minutes", type=float, default=train_attacker.MINUTES, help="of training; 0: without it")
    parser.add_argument("--version", dest="versions", action="append", choices=list(versions.LABELS))
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/sordino")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target/eval")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    options.sets = chosen_sets(options, parser)
    options.versions = options.versions or [version for version in versions.LABELS if version != "webrtc"]
    options.out = options.out or (options.data / "quick.md" if options.quick else HERE / "RESULTS.md")
    if "sordino" in options.versions and not options.program.exists():
        parser.error(f"{options.program} is not there; run `cargo build --release -p sordino-cli -p sordino-collector`")
    return options


def chosen_sets(options: argparse.Namespace, parser: argparse.ArgumentParser) -> list:
    known: dict = {"held_back": lambda: sets.HELD_BACK, "dev": lambda: sets.DEV}
    known["packages"] = lambda: sets.packages(options.data)
    if options.recordings:
        known["real"] = lambda: sets.RecordedSet("real", options.recordings, "test")
    elif not options.sets:
        print(SKIPPED, file=sys.stderr)
    elif "real" in options.sets:
        parser.error(SKIPPED)
    names = options.sets or [name for name in ("real", "packages") if name in known]
    return [known[name]() if name in known else sets.read(pathlib.Path(name)) for name in names]


def measured(voice_set, options: argparse.Namespace) -> report.Result:
    folder = (
        options.data / ("quick" if options.quick else "thorough" if options.thorough else "corpus") / voice_set.name
    )
    with stage(f"{voice_set.name}: clips"):
        build(folder / "clips", voice_set, options)
    with stage(f"{voice_set.name}: anonymizing"):
        outs = anonymize_all(folder / "clips", folder / "out", options)
    headline = voice_set is not sets.DEV and not options.quick
    net = None
    if headline and options.recordings and options.attacker_minutes and not options.no_asr and "sordino" in outs:
        with stage("training the attacker"):
            net = train_attacker.trained_net(
                options.data / "attacker", options.recordings, options.program, options.attacker_minutes, options.jobs,
                options.jobs * options.threads,
            )  # fmt: skip
    whisper = None if options.no_asr else options.data / "whisper"
    settings = analyze.WorkerSettings(options.data / "cache", whisper, options.threads, net)
    with stage(f"{voice_set.name}: attacks"):
        ways = {version: ways_of(version, headline, options.thorough, net is not None) for version in outs}
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
        {version: figures.rows(one, "family", ("music",)) for version, one in results.items()},
        {version: figures.rows(one, "voice_kind") for version, one in results.items()},
    )


def build(folder: pathlib.Path, voice_set, options: argparse.Namespace) -> None:
    if isinstance(voice_set, sets.RecordedSet):
        sources = recordings.read(voice_set.folder, voice_set.split)
        planned = real_corpus.plan(sources, QUICK_CLIPS if options.quick else real_corpus.CLIPS)
        real_corpus.build(folder, voice_set.folder, voice_set.split, SEED, planned, options.jobs)
        return
    few = 2 if options.quick else DEV_VOICES if voice_set is sets.DEV and not options.thorough else None
    per_voice = None if options.quick else voice_set.clips_per_voice
    music_clips = 12 if options.quick else voice_set.music_clips
    clips = corpus.plan(sorted(voice_set.recordings())[:few], clips_per_voice=per_voice, music_clips=music_clips)
    corpus.build(folder, voice_set, SEED, clips, options.jobs)


def anonymize_all(folder: pathlib.Path, out: pathlib.Path, options: argparse.Namespace) -> dict[str, pathlib.Path]:
    outs = {version: out / version for version in options.versions}
    for version, place in outs.items():
        versions.anonymize(version, folder, place, options.program)
    return outs


def ways_of(version: str, headline: bool, thorough: bool, has_net: bool) -> tuple[str, ...]:
    """The attackers. Inversion and the trained net apply only where something may have been erased."""
    if headline and version == "sordino":
        return restore.SIMPLE + restore.ENHANCING + restore.INVERTING + ((trained.WAY,) if has_net else ())
    return restore.SIMPLE + (restore.ENHANCING if headline and thorough else ())


def traced(voice_set, options: argparse.Namespace) -> dict:
    """For Sordino, and for no processing, which shows that the attacker works. It learns from the train split of the
    recordings; without them from the voices that `held_back` has not, and not at all for `packages`."""
    learned = sets.RecordedSet("learning-real", options.recordings, "train") if options.recordings else sets.LEARNING
    if learned is sets.LEARNING and voice_set.name == "packages":
        return {}
    learning, trying = options.data / "pairs" / learned.name, options.data / "pairs" / voice_set.name
    pairs.build(learning, learned, LEARNED_PAIRS, options.jobs)
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
        lines.append("**A quick run: few clips, attackers without inversion. Its figures mean nothing.**")
    return lines


@contextlib.contextmanager
def stage(name: str):
    started = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
