"""The exceptions of the library: `SordinoError`, whose subclass is the kind of error, with a `code` and a `message`.

UniFFI makes the text of an exception from the names and values of all its fields; here it is the message alone.
"""

import inspect
from typing import Any

from ._sordino import sordino as _bindings


def _init(self: Any, code: str, message: str) -> None:
    Exception.__init__(self, code, message)
    self.code = code
    self.message = message


def _str(self: Any) -> str:
    return str(self.message)


def _repr(self: Any) -> str:
    return f"{type(self).__qualname__}(code={self.code!r}, message={self.message!r})"


def _mend_texts() -> None:
    for kind in vars(_bindings.SordinoError).copy().values():
        if inspect.isclass(kind) and issubclass(kind, _bindings.SordinoError):
            for name, method in (("__init__", _init), ("__str__", _str), ("__repr__", _repr)):
                setattr(kind, name, method)


_mend_texts()
