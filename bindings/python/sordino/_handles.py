"""Handles of objects in the library, each used and freed by one Python object of one process.

UniFFI's classes store a handle as a plain number. A copy would free it a second time, and a forked process has the
number but not the engine's threads. The descriptor of this module, which all classes with a handle get, prevents both.
"""

import inspect
import os
from typing import Any, List, NoReturn, Optional, Tuple

from ._sordino import sordino as _bindings

_internals: Any = _bindings


class _Process:
    """Distinguishes this process from the one that it was forked from, without a system call."""

    forks = 0

    def was_forked(self) -> None:
        self.forks += 1


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.was_forked)


def current_owner() -> int:
    """Identifies this process, for `check_owner`."""
    return _process.forks


def is_owner(owner: int) -> bool:
    """Whether `owner` is this process, and not the one that it was forked from."""
    return owner == _process.forks


def check_owner(owner: int) -> None:
    """Raises `SordinoError.Closed` in a process that was forked from `owner`."""
    if not is_owner(owner):
        raise _bindings.SordinoError.Closed(
            "forked",
            "the engine belongs to the process that this one was forked from; use it there, or open one here on "
            "a folder of its own",
        )


class _Handle:
    """The handle of an object, as its attribute `_handle`."""

    def __set__(self, instance: Any, handle: int) -> None:
        vars(instance)["_handle"] = (handle, current_owner())

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        held: Optional[Tuple[int, int]] = vars(instance).get("_handle")
        if held is None:
            raise TypeError(
                f"this {type(instance).__name__} has no handle: it was made by __new__, or freed"
            )
        handle, owner = held
        check_owner(owner)
        return handle


def refuse_copies(owner: type, instead: str) -> None:
    """Makes copying and pickling objects of a class raise TypeError, which says what to do `instead`."""

    def refuse(self: Any, *_: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: {instead}")

    for name in ("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__"):
        setattr(owner, name, refuse)


def _own_handle(owner: Any) -> None:
    free = owner.__del__

    def free_once(self: Any) -> None:
        held = vars(self).get("_handle")
        # A forked process does not free it: it belongs to the parent.
        if held is not None and is_owner(held[1]):
            free(self)
            vars(self).pop("_handle", None)

    owner._handle = _Handle()
    owner.__del__ = free_once
    refuse_copies(
        owner,
        "it owns threads and an open folder of this process; share the object itself between "
        "threads, and open another engine in another process",
    )


def with_handles() -> List[type]:
    """The generated classes whose objects have a handle."""
    classes = [item for item in vars(_bindings).values() if inspect.isclass(item)]
    return [item for item in classes if "_uniffi_clone_handle" in vars(item)]


for _class in with_handles():
    _own_handle(_class)
