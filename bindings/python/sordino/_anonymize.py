"""Removing voices from recordings."""

from dataclasses import dataclass
from typing import Any, Optional, Tuple

import numpy as np
import numpy.typing as npt

from ._plot import Span, draw_sound
from ._sordino import sordino as _bindings
from ._sound import SoundOrBuffer, int16_of, mono_bytes


@dataclass(frozen=True, repr=False, eq=False)
class Anonymized:
    """A recording without voices and without other traits of a person."""

    #: Mono, 16 bit, read only; empty if the recording is rejected.
    samples: npt.NDArray[np.int16]
    #: Samples per second; 0 if the recording is rejected.
    rate: int
    #: The parts of the recording that are in `samples`, in order: (start, end) in seconds.
    kept: Tuple[Tuple[float, float], ...]
    #: The removed parts, with their reasons.
    removed: Tuple[_bindings.RemovedSpan, ...]
    #: The kept parts from which a voice was erased; the music there is incomplete too.
    erased: Tuple[Tuple[float, float], ...]
    #: Why the recording is rejected; None if it is not.
    rejected: Optional[_bindings.RejectionReason]

    @property
    def seconds(self) -> float:
        """The length of `samples` in seconds."""
        return len(self.samples) / self.rate if self.rate else 0.0

    def plot(self, ax: Any = None) -> Any:
        """Draws the kept sound in the time of the recording, with the removed and erased parts marked. Returns the
        axes. Needs matplotlib: `pip install sordino[plot]`."""
        removed = [Span(span.start_s, span.end_s, span.reason.name.lower()) for span in self.removed]
        return draw_sound(ax, self.samples, self.rate, self.kept, removed, self.erased)

    def __repr__(self) -> str:
        removed = sum(span.end_s - span.start_s for span in self.removed)
        if self.rejected is not None:
            return f"<Anonymized: rejected for {self.rejected.name}, {removed:.2f} s removed>"
        return f"<Anonymized: {self.seconds:.2f} s at {self.rate} Hz, {removed:.2f} s removed>"


def anonymize(samples: SoundOrBuffer, rate: int, *, keep_time: bool = False) -> Anonymized:
    """Removes voices and other traits of a person from a recording, as a device does before it seals.

    `samples` are floats within ±1 or int16, of shape (n,) or (n, channels), which are averaged, at `rate` Hz.
    With `keep_time` removed parts become silence, so that times stay aligned. Two calls give slightly different
    results: the clock, the ends and the noise floor are random. The call takes about
    a tenth of the recording's length, and does not block other threads.

    Raises TypeError for another dtype, ValueError for another shape, and `SordinoError.Clip` for an empty recording,
    NaN, or a rate outside 8 to 384 kHz. A rejected recording is not an error: see `rejected`.
    """
    sound = _bindings.anonymize_sound(mono_bytes(samples, rate), rate, keep_time)
    return Anonymized(
        samples=int16_of(sound.samples),
        rate=sound.rate,
        kept=tuple((span.start_s, span.end_s) for span in sound.kept),
        removed=tuple(sound.removed),
        erased=tuple((span.start_s, span.end_s) for span in sound.erased),
        rejected=sound.rejected,
    )
