"""The app's own audio path."""

import ctypes
import math
import time
import warnings
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import numpy.typing as npt

from ._sordino import sordino as _face
from ._sound import SoundOrBuffer, interleaved_of

if TYPE_CHECKING:
    from typing_extensions import Self

_internals: Any = _face
_BYTE = ctypes.POINTER(ctypes.c_char)
_new_status = _internals._UniffiRustCallStatus
_bytes_at = _internals._UniffiForeignBytes
_clone = _internals._UniffiLib.uniffi_sordino_fn_clone_feed
_push_f32 = _internals._UniffiLib.uniffi_sordino_fn_method_feed_push
_push_i16 = _internals._UniffiLib.uniffi_sordino_fn_method_feed_push_i16
_write_f32 = _internals._UniffiLib.uniffi_sordino_fn_method_feed_write
_write_i16 = _internals._UniffiLib.uniffi_sordino_fn_method_feed_write_i16


class Feed(_face.Feed):
    """The app's own audio path, being heard. As a context manager it stops at the end.

    It has room for two seconds. `push` never waits, for an audio callback: what finds no room is lost. `write`
    waits for room, for a recording.
    """

    _channels: int
    _rate: int
    _has_warned: bool

    def _begin(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._channels = channels
        self._has_warned = False

    def push(self, interleaved: SoundOrBuffer) -> int:
        """Takes sound of shape (n,) or (n, channels): float32, full scale at ±1, or int16; or a buffer of
        such; or bytes, which are 32-bit floats, little-endian. Nothing is copied before the library takes it.

        It never waits. Returns how many frames found no room and are lost, because they came faster than they
        were taken: room is for two seconds. An event tells of it, `CaptureEvent.OVERRUN`, and for the first of
        them a RuntimeWarning. NaN becomes silence and is told as an event.

        Raises TypeError for what is no sound, of another dtype, or of another shape, such as (channels, n),
        `SordinoError.Argument` for sound that is not whole frames of all channels, and `SordinoError.Listening`
        once it was stopped.
        """
        return self._push(interleaved, _push_f32)

    def push_i16(self, interleaved: SoundOrBuffer) -> int:
        """As `push`, where bytes are 16-bit integers, little-endian."""
        return self._push(interleaved, _push_i16)

    def write(self, interleaved: SoundOrBuffer, timeout: Optional[float] = None) -> int:
        """As `push`, but waits for room, for up to `timeout` seconds or, with None, as long as it takes: a
        recording can be written at once.

        Returns how many frames still found no room and are lost; 0 means that everything was taken. Never call
        it from an audio callback.

        Raises as `push` does, `SordinoError.Argument` for a negative timeout or NaN, and
        `SordinoError.Listening` in a listener, which is what makes room.
        """
        return self._write(interleaved, timeout, _write_f32)

    def write_i16(self, interleaved: SoundOrBuffer, timeout: Optional[float] = None) -> int:
        """As `write`, where bytes are 16-bit integers, little-endian."""
        return self._write(interleaved, timeout, _write_i16)

    def change_format(self, rate: int, channels: int) -> None:
        """Goes on in another format, as after a headset came or went: positions count from 0 again. What was
        pushed before still arrives, unless the format changes again at once.

        Raises `SordinoError.Capture` for a format that cannot be taken; the feed then goes on as before.
        """
        super().change_format(rate, channels)
        self._rate, self._channels = rate, channels

    def _push(self, sound: SoundOrBuffer, of_bytes: Any) -> int:
        if type(sound) is bytes:
            lost = self._call(of_bytes, sound, len(sound))
        else:
            array = self._array_of(sound)
            function = {np.int16: _push_i16, np.float32: _push_f32}.get(array.dtype.type, of_bytes)
            lost = self._call(function, array.ctypes.data, array.nbytes)
        if lost and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"{lost} frames found no room and are lost: push as fast as sound is played, or write a recording, "
                "which waits for room",
                RuntimeWarning,
                stacklevel=3,
            )
        return lost

    def _write(self, sound: SoundOrBuffer, timeout: Optional[float], of_bytes: Any) -> int:
        array = self._array_of(sound)
        function = {np.int16: _write_i16, np.float32: _write_f32}.get(array.dtype.type, of_bytes)
        address, size = array.ctypes.data, array.nbytes
        left = math.inf if timeout is None else float(timeout)
        deadline = time.monotonic() + left
        frame_bytes = self._channels * (2 if function is _write_i16 else 4)
        # By the second, so that a KeyboardInterrupt comes through in between; what is not whole frames is refused whole.
        piece = size if size % frame_bytes else self._rate * frame_bytes
        lost = 0
        for start in range(0, max(size, 1), max(piece, 1)):
            lost += self._call(function, address + start, min(piece, size - start), left)
            left = max(0.0, deadline - time.monotonic())
        return lost

    def _array_of(self, sound: SoundOrBuffer) -> npt.NDArray[Any]:
        """Bytes stay bytes, and nothing is copied that lies as the library takes it."""
        self._handle  # noqa: B018, without one there is no format either
        if isinstance(sound, (bytes, bytearray)):
            return np.frombuffer(sound, np.uint8) if sound else np.empty(0, np.uint8)
        return interleaved_of(sound, self._channels)

    def _call(self, function: Any, sound: Any, size: int, *more: float) -> int:
        status = _new_status()
        where = ctypes.byref(status)
        handle = _clone(self._handle, where)
        lost: int = function(handle, _bytes_at(size, ctypes.cast(sound, _BYTE)), *more, where)
        if status.code:
            _internals._uniffi_check_call_status(
                _internals._UniffiFfiConverterTypeSordinoError, status
            )
        return lost

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()
