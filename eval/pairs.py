"""Pairs of clips for the attacker that detects speech: NAME-voice.wav and NAME-alone.wav have
the same playing, one with speech over it at -18 to +6 dB, with different random rooms and noise."""

import json
import multiprocessing
import pathlib

import numpy as np
import soundfile

import acoustics
import bootstrap
import corpus
import music
import real_corpus
import seeding
import sets
from acoustics import RATE
from attackers import trace

SECONDS = 6.0
SEED = 2
# With fewer pairs there is no figure.
MIN_PAIRS = 8


def build(folder: pathlib.Path, voice_set: sets.VoiceSet | sets.RecordedSet, count: int, jobs: int = 2) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    missing = [number for number in range(count) if not (folder / f"pair-{number:03d}.json").exists()]
    with multiprocessing.Pool(jobs) as pool:
        pool.starmap(make, [(folder, voice_set, number) for number in missing], chunksize=1)


def make(folder: pathlib.Path, voice_set: sets.VoiceSet | sets.RecordedSet, number: int) -> None:
    rng = seeding.generator(voice_set.name, SEED, "pair", number)
    talk_s = float(rng.uniform(1.5, 4))
    if isinstance(voice_set, sets.RecordedSet):
        sound, said, spans = real_corpus.pair(voice_set, SECONDS, talk_s, number, rng)
    else:
        voices = sorted(voice_set.recordings())
        sound, *_ = corpus.playing(voice_set, SECONDS, rng)
        said, spans = corpus.talking(corpus.recordings(voice_set, SEED, voices[number % len(voices)])[1], talk_s, rng)
    start_s, level = float(rng.uniform(0.5, 1.5)), float(rng.uniform(-18, 6))
    voice = np.zeros(len(sound), np.float32)
    voice[int(start_s * RATE) :][: len(said)] = said * 10 ** (level / 20)
    for kind, mixed in (("voice", sound + voice), ("alone", sound)):
        mixed = acoustics.on_phone(acoustics.in_room(mixed, rng), rng)
        soundfile.write(folder / f"pair-{number:03d}-{kind}.wav", mixed, RATE, subtype="PCM_16")
    spans = [[start + start_s, end + start_s] for start, end in spans]
    (folder / f"pair-{number:03d}.json").write_text(json.dumps({"speech": spans, "snr_db": level}))


def read_outputs(folder: pathlib.Path, out: pathlib.Path) -> tuple[list, list[float]]:
    """Pairs of which neither clip was withheld, as bands, and the share of the speech of each that was kept."""
    pairs, shares = [], []
    for metadata in sorted(folder.glob("pair-???.json")):
        both = [trace.bands_of(out / f"{metadata.stem}-{kind}.wav") for kind in ("voice", "alone")]
        if all(bands is not None for bands in both):
            pairs.append(tuple(both))
            speech = json.loads(metadata.read_text())["speech"]
            kept = json.loads((out / f"{metadata.stem}-voice.json").read_text())["kept"]
            shares.append(music.overlap(speech, kept) / sum(end - start for start, end in speech))
    return pairs, shares


def distinguish(learned: tuple, tried: tuple, threads: int) -> dict[str, bootstrap.Figure]:
    """Area under the curve over the pairs tried, and over those whose speech was mostly kept (and so
    erased or not found) rather than cut. `learned` and `tried` as `read_outputs` gives them."""
    (learning, _), (trying, shares) = learned, tried
    if len(learning) < MIN_PAIRS or len(trying) < MIN_PAIRS:
        return {"all": bootstrap.NONE, "kept": bootstrap.NONE}
    rows = trace.scores(trace.learn(learning, threads), trying)
    kept = rows[np.array(shares) > 0.5]
    curve = trace.area_under_curve
    return {
        "all": bootstrap.interval(rows, curve),
        "kept": bootstrap.interval(kept, curve) if len(kept) >= MIN_PAIRS else bootstrap.NONE,
    }
