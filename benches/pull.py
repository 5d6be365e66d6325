#!/usr/bin/env python3
"""Measures `sordino pull`: it pulls, opens, verifies and writes many samples of about 150 kB from a collector on loopback.
Prints rows of the table of benchmarks. As a baseline, two Python processes open and write the same files from disk, with
and without decoding the audio by libsndfile.

usage: benches/pull.py [--samples N] [--jobs N] [--format audiofolder|webdataset|bundle]

The programs are those in target/release, or in the folder SORDINO_PROGRAMS. Needs pyrage, numpy and soundfile, which
`tools/setup.sh ci` installs into target/python.
"""

import argparse
import hashlib
import io
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "target/python/bin/python"
if VENV.exists() and Path(sys.prefix).resolve() != VENV.parent.parent.resolve():
    os.execv(VENV, [str(VENV), *sys.argv])

import numpy  # noqa: E402
import pyrage  # noqa: E402
import soundfile  # noqa: E402

PROGRAMS = Path(os.environ.get("SORDINO_PROGRAMS", ROOT / "target/release")).resolve()
PURPOSE = "quality-assurance"
RECORDING = ROOT / "samples/audio/flute-alone.wav"
# 10 s of noise, with the standard deviation at which its FLAC has 150 kB.
SECONDS, RATE, NOISE_DEVIATION = 10, 16_000, 55.0


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--samples", type=int, default=2000)
    arguments.add_argument("--jobs", type=int, default=8)
    arguments.add_argument("--format", default="audiofolder")
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as folder:
        measure(Path(folder), wanted)


def measure(folder, wanted):
    serve = [PROGRAMS / "sordino-collector", "serve", "--data", "data", "--plan", "plan.json", "--listen", "127.0.0.1:0"]
    write_plan(folder)
    token = last_word(folder, "sordino-collector", "token", "create", "--data", "data", "--name", "bench", "--purpose", PURPOSE)
    (folder / "token").write_text(token)
    with subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as collector:
        url = collector.stdout.readline().split()[-1]
        send_one(folder, url)
        collector.terminate()
    sealed = multiply(folder, wanted.samples)
    with subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as collector:
        url = collector.stdout.readline().split()[-1]
        pull = ["pull", "--collector", url, "--token-file", "token", "--identity", "qa.key", "--json"]
        began = time.monotonic()
        output = run(folder, "sordino", *pull, "--out", "pulled", "--format", wanted.format, "--jobs", str(wanted.jobs))
        seconds = time.monotonic() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        began = time.monotonic()
        run(folder, "sordino", *pull, "--out", "pulled", "--format", wanted.format)
        again = time.monotonic() - began
        collector.terminate()
    assert json.loads(output)["pulled"] == wanted.samples, output
    began = time.monotonic()
    shutil.copytree(folder / "data", folder / "copied")
    copied = time.monotonic() - began
    megabytes = sealed / 1e6
    print(
        f"| `pull` of {wanted.samples} samples of {sealed / wanted.samples / 1000:.0f} kB, {wanted.jobs} at once, as"
        f" {wanted.format}, collector on the same machine | ≥ 200 MB/s | {megabytes / seconds:.0f} MB/s; second pull"
        f" without new samples {again:.2f} s; peak memory {memory:.0f} MB; copying the files {megabytes / copied:.0f} MB/s |"
    )
    for is_decoded, what in ((False, "decrypted and written"), (True, "decrypted, decoded and written")):
        bare = open_all(folder, is_decoded)
        print(f"| Baseline: local files, {what}, two processes of pyrage | – | {megabytes / bare:.0f} MB/s |")


def open_all(folder, is_decoded):
    """The seconds that two processes take for all files, without fetching, recording or verifying anything."""
    out = folder / f"bare-{is_decoded}"
    out.mkdir()
    files = sorted((folder / "data").glob("**/*.age"))
    with ProcessPoolExecutor(2) as two:
        # Starts both processes before the measurement.
        list(two.map(abs, range(2)))
        began = time.monotonic()
        list(two.map(partial(open_one, folder / "qa.key", out, is_decoded), files, chunksize=len(files) // 8 + 1))
        return time.monotonic() - began


def open_one(key, out, is_decoded, file):
    archive = opened(file, identity_in(key))
    manifest, flac = (archive.extractfile(name).read() for name in ("manifest.json", "audio.flac"))
    if is_decoded:
        soundfile.read(io.BytesIO(flac), dtype="int16")
    (out / f"{file.stem}.json").write_bytes(manifest)
    (out / f"{file.stem}.flac").write_bytes(flac)


def write_plan(folder):
    recipient = last_word(folder, "sordino", "keygen", "--out", "qa.key")
    last_word(folder, "sordino", "plan", "keygen", "--out", "org.key")
    lines = (ROOT / "samples/plan.toml").read_text().splitlines()
    plan = [f'recipients = ["{recipient}"]' if line.startswith("recipients = ") else line for line in lines]
    (folder / "plan.toml").write_text("\n".join(plan) + "\n")
    run(folder, "sordino", "plan", "sign", "plan.toml", "--key", "org.key", "--out", "plan.json")


def send_one(folder, url):
    """Sends a real sample, the template of the others."""
    key = (folder / "org.key").read_text().splitlines()[0].split()[-1]
    run(folder, "sordino", "device", "d", "init", "--plan", "plan.json", "--plan-key", key, "--collector", url)
    run(folder, "sordino", "device", "d", "consent", "--age-band", "adult", "--purpose", PURPOSE)
    run(folder, "sordino", "device", "d", "offer", str(RECORDING))
    run(folder, "sordino", "device", "d", "upload")


def multiply(folder, samples):
    """Puts copies of the template into the collector's folder and database, and returns their total size in bytes."""
    identity = identity_in(folder / "qa.key")
    first = next((folder / "data").glob("**/*.age"))
    archive = opened(first, identity)
    manifest = json.load(archive.extractfile("manifest.json"))
    sound = io.BytesIO()
    noise = numpy.random.default_rng(1).normal(0, NOISE_DEVIATION, SECONDS * RATE).astype("int16")
    soundfile.write(sound, noise, RATE, format="FLAC")
    database = sqlite3.connect(folder / "data/collector.sqlite")
    database.row_factory = sqlite3.Row
    row = dict(database.execute("SELECT * FROM samples").fetchone())
    row.pop("sequence")
    total = 0
    for number in range(samples):
        sample = f"{number:032x}"
        sealed = pyrage.encrypt(packed(dict(manifest, sample=sample), sound.getvalue()), [identity.to_public()])
        first.with_name(f"{sample}.age").write_bytes(sealed)
        row.update(id=sample, bytes=len(sealed), sha256=hashlib.sha256(sealed).hexdigest())
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        inserted = database.execute(f"INSERT INTO samples ({columns}) VALUES ({marks})", list(row.values()))
        of_purpose = (sample, PURPOSE, inserted.lastrowid, row["week"])
        database.execute("INSERT INTO sample_purposes (sample, purpose, sequence, week) VALUES (?, ?, ?, ?)", of_purpose)
        total += len(sealed)
    original = manifest["sample"]
    database.execute("DELETE FROM sample_purposes WHERE sample = ?", (original,))
    database.execute("DELETE FROM samples WHERE id = ?", (original,))
    database.commit()
    database.close()
    first.unlink()
    return total


def identity_in(key):
    return pyrage.x25519.Identity.from_str(key.read_text().split()[-1])


def opened(file, identity):
    return tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(file.read_bytes(), [identity])))


def packed(manifest, flac):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in (("manifest.json", json.dumps(manifest).encode()), ("audio.flac", flac)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def run(folder, program, *words):
    ran = subprocess.run([PROGRAMS / program, *words], cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{program} {' '.join(words)}: {ran.stderr.strip()}")
    return ran.stdout


def last_word(*line):
    return run(*line).split()[-1]


if __name__ == "__main__":
    main()
