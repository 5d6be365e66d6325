"""Opening sealed samples."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from ._manifest import Manifest
from ._plot import Span, draw_notes, draw_sound
from ._sordino import sordino as _bindings
from ._sound import int16_of

SECRET = "AGE-SECRET-KEY-"


@dataclass(frozen=True, repr=False, eq=False)
class OpenedSample:
    """A decrypted sample: its audio and its manifest."""

    #: Mono, 16 bit, read only.
    samples: npt.NDArray[np.int16]
    #: Samples per second.
    rate: int
    #: Its manifest; times are seconds of the recording.
    manifest: Manifest

    @property
    def id(self) -> str:
        """Its id: 32 hexadecimal digits, random."""
        return self.manifest["sample"]

    @property
    def seconds(self) -> float:
        """The length of its audio in seconds."""
        return len(self.samples) / self.rate

    def plot(self, ax: Any = None) -> Any:
        """Draws the audio in the time of the recording, with the removed and erased parts marked, and the expected
        and recognized notes above it. Returns the axes. Needs matplotlib: `pip install sordino[plot]`."""
        manifest = self.manifest
        removed = [Span(r["start_s"], r["end_s"], r["reason"]) for r in manifest["removed"]]
        ax = draw_sound(
            ax, self.samples, self.rate, manifest["kept"], removed, manifest["erased"]
        )
        draw_notes(ax, manifest["annotation"])
        ax.set_title(f"sample {self.id[:8]}")
        return ax

    def __repr__(self) -> str:
        trigger = self.manifest["selection"]["trigger"]
        return f"<OpenedSample {self.id[:8]}: {self.seconds:.2f} s at {self.rate} Hz, by {trigger}>"


def open_sample(
    path: "Union[str, os.PathLike[str]]", identity: "Union[str, os.PathLike[str]]"
) -> OpenedSample:
    """Opens a sealed sample, `ID.age`. Its content is untrusted: a file that Sordino would not have produced is refused.

    `identity` is the path of an identity file, as `sordino keygen` and `age-keygen` write it, or an identity
    itself, `AGE-SECRET-KEY-1…`.

    Raises OSError for a file that cannot be read, and `OpenError`: `.WrongIdentity` if the sample is sealed
    to other keys, `.Identity` for an invalid identity, `.Refused` for a corrupt or forged sample.
    """
    given = os.fspath(identity)
    key = given if given.startswith(SECRET) else Path(given).read_bytes().decode("utf-8", "replace")
    opened = _bindings.open_sealed(Path(path).read_bytes(), key)
    return OpenedSample(int16_of(opened.samples), opened.rate, json.loads(opened.manifest))
