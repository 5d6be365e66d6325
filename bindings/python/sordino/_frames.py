"""Receiving frames, a hundred a second.

UniFFI reads a frame field by field, and attaches a thread that Python did not create to the interpreter again for each
call, which costs more than the frame. This module reads a frame at once, and keeps the engine's thread attached until
its source has ended.
"""

import ctypes
import inspect
import queue
import struct
import threading
from typing import Any, Callable, Optional, Protocol

import numpy as np
import numpy.typing as npt

from ._handles import check_owner, current_owner, is_owner, refuse_copies
from ._sordino import sordino as _bindings

#: The maximum number of frames that wait to be iterated; more of them fill the engine's buffer of two seconds.
QUEUE_FRAMES = 50
#: The interval, in seconds, at which a waiting thread checks whether the iterator was closed.
POLL_INTERVAL = 0.1

NO_COROUTINES = (
    "a listener must be an ordinary function, since it is called on a thread of the engine: pass its argument on with "
    "loop.call_soon_threadsafe or asyncio.run_coroutine_threadsafe"
)

_internals: Any = _bindings
_TAIL = struct.Struct(">IQQ")  # rate, position, lost
_LENGTH_BYTES = 4


class Frame(_bindings.Frame):
    """A frame of captured audio: 10 ms, or shorter if samples were lost after it."""

    @property
    def array(self) -> npt.NDArray[np.float32]:
        """The samples: mono, full scale at ±1, finite. They are not copied, and read only."""
        return np.frombuffer(self.samples, "<f4")

    def __len__(self) -> int:
        return len(self.samples) // 4

    def __repr__(self) -> str:
        lost = f", {self.lost} lost before it" if self.lost else ""
        return f"<Frame at {self.position}: {len(self)} samples at {self.rate} Hz{lost}>"

    __str__ = __repr__


def _lift(buffer: Any) -> Frame:
    """Reads a frame of the library and frees it: the length in bytes, the bytes, the rest."""
    data = ctypes.string_at(buffer.data, buffer.len)
    _internals._UniffiLib.ffi_sordino_rustbuffer_free(
        buffer, ctypes.byref(_internals._UniffiRustCallStatus())
    )
    end = len(data) - _TAIL.size
    frame = Frame.__new__(Frame)
    frame.samples = data[_LENGTH_BYTES:end]
    frame.rate, frame.position, frame.lost = _TAIL.unpack_from(data, end)
    return frame


_internals._UniffiFfiConverterTypeFrame.lift = staticmethod(_lift)

# For each thread, whether it is attached, and its state in the interpreter.
_thread = threading.local()


def attach_thread() -> None:
    """Keeps this thread attached to the interpreter after the current callback returns."""
    if not getattr(_thread, "is_attached", False):
        _thread.is_attached = True
        _thread.state = ctypes.pythonapi.PyGILState_Ensure()


def detach_thread() -> None:
    """Undoes `attach_thread`, on the same thread and also in a callback."""
    if getattr(_thread, "is_attached", False):
        _thread.is_attached = False
        ctypes.pythonapi.PyGILState_Release(_thread.state)


class FrameHandler(Protocol):
    """An object with `on_frame`."""

    def on_frame(self, frame: Any) -> None: ...


def refuse_coroutine(returned: object) -> None:
    """Raises TypeError for a coroutine: it would never be awaited, so that the listener would never run."""
    if inspect.iscoroutine(returned):
        returned.close()
        raise TypeError(f"{NO_COROUTINES}; this one returned a coroutine")


class FrameCallback(_bindings.FrameListener):
    """Called by the library; passes each frame to a function."""

    def __init__(self, call: Callable[[Frame], object]) -> None:
        self.call = call

    def on_frame(self, frame: Any) -> None:
        attach_thread()
        refuse_coroutine(self.call(frame))


class Stoppable(Protocol):
    """A capture session."""

    def stop(self) -> None: ...


class Frames:
    """The frames of a capture session, to iterate: `for frame in engine.frames(): …`.

    Iteration waits for the next frame, and ends when the source ends or `close` is called. If it is more than two and a
    half seconds behind, samples are lost, and `lost` of the next frame counts them. Dropping the object closes the source.
    """

    def __init__(self) -> None:
        self._waiting: "queue.Queue[Frame]" = queue.Queue(QUEUE_FRAMES)
        self._ended = threading.Event()
        self._closed = threading.Event()
        self._source: Optional[Stoppable] = None
        self._owner = current_owner()

    def _begin(self, listen: Callable[[FrameCallback], Stoppable]) -> "Frames":
        waiting, closed = self._waiting, self._closed

        # Without a reference to `self`, so that the object is freed when the user drops it.
        def take(frame: Frame) -> None:
            while not closed.is_set():
                try:
                    return waiting.put(frame, timeout=POLL_INTERVAL)
                except queue.Full:
                    continue

        self._source = listen(FrameCallback(take))
        return self

    def _end(self) -> None:
        """Ends the iteration after the frames that wait, because the source has ended."""
        self._ended.set()

    def _abandon(self) -> None:
        """Ends the iteration, because the engine is closing and must not wait for it."""
        self._closed.set()

    def __iter__(self) -> "Frames":
        return self

    def __next__(self) -> Frame:
        check_owner(self._owner)
        while not self._closed.is_set():
            # Read before the queue: if it is set, all frames are in the queue.
            ended = self._ended.is_set()
            try:
                return self._waiting.get(timeout=0 if ended else POLL_INTERVAL)
            except queue.Empty:
                if ended:
                    break
        raise StopIteration

    def close(self) -> None:
        """Stops capture. Closing again has no effect."""
        check_owner(self._owner)
        self._closed.set()
        if self._source is not None:
            self._source.stop()

    def __enter__(self) -> "Frames":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __del__(self) -> None:
        # In a forked process its lock may be held forever by a thread of the parent.
        if is_owner(getattr(self, "_owner", -1)):
            self._closed.set()

    def __repr__(self) -> str:
        if not is_owner(self._owner):
            return "<Frames: of another process>"
        state = "closed" if self._closed.is_set() else f"{self._waiting.qsize()} waiting"
        return f"<Frames: {state}>"


refuse_copies(Frames, "only one loop can iterate it; listen once and pass the frames on")
