"""The engine of one device, as Python has it."""

import atexit
import inspect
import os
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol, Union

from ._feed import Feed
from ._frames import NO_COROUTINES, Ear, Frames, Stops, TakesFrames, be_forgotten, refuse_coroutine
from ._sordino import sordino as _face
from ._sound import SoundOrBuffer, mono_bytes

if TYPE_CHECKING:
    from typing_extensions import Self


class TakesEvents(Protocol):
    """Whatever has an `on_event`."""

    def on_event(self, event: Any) -> None: ...


#: A function of a frame, or an object with `on_frame`.
Listener = Union[TakesFrames, Callable[[Any], object]]
#: A function of an event, or an object with `on_event`.
OnEvent = Union[TakesEvents, Callable[[Any], object]]


class Sordino(_face.Sordino):
    """The engine of one device: captures sound for the app's recognizer and, only where the person has
    consented, makes anonymous, encrypted samples of it.

    It may be called from many threads; what takes long can be awaited by `asyncio.to_thread`. One engine at a
    time has a state folder open. As a context manager it is shut down at the end, which gives the folder back.

    It belongs to the process that opened it: it cannot be copied or pickled, and in a process that is forked from
    this one, as by `multiprocessing`, every call raises `SordinoError.Closed` and touches nothing.
    """

    _hub: "_Hub"

    def __init__(self, *_: object, **__: object) -> None:
        raise TypeError("an engine is opened by Sordino.open(folder, organization_key, collector_url)")

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
        """Opens the engine on its state folder, making it where it is new.

        `folder` is where the state lives; nobody else writes there. `organization_key` is the organization's
        Ed25519 public key, 64 hexadecimal digits, pinned in the app: only its plans count. `collector_url` is
        where samples go: `https://…`, or `http://…` on this very machine.

        With `review_required` the person hears each sample before it is sealed, whether or not the plan asks
        for that: see `previews`. `quota` is how many samples and how many bytes may wait to be sent, 200 and 32 MiB
        otherwise; the oldest go first. `on_event` is told what happens, as by `set_event_listener`.

        Raises `SordinoError.State` where the folder cannot be used or is open in another engine, `.Damaged`
        where only `reset` helps, and `.Argument` for a key or a URL that is none.
        """
        hub = _Hub()
        hub.listener = _event_function(on_event)
        builder = _face.SordinoBuilder(os.fspath(folder), organization_key, collector_url)
        builder = builder.event_listener(hub)
        if review_required:
            builder = builder.review_required()
        if quota is not None:
            builder = builder.quota(*quota)
        face = builder.open()
        engine = cls._uniffi_make_instance(face._uniffi_clone_handle())
        engine._hub = hub
        _engines.add(engine)
        return engine

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *raised: object) -> None:
        self.shut_down()

    def set_event_listener(self, listener: Optional[OnEvent]) -> None:
        """Has `listener`, a function or an object with `on_event`, told of what happens, on the thread on which
        it happens; nobody with None. What it raises goes nowhere.

        Raises TypeError for what is no function, and for a coroutine function, which nobody would await."""
        self._check_open_here()
        self._hub.listener = _event_function(listener)

    def listen_to_host(
        self, rate: int, channels: int = 1, listener: Optional[Listener] = None
    ) -> Feed:
        """Hears the app's own audio path: push into the feed what the app records, `channels` interleaved
        channels at `rate` Hz. `listener`, a function or an object with `on_frame`, gets it back as mono frames
        of 10 ms, on a thread of the engine's, which waits for it. Where consent and plan allow it, moments of
        what is heard become samples.

        Raises `SordinoError.Listening` where the engine listens already, and `.Capture` for a format that
        cannot be taken.
        """
        face = super().listen_to_host(rate, channels, _ear(listener))
        feed = Feed._uniffi_make_instance(face._uniffi_clone_handle())
        feed._begin(rate, channels)
        return feed

    def listen_to_microphone(
        self, device: Optional[str] = None, listener: Optional[Listener] = None
    ) -> _face.Listening:
        """Hears the machine's microphone: the system's default one, or the `device` with an id from
        `input_devices`. `listener` is as in `listen_to_host`. A microphone that goes away is opened anew;
        events tell.

        Raises `SordinoError.Listening` where the engine listens already, and `.Capture` where there is no
        microphone or the app may not use it.
        """
        return super().listen_to_microphone(device, _ear(listener))

    def microphone(self, device: Optional[str] = None) -> Frames:
        """The microphone's frames, to iterate: `for frame in engine.microphone(): …`. It listens from now on,
        until the iteration is left or `close` is called.

        Raises as `listen_to_microphone` does.
        """
        return self._frames(lambda ear: self.listen_to_microphone(device, ear))

    def _frames(self, listen: Callable[[Ear], Stops]) -> Frames:
        self._check_open_here()
        frames = Frames()
        self._hub.frames.add(frames)
        return frames._begin(listen)

    def shut_down(self) -> None:
        """Stops listening, seals what was chosen, and gives the state folder back. Every later call raises
        `SordinoError.Closed`; shutting down twice does no harm.

        Raises `SordinoError.Capture` where what was being heard had ended by a fault; the engine is shut down
        then too.
        """
        self._check_open_here()
        for frames in list(self._hub.frames):
            frames._abandon()
        super().shut_down()

    def offer(
        self,
        samples: SoundOrBuffer,
        rate: int,
        annotation: Optional[_face.Annotation] = None,
    ) -> _face.Offer:
        """Offers a recording as one sample, as the app's own mark does: it skips the random draw and keeps
        consent, the budget and the anonymizer's gate. A longer one than the plan's clip is cut to its end. The
        call takes a fraction of a second.

        `samples` are floats within ±1 or int16, of shape (n,) or (n, channels), at `rate` Hz; bytes are mono
        32-bit floats, little-endian. The annotation's times are seconds from their start.

        Raises TypeError for another dtype, `SordinoError.Argument` for bytes that are not whole floats, `.Clip`
        for no sound, for NaN and for a rate outside 8 to 384 kHz, and `.Annotation`.
        """
        return super().offer(mono_bytes(samples, rate), rate, annotation)

    def _check_open_here(self) -> None:
        """Raises for an object without an engine, and in a forked process."""
        self._handle  # noqa: B018, the look is the check

    def __repr__(self) -> str:
        try:
            status = self.status()
        except (_face.SordinoError, TypeError) as error:
            return f"<Sordino: {error}>"
        return f"<Sordino: {status.consent.name}, {status.pending} pending, {status.sent} sent>"


class _Hub(_face.EventListener):
    """What the engine tells of events: hands them to the app, and knows when the source has ended."""

    def __init__(self) -> None:
        self.listener: Optional[Callable[[Any], object]] = None
        self.frames: "weakref.WeakSet[Frames]" = weakref.WeakSet()

    def on_event(self, event: Any) -> None:
        listener = self.listener
        try:
            if listener is not None:
                refuse_coroutine(listener(event))
        except TypeError as error:
            # What a listener raises goes nowhere, and this is no fault of what it does.
            if NO_COROUTINES in str(error):
                warnings.warn(str(error), RuntimeWarning, stacklevel=2)
            raise
        finally:
            if event.is_capture() and event.event.is_ended():
                for frames in list(self.frames):
                    frames._end()
                be_forgotten()


def _ear(listener: Optional[Listener]) -> Optional[Ear]:
    if listener is None or isinstance(listener, Ear):
        return listener
    return Ear(_function(listener, "on_frame"))


def _event_function(listener: Optional[OnEvent]) -> Optional[Callable[[Any], object]]:
    return None if listener is None else _function(listener, "on_event")


def _function(listener: Any, method: str) -> Callable[[Any], object]:
    function = getattr(listener, method, listener)
    if not callable(function):
        raise TypeError(f"a listener is a function or has {method}, not {type(listener).__name__}")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):
        raise TypeError(f"{NO_COROUTINES}; {method} is a coroutine function")
    bound: Callable[[Any], object] = function
    return bound


_engines: "weakref.WeakSet[Sordino]" = weakref.WeakSet()


@atexit.register
def _shut_down_all() -> None:
    # A listener that is called while the interpreter goes away takes the process down with it.
    for engine in list(_engines):
        try:
            engine.shut_down()
        except _face.SordinoError:
            pass  # what was being heard had ended by a fault; nobody is left to be told
