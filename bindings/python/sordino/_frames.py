"""Frames on their way into Python: a hundred a second, each in one step.

UniFFI's own way reads a frame field by field, and a thread that is not Python's is made known to the
interpreter anew for each call, which costs more than the frame. Here a frame is one read, and the engine's
thread stays known until its source has ended.
"""

import ctypes
import inspect
import queue
import struct
import threading
from typing import Any, Callable, Optional, Protocol

import numpy as np
import numpy.typing as npt

from ._handles import check_made_here, is_made_here, made_here, refuse_copies
from ._sordino import sordino as _face

#: Frames that may wait for whoever iterates; beyond them the engine's own room of two seconds fills.
WAITING = 50
#: Seconds after which a full queue looks whether anybody still iterates.
LOOK = 0.1

NO_COROUTINES = (
    "a listener is an ordinary function, called on a thread of the engine's: hand over what it gets by "
    "loop.call_soon_threadsafe or asyncio.run_coroutine_threadsafe"
)

_internals: Any = _face
_TAIL = struct.Struct(">IQQ")  # rate, position, lost
_LENGTH_BYTES = 4


class Frame(_face.Frame):
    """A stretch of captured sound: 10 ms, or shorter where something was lost after it."""

    @property
    def array(self) -> npt.NDArray[np.float32]:
        """The samples: mono, full scale at ±1, finite. They are not copied, and so read only."""
        return np.frombuffer(self.samples, "<f4")

    def __len__(self) -> int:
        return len(self.samples) // 4

    def __repr__(self) -> str:
        lost = f", {self.lost} lost before it" if self.lost else ""
        return f"<Frame at {self.position}: {len(self)} samples at {self.rate} Hz{lost}>"

    __str__ = __repr__


def _lift(buffer: Any) -> Frame:
    """A frame of the library's, which is given back at once: the bytes' length, the bytes, the rest."""
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

# What belongs to the engine's thread, and goes with its state in the interpreter.
_known = threading.local()


def stay_known() -> None:
    """Keeps this thread known to the interpreter after the call out of the library that it is in."""
    if not getattr(_known, "stays", False):
        _known.stays = True
        _known.state = ctypes.pythonapi.PyGILState_Ensure()


def be_forgotten() -> None:
    """Undoes `stay_known`, on the same thread and again in a call out of the library."""
    if getattr(_known, "stays", False):
        _known.stays = False
        ctypes.pythonapi.PyGILState_Release(_known.state)


class TakesFrames(Protocol):
    """Whatever has an `on_frame`."""

    def on_frame(self, frame: Any) -> None: ...


def refuse_coroutine(returned: object) -> None:
    """Nobody would await it, so that the listener would seem to be called and never run."""
    if inspect.iscoroutine(returned):
        returned.close()
        raise TypeError(f"{NO_COROUTINES}; this one returned a coroutine")


class Ear(_face.FrameListener):
    """What the library calls: hands each frame on to a function."""

    def __init__(self, call: Callable[[Frame], object]) -> None:
        self.call = call

    def on_frame(self, frame: Any) -> None:
        stay_known()
        refuse_coroutine(self.call(frame))


class Stops(Protocol):
    """What is being heard."""

    def stop(self) -> None: ...


class Frames:
    """The frames of what is being heard, to iterate: `for frame in engine.microphone(): …`.

    Iteration waits for the next frame, and ends when the source ends or `close` is called. Whoever is slower
    than the sound loses some after two and a half seconds, which the next frame tells in `lost`. Letting go
    of the object closes the source.
    """

    def __init__(self) -> None:
        self._waiting: "queue.Queue[Frame]" = queue.Queue(WAITING)
        self._ended = threading.Event()
        self._closed = threading.Event()
        self._source: Optional[Stops] = None
        self._made = made_here()

    def _begin(self, listen: Callable[[Ear], Stops]) -> "Frames":
        waiting, closed = self._waiting, self._closed

        # It does not know the object, which so goes when its user lets go of it.
        def take(frame: Frame) -> None:
            while not closed.is_set():
                try:
                    return waiting.put(frame, timeout=LOOK)
                except queue.Full:
                    continue

        self._source = listen(Ear(take))
        return self

    def _end(self) -> None:
        """The source has ended: what waits is still given."""
        self._ended.set()

    def _abandon(self) -> None:
        """The engine is being shut down, and must not wait for whoever iterates."""
        self._closed.set()

    def __iter__(self) -> "Frames":
        return self

    def __next__(self) -> Frame:
        check_made_here(self._made)
        while not self._closed.is_set():
            # Looked at first: what is put in before the end is in the queue then.
            ended = self._ended.is_set()
            try:
                return self._waiting.get(timeout=0 if ended else LOOK)
            except queue.Empty:
                if ended:
                    break
        raise StopIteration

    def close(self) -> None:
        """Stops listening. Closing twice does no harm."""
        check_made_here(self._made)
        self._closed.set()
        if self._source is not None:
            self._source.stop()

    def __enter__(self) -> "Frames":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __del__(self) -> None:
        # A thread of the other process may hold its lock for ever here.
        if is_made_here(getattr(self, "_made", -1)):
            self._closed.set()

    def __repr__(self) -> str:
        if not is_made_here(self._made):
            return "<Frames: of another process>"
        state = "closed" if self._closed.is_set() else f"{self._waiting.qsize()} waiting"
        return f"<Frames: {state}>"


refuse_copies(Frames, "it is what one loop iterates; listen once and hand the frames on")
