"""What owns something in the library: a handle, which is used and freed by one object of one process.

UniFFI's classes keep it as a bare number. A copy would free it a second time, and a forked process has the number
but not the engine's threads behind it, so that all classes with a handle get theirs from here.
"""

import inspect
import os
from typing import Any, List, NoReturn, Optional, Tuple

from ._sordino import sordino as _face

_internals: Any = _face


class _Process:
    """Told apart from the one that it was forked from, at no cost."""

    forks = 0

    def was_forked(self) -> None:
        self.forks += 1


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.was_forked)


def made_here() -> int:
    """What `check_made_here` takes of an object that is made now."""
    return _process.forks


def is_made_here(made: int) -> bool:
    """Whether this process made it, and not the one that it was forked from."""
    return made == _process.forks


def check_made_here(made: int) -> None:
    """Raises `SordinoError.Closed` in a process that was forked from the one that made the object."""
    if not is_made_here(made):
        raise _face.SordinoError.Closed(
            "the engine belongs to the process that this one was forked from; use it there, or open one here on "
            "a folder of its own"
        )


class _Handle:
    """The handle of an object, as its attribute `_handle`."""

    def __set__(self, instance: Any, handle: int) -> None:
        vars(instance)["_handle"] = (handle, made_here())

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        held: Optional[Tuple[int, int]] = vars(instance).get("_handle")
        if held is None:
            raise TypeError(
                f"this {type(instance).__name__} has nothing behind it: it was made by __new__, or freed"
            )
        handle, made = held
        check_made_here(made)
        return handle


def refuse_copies(owner: type, instead: str) -> None:
    """Has copying and pickling objects of a class raise TypeError, which says what to do `instead`."""

    def refuse(self: Any, *_: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: {instead}")

    for name in ("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__"):
        setattr(owner, name, refuse)


def _own_handle(owner: Any) -> None:
    free = owner.__del__

    def free_once(self: Any) -> None:
        held = vars(self).get("_handle")
        # A forked process leaves it: what it stands for is its parent's.
        if held is not None and is_made_here(held[1]):
            free(self)
            vars(self).pop("_handle", None)

    owner._handle = _Handle()
    owner.__del__ = free_once
    refuse_copies(
        owner,
        "it owns what only this process has, such as threads and an open folder; share the object itself between "
        "threads, and open another engine in another process",
    )


def with_handles() -> List[type]:
    """The classes that UniFFI made whose objects have a handle."""
    classes = [item for item in vars(_face).values() if inspect.isclass(item)]
    return [item for item in classes if "_uniffi_clone_handle" in vars(item)]


for _class in with_handles():
    _own_handle(_class)
