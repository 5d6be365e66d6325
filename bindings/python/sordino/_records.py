"""Readable representations of records, without long bytes or texts."""

import enum
import inspect
from typing import Any

import numpy as np
import numpy.typing as npt

from ._sordino import sordino as _bindings
from ._sound import int16_of

#: The maximum number of characters or bytes of a value that are shown.
MAX_SHOWN = 80


class PreviewSound(_bindings.PreviewSound):
    """The audio that would be sent."""

    @property
    def array(self) -> npt.NDArray[np.int16]:
        """The samples: mono, 16 bit. They are not copied, and read only."""
        return int16_of(self.samples)

    def __repr__(self) -> str:
        return f"<PreviewSound: {len(self.samples) / 2 / self.rate:.2f} s at {self.rate} Hz>"


def _shown(value: Any) -> str:
    if isinstance(value, bytes) and len(value) > MAX_SHOWN:
        return f"<{len(value)} bytes>"
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return f"{value[:MAX_SHOWN]!r}…"
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    return repr(value)


def _repr(self: Any) -> str:
    values = ", ".join(f"{name}={_shown(value)}" for name, value in vars(self).items())
    return f"{type(self).__qualname__}({values})"


def _show_values() -> None:
    """UniFFI declares records as dataclasses without fields, whose repr is empty."""
    for name in _bindings.__all__:
        record = getattr(_bindings, name)
        if not inspect.isclass(record) or issubclass(record, (BaseException, enum.Enum)):
            continue
        variants = [item for item in vars(record).values() if inspect.isclass(item)]
        for shown in [record, *variants]:
            if hasattr(shown, "__dataclass_fields__"):
                setattr(shown, "__repr__", _repr)


def _lift_as(converter: Any, own: type) -> None:
    """Makes UniFFI return objects of `own`, a subclass that only adds methods."""
    read = converter.read

    def read_as(buffer: Any) -> Any:
        record = read(buffer)
        record.__class__ = own
        return record

    converter.read = staticmethod(read_as)


_internals: Any = _bindings
_show_values()
_lift_as(_internals._UniffiFfiConverterTypePreviewSound, PreviewSound)
