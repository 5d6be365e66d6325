"""Voices out of recordings."""

from dataclasses import dataclass
from typing import Any, Optional, Tuple

import numpy as np
import numpy.typing as npt

from ._plot import Span, draw_sound
from ._sordino import sordino as _face
from ._sound import SoundOrBuffer, int16_of, mono_bytes


@dataclass(frozen=True, repr=False, eq=False)
class Anonymized:
    """What is left of a recording without voices and without what points to a person."""

    #: Mono, 16 bit, read only; empty where the recording is withheld.
    samples: npt.NDArray[np.int16]
    #: Samples a second; 0 where the recording is withheld.
    rate: int
    #: Which parts of the recording stand in `samples`, in their order: (start, end) in its seconds.
    kept: Tuple[Tuple[float, float], ...]
    #: Which parts were taken out, and why.
    removed: Tuple[_face.RemovedSpan, ...]
    #: Out of which parts of what was kept a voice was erased: the music there has lost something too.
    erased: Tuple[Tuple[float, float], ...]
    #: Why nothing of the recording is safe to keep, where nothing is.
    withheld: Optional[_face.WithheldSound]

    @property
    def seconds(self) -> float:
        """How long what is left is."""
        return len(self.samples) / self.rate if self.rate else 0.0

    def plot(self, ax: Any = None) -> Any:
        """Draws what is left, in the time of the recording, with what was removed and erased marked. Returns the
        axes. Needs matplotlib: `pip install sordino[plot]`."""
        removed = [Span(span.start_s, span.end_s, span.reason.name.lower()) for span in self.removed]
        return draw_sound(ax, self.samples, self.rate, self.kept, removed, self.erased)

    def __repr__(self) -> str:
        removed = sum(span.end_s - span.start_s for span in self.removed)
        if self.withheld is not None:
            return f"<Anonymized: withheld for {self.withheld.name}, {removed:.2f} s removed>"
        return f"<Anonymized: {self.seconds:.2f} s at {self.rate} Hz, {removed:.2f} s removed>"


def anonymize(samples: SoundOrBuffer, rate: int, *, keep_time: bool = False) -> Anonymized:
    """Takes voices, and what else points to a person, out of a recording, as a device does before it seals.

    `samples` are floats within ±1 or int16, of shape (n,) or (n, channels), whose mean is taken, at `rate` Hz.
    With `keep_time` what is removed becomes silence, so that times stay those of the recording. Two calls
    differ a little: the clock, the ends and the noise floor are drawn anew each time. It takes about a tenth of
    the recording's length, and other threads run meanwhile.

    Raises TypeError for another dtype, ValueError for another shape, and `SordinoError.Clip` for no sound, for
    NaN and for a rate outside 8 to 384 kHz. A recording of which nothing is safe is no error: see `withheld`.
    """
    sound = _face.anonymize_sound(mono_bytes(samples, rate), rate, keep_time)
    return Anonymized(
        samples=int16_of(sound.samples),
        rate=sound.rate,
        kept=tuple((span.start_s, span.end_s) for span in sound.kept),
        removed=tuple(sound.removed),
        erased=tuple((span.start_s, span.end_s) for span in sound.erased),
        withheld=sound.withheld,
    )
