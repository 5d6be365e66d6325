"""Errors for invalid arguments of enum types that list the valid values; those of UniFFI only have the wrong value."""

import enum
import inspect
from typing import Any, Callable

from ._sordino import sordino as _bindings

_internals: Any = _bindings


def _check_for(choices: "type[enum.Enum]") -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not isinstance(value, choices):
            known = ", ".join(f"{choices.__name__}.{choice.name}" for choice in choices)
            raise TypeError(f"expected one of {known}, not {value!r}")

    return check


def _name_choices() -> None:
    for name, item in vars(_bindings).copy().items():
        if inspect.isclass(item) and issubclass(item, enum.Enum):
            converter = getattr(_internals, f"_UniffiFfiConverterType{name}", None)
            if converter is not None:
                converter.check_lower = staticmethod(_check_for(item))


_name_choices()
