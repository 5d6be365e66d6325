"""The engine of one device."""

import atexit
import inspect
import os
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol, Union

from ._frames import (
    NO_COROUTINES,
    FrameCallback,
    FrameHandler,
    Frames,
    Stoppable,
    detach_thread,
    refuse_coroutine,
)
from ._pcm_writer import PcmWriter
from ._sordino import sordino as _bindings
from ._sound import SoundOrBuffer, mono_bytes

if TYPE_CHECKING:
    from typing_extensions import Self


class EventHandler(Protocol):
    """An object with `on_event`."""

    def on_event(self, event: Any) -> None: ...


#: A function of a frame, or an object with `on_frame`.
Listener = Union[FrameHandler, Callable[[Any], object]]
#: A function of an event, or an object with `on_event`.
OnEvent = Union[EventHandler, Callable[[Any], object]]


class Sordino(_bindings.Engine):
    """The engine of one device. It captures audio for the app's recognizer and, only if the person has
    consented, makes anonymous, encrypted samples of it.

    All methods may be called from any thread; long calls can be awaited with `asyncio.to_thread`. Only one engine at a
    time can open a state folder. As a context manager it is closed at the end, which releases the folder.

    It belongs to the process that opened it: it cannot be copied or pickled, and in a process forked from
    this one, for example by `multiprocessing`, every call raises `SordinoError.Closed` and accesses no state.
    """

    _dispatcher: "_EventDispatcher"

    def __init__(self, *_: object, **__: object) -> None:
        raise TypeError("open an engine with Sordino.open(folder, organization_key, collector_url)")

    @classmethod
    def open(
        cls,
        folder: "Union[str, os.PathLike[str]]",
        organization_key: str,
        collector_url: str,
        *,
        review_required: bool = False,
        quota: "Optional[tuple[int, int]]" = None,
        on_event: Optional[OnEvent] = None,
    ) -> "Self":
        """Opens the engine on its state folder.

        `folder` holds the state and is created if it is missing; nothing else may write there. `organization_key` is
        the organization's Ed25519 public key, 64 hexadecimal digits, pinned in the app: only plans signed with it are
        accepted. `collector_url` is the collector's URL: `https://…`, or `http://…` on the same machine.

        With `review_required` the person hears each sample before it is sealed, even if the plan does not require
        it: see `previews`. `quota` limits the samples and the bytes that wait to be sent; the default is 200 samples
        and 32 MiB. The oldest are dropped first. `on_event` receives events, like the listener of
        `set_event_listener`.

        Raises `SordinoError.State` if the folder cannot be used or is open in another engine, `.Damaged`
        if only `reset` helps, and `.Argument` for an invalid key or URL.
        """
        dispatcher = _EventDispatcher()
        dispatcher.listener = _event_function(on_event)
        builder = _bindings.EngineBuilder(os.fspath(folder), organization_key, collector_url)
        builder = builder.event_listener(dispatcher)
        if review_required:
            builder = builder.review_required()
        if quota is not None:
            builder = builder.quota(*quota)
        opened = builder.open()
        engine = cls._uniffi_make_instance(opened._uniffi_clone_handle())
        engine._dispatcher = dispatcher
        _engines.add(engine)
        return engine

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def set_event_listener(self, listener: Optional[OnEvent]) -> None:
        """Sets the listener for events: a function, or an object with `on_event`. It is called on the thread on which
        an event occurs, and errors that it raises are ignored. None removes it.

        Raises TypeError if it is not callable, and for a coroutine function, which would never be awaited."""
        self._check_usable()
        self._dispatcher.listener = _event_function(listener)

    def listen_to_pcm_source(
        self, rate: int, channels: int = 1, listener: Optional[Listener] = None
    ) -> PcmWriter:
        """Captures the app's own audio: `channels` interleaved channels at `rate` Hz, which the app pushes into the
        writer. `listener`, a function or an object with `on_frame`, receives mono frames of 10 ms, on a thread of the
        engine, which waits for it. If consent and plan allow it, moments of the audio become samples.

        Raises `SordinoError.AlreadyListening` if a session is open, and `.Capture` for an unsupported format.
        """
        opened = super().listen_to_pcm_source(rate, channels, _frame_callback(listener))
        writer = PcmWriter._uniffi_make_instance(opened._uniffi_clone_handle())
        writer._begin(rate, channels)
        return writer

    def listen_to_microphone(
        self, device: Optional[str] = None, listener: Optional[Listener] = None
    ) -> _bindings.CaptureSession:
        """Captures the microphone: the system's default one, or the `device` with an id from `input_devices`.
        `listener` is as in `listen_to_pcm_source`. A microphone that is lost is reopened; events report it.

        Raises `SordinoError.AlreadyListening` if a session is open, `.NoDevice` if there is no
        microphone, `.PermissionDenied` if the app may not use it, and `.DeviceBusy` if another app has it.
        """
        return super().listen_to_microphone(device, _frame_callback(listener))

    def frames(self, device: Optional[str] = None) -> Frames:
        """The frames of the microphone, to iterate: `for frame in engine.frames(): …`. Capture starts with this call,
        and ends when the iterator is dropped or `close` is called.

        Raises as `listen_to_microphone` does.
        """
        return self._frames(lambda callback: self.listen_to_microphone(device, callback))

    def _frames(self, listen: Callable[[FrameCallback], Stoppable]) -> Frames:
        self._check_usable()
        frames = Frames()
        self._dispatcher.frames.add(frames)
        return frames._begin(listen)

    def close(self) -> None:
        """Stops capture, seals the selected clips, and releases the state folder. Every later call raises
        `SordinoError.Closed`. Closing again has no effect.

        Raises the error of the capture session if that had failed; the engine is closed nevertheless.
        """
        self._check_usable()
        for frames in list(self._dispatcher.frames):
            frames._abandon()
        super().close()

    def submit(
        self,
        samples: SoundOrBuffer,
        rate: int,
        annotation: Optional[_bindings.Annotation] = None,
    ) -> _bindings.SubmitOutcome:
        """Submits a recording as one sample, like a mark of the app: it skips the random selection, but not
        consent, the budget and the anonymizer. A recording longer than the plan's clip is cut to its end. The
        call takes a fraction of a second.

        `samples` are floats within ±1 or int16, of shape (n,) or (n, channels), at `rate` Hz; bytes are mono
        32-bit floats, little-endian. The annotation's times are seconds from the start of the recording.

        Raises TypeError for another dtype, `SordinoError.Argument` for bytes that are not whole floats, `.Clip`
        for an empty recording, NaN, or a rate outside 8 to 384 kHz, and `.Annotation`.
        """
        return super().submit(mono_bytes(samples, rate), rate, annotation)

    def _check_usable(self) -> None:
        """Raises if the object has no engine, and in a forked process."""
        self._handle  # noqa: B018, reading it checks it

    def __repr__(self) -> str:
        try:
            status = self.status()
        except (_bindings.SordinoError, TypeError) as error:
            return f"<Sordino: {error}>"
        return f"<Sordino: {status.consent.name}, {status.pending} pending, {status.sent} sent>"


class _EventDispatcher(_bindings.EventListener):
    """Passes events to the app, and ends iterators of frames when the source ends."""

    def __init__(self) -> None:
        self.listener: Optional[Callable[[Any], object]] = None
        self.frames: "weakref.WeakSet[Frames]" = weakref.WeakSet()

    def on_event(self, event: Any) -> None:
        listener = self.listener
        try:
            if listener is not None:
                refuse_coroutine(listener(event))
        except TypeError as error:
            # Errors of listeners are ignored; but this one is a misuse of the API.
            if NO_COROUTINES in str(error):
                warnings.warn(str(error), RuntimeWarning, stacklevel=2)
            raise
        finally:
            if event.is_capture() and event.event.is_ended():
                for frames in list(self.frames):
                    frames._end()
                detach_thread()


def _frame_callback(listener: Optional[Listener]) -> Optional[FrameCallback]:
    if listener is None or isinstance(listener, FrameCallback):
        return listener
    return FrameCallback(_function(listener, "on_frame"))


def _event_function(listener: Optional[OnEvent]) -> Optional[Callable[[Any], object]]:
    return None if listener is None else _function(listener, "on_event")


def _function(listener: Any, method: str) -> Callable[[Any], object]:
    function = getattr(listener, method, listener)
    if not callable(function):
        raise TypeError(f"a listener must be a function or have {method}, not {type(listener).__name__}")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):
        raise TypeError(f"{NO_COROUTINES}; {method} is a coroutine function")
    bound: Callable[[Any], object] = function
    return bound


_engines: "weakref.WeakSet[Sordino]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    # Calling a listener while the interpreter shuts down would crash the process.
    for engine in list(_engines):
        try:
            engine.close()
        except _bindings.SordinoError:
            pass  # the capture session had failed, and the program ends
