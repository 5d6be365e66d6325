"""Remaining music: Basic Pitch (Bittner et al. 2022, arXiv 2203.09893), evaluated by mir_eval."""

import contextlib
import io
import pathlib

import numpy as np
import soundfile

# [start_s, end_s, midi]
Note = list[float]
MIN_SECONDS = 0.5
# The share of a note's onset that must be kept for the onset to count as kept.
ONSET_S = 0.05


def transcribe(path: pathlib.Path) -> list[Note]:
    from basic_pitch import ICASSP_2022_MODEL_PATH
    from basic_pitch.inference import predict

    if not path.exists() or soundfile.info(str(path)).duration < MIN_SECONDS:
        return []
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            _, _, events = predict(str(path), ICASSP_2022_MODEL_PATH)
    except ValueError:  # raised if no note was found
        return []
    return [[float(start), float(end), int(midi)] for start, end, midi, *_ in events]


def f1(truth: list[Note], transcribed: list[Note]) -> float:
    """F1 of onsets within 50 ms and pitches within a quarter tone."""
    import mir_eval

    if not transcribed:
        return 0.0
    times = [np.array([[start, max(end, start + 0.05)] for start, end, _ in notes]) for notes in (truth, transcribed)]
    pitches = [440 * 2 ** ((np.array([midi for *_, midi in notes]) - 69) / 12) for notes in (truth, transcribed)]
    score = mir_eval.transcription.precision_recall_f1_overlap
    return float(score(times[0], pitches[0], times[1], pitches[1], offset_ratio=None)[2])


def in_input(at: float, kept: list[list[float]]) -> float:
    """Maps a time of the output to the input, s."""
    for start, end in kept:
        if at <= end - start:
            return start + at
        at -= end - start
    return kept[-1][1] if kept else at


def overlap(spans: list, kept: list) -> float:
    """Seconds of `spans` that are in `kept`."""
    return sum(max(0.0, min(end, until) - max(start, since)) for start, end in spans for since, until in kept)


def judged(truth: dict, kept: list, transcribed_before: list[Note], transcribed: list[Note]) -> dict[str, float]:
    """F1 of the true notes in the input, in the output and in the kept audio, and the share of the
    music without speech that was kept. Music without notes, as of drums, has the latter only."""
    notes, out = truth["notes"], {}
    if notes:
        moved = [[in_input(start, kept), in_input(end, kept), midi] for start, end, midi in transcribed]
        out = {"f1_before": f1(notes, transcribed_before), "f1_all": f1(notes, moved)}
        inside = [
            note for note in notes if any(since <= note[0] + 0.02 and note[0] + ONSET_S <= until for since, until in kept)
        ]
        if inside:
            out["f1_kept"] = f1(inside, moved)
    clear = clear_music(truth)
    out["music_kept"] = overlap(clear, kept) / sum(end - start for start, end in clear)
    return out


def clear_music(truth: dict) -> list[list[float]]:
    """The spans of music without speech; all music if speech is everywhere. Known music spans are cut at the speech, of
    notes only the whole ones count."""
    spans, speech = truth.get("music"), truth["speech"]
    if spans:
        return without(spans, speech) or spans
    played = [note[:2] for note in truth["notes"]]
    return [span for span in played if overlap([span], speech) == 0] or played


def without(spans: list, removed: list) -> list[list[float]]:
    """The parts of `spans` outside of `removed`."""
    for since, until in removed:
        parts = [part for start, end in spans for part in ([start, min(end, since)], [max(start, until), end])]
        spans = [part for part in parts if part[1] > part[0]]
    return spans
