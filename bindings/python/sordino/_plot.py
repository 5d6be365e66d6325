"""Plots, with matplotlib, which is imported only when one is drawn."""

from typing import Any, Iterable, NamedTuple, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ._manifest import Manifest, ManifestAnnotation

#: Points of a waveform's outline: about the width of a plot in pixels.
OUTLINE = 2000
SOUND, REMOVED, ERASED = "#35637c", "#c0392b", "#e0a030"
EXPECTED, RECOGNIZED = "#777777", "#2e7d32"

# Outside the axes, so that legends cover nothing.
ABOVE_RIGHT: Any = {
    "loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 3, "fontsize": "small", "frameon": False,
}  # fmt: skip
ABOVE_LEFT: Any = {**ABOVE_RIGHT, "loc": "lower left", "bbox_to_anchor": (0, 1)}


class Span(NamedTuple):
    """A removed part, in seconds, with its reason."""

    start: float
    end: float
    reason: str


def new_axes(ax: Any, size: Tuple[float, float]) -> Any:
    """`ax`, or the axes of a new figure of `size` inches."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("plotting needs matplotlib: pip install 'sordino[plot]'") from None
    return plt.subplots(figsize=size, layout="constrained")[1]


def draw_sound(
    ax: Any,
    samples: npt.NDArray[np.int16],
    rate: int,
    kept: Sequence[Tuple[float, float]],
    removed: Sequence[Span],
    erased: Sequence[Tuple[float, float]],
) -> Any:
    """Draws a waveform in the time of the recording."""
    ax = new_axes(ax, (10, 2.6))
    spans = [(start, end) for start, end in kept]
    length = sum(end - start for start, end in spans)
    # With `keep_time` removed parts are silence, so that the sound is longer than the kept parts.
    if samples.size and length and samples.size / rate > 1.05 * length:
        spans = [(0.0, samples.size / rate)]
    begin = 0
    total = sum(end - start for start, end in spans) or 1.0
    for start, end in spans:
        stop = min(samples.size, begin + round(samples.size * (end - start) / total))
        _outline(ax, samples[begin:stop], start, end)
        begin = stop
    seen = set()
    for span in removed:
        label = f"removed: {span.reason}" if span.reason not in seen else None
        hatch = None if span.reason == "voice" else "///"
        ax.axvspan(span.start, span.end, color=REMOVED, alpha=0.25, lw=0, label=label, hatch=hatch)
        seen.add(span.reason)
    for index, (start, end) in enumerate(erased):
        ax.axvspan(start, end, color=ERASED, alpha=0.25, lw=0, label=None if index else "voice erased")
    ax.set(xlabel="seconds of the recording", ylabel="amplitude", ylim=(-1, 1))
    ends = [end for _, end in spans] + [span.end for span in removed]
    ax.set_xlim(0, max(ends, default=1.0))
    if seen or erased:
        ax.legend(**ABOVE_RIGHT)
    return ax


def draw_notes(ax: Any, annotation: ManifestAnnotation) -> None:
    """Draws expected and recognized notes, on a second axis of MIDI numbers."""
    rows = [
        ("expected", annotation.get("expected", []), EXPECTED, 5.0),
        ("recognized", annotation.get("recognised", []), RECOGNIZED, 2.0),
    ]
    if not any(notes for _, notes, _, _ in rows):
        return
    scale = ax.twinx()
    for label, notes, color, width in rows:
        for index, note in enumerate(notes):
            end = note.get("offset") or note["onset"] + 0.1
            scale.plot(
                [note["onset"], end], [note["midi"]] * 2, color=color, lw=width, alpha=0.7,
                label=None if index else label, solid_capstyle="butt",
            )  # fmt: skip
    scale.set_ylabel("MIDI note")
    scale.margins(y=0.15)
    scale.legend(**ABOVE_LEFT)


def _outline(ax: Any, samples: npt.NDArray[np.int16], start: float, end: float) -> None:
    if not samples.size:
        return
    points = min(OUTLINE, samples.size)
    edges = np.linspace(0, samples.size, points, endpoint=False).astype(int)
    low = np.minimum.reduceat(samples, edges) / 32768
    high = np.maximum.reduceat(samples, edges) / 32768
    ax.fill_between(np.linspace(start, end, points), low, high, color=SOUND, lw=0.4)


def draw_rows(ax: Any, rows: Iterable[Tuple[str, Manifest]]) -> Any:
    """Draws a bar for each sample, in the time of its recording: the kept, removed and erased parts."""
    listed = list(rows)
    ax = new_axes(ax, (10, 1.2 + 0.22 * len(listed)))
    for row, (_, manifest) in enumerate(listed):
        bars = [
            (manifest["kept"], SOUND),
            ([(r["start_s"], r["end_s"]) for r in manifest["removed"]], REMOVED),
            (manifest["erased"], ERASED),
        ]
        for spans, color in bars:
            ax.broken_barh([(a, b - a) for a, b in spans], (row - 0.35, 0.7), color=color, lw=0)
    ax.set_yticks(range(len(listed)), [label for label, _ in listed], fontsize="x-small")
    for label, color in [("kept", SOUND), ("removed", REMOVED), ("voice erased", ERASED)]:
        ax.broken_barh([], (0, 0), color=color, label=label)
    ax.invert_yaxis()
    ax.set_xlabel("seconds of the recording")
    ax.legend(**ABOVE_RIGHT)
    return ax


