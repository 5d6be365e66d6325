"""Writing the app's own audio into a capture session."""

import ctypes
import math
import time
import warnings
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import numpy.typing as npt

from ._sordino import sordino as _bindings
from ._sound import SoundOrBuffer, interleaved_of

if TYPE_CHECKING:
    from typing_extensions import Self

_internals: Any = _bindings
_BYTE = ctypes.POINTER(ctypes.c_char)
_new_status = _internals._UniffiRustCallStatus
_bytes_at = _internals._UniffiForeignBytes
_clone = _internals._UniffiLib.uniffi_sordino_fn_clone_pcmwriter
_push_f32 = _internals._UniffiLib.uniffi_sordino_fn_method_pcmwriter_push
_push_i16 = _internals._UniffiLib.uniffi_sordino_fn_method_pcmwriter_push_i16
_write_f32 = _internals._UniffiLib.uniffi_sordino_fn_method_pcmwriter_write
_write_i16 = _internals._UniffiLib.uniffi_sordino_fn_method_pcmwriter_write_i16


class PcmWriter(_bindings.PcmWriter):
    """Writes the app's own audio into a capture session. As a context manager it stops the session at the end.

    Its buffer holds two seconds. `push`, for an audio callback, never waits: frames that do not fit are dropped. `write`,
    for a recording, waits for space.
    """

    _channels: int
    _rate: int
    _has_warned: bool

    def _begin(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._channels = channels
        self._has_warned = False

    def push(self, interleaved: SoundOrBuffer) -> int:
        """Pushes audio of shape (n,) or (n, channels): float32, full scale at ±1, or int16; or a buffer of these; or
        bytes, which are 32-bit floats, little-endian. The audio is not copied on the way to the library.

        It never waits. Returns how many frames were dropped because the buffer of two seconds was full. The event
        `CaptureEvent.OVERRUN` reports them too, and the first time a RuntimeWarning. NaN and infinity become
        silence and are reported as an event.

        Raises TypeError for another type, dtype or shape, such as (channels, n),
        `SordinoError.Argument` for audio that is not whole frames of all channels, and `SordinoError.Stopped`
        after `stop`.
        """
        return self._push(interleaved, _push_f32)

    def push_i16(self, interleaved: SoundOrBuffer) -> int:
        """As `push`, but bytes are 16-bit integers, little-endian."""
        return self._push(interleaved, _push_i16)

    def write(self, interleaved: SoundOrBuffer, timeout: Optional[float] = None) -> int:
        """As `push`, but waits for space in the buffer, for up to `timeout` seconds or, with None, as long as needed: a
        recording can be written at once.

        Returns how many frames were dropped because there was still no space; 0 means that all were taken. Never call
        it from an audio callback.

        Raises as `push` does, `SordinoError.Argument` if the timeout is negative or NaN, and
        `SordinoError.ListenerBlocked` in a listener, which would wait for itself.
        """
        return self._write(interleaved, timeout, _write_f32)

    def write_i16(self, interleaved: SoundOrBuffer, timeout: Optional[float] = None) -> int:
        """As `write`, but bytes are 16-bit integers, little-endian."""
        return self._write(interleaved, timeout, _write_i16)

    def change_format(self, rate: int, channels: int) -> None:
        """Continues in another format, for example after a headset was connected or removed. Positions count from 0
        again. What was pushed before still arrives, unless the format changes again at once.

        Raises `SordinoError.Capture` for an unsupported format; the writer then keeps the old one.
        """
        super().change_format(rate, channels)
        self._rate, self._channels = rate, channels

    def _push(self, sound: SoundOrBuffer, function_for_bytes: Any) -> int:
        if type(sound) is bytes:
            lost = self._call(function_for_bytes, sound, len(sound))
        else:
            array = self._array_of(sound)
            function = {np.int16: _push_i16, np.float32: _push_f32}.get(array.dtype.type, function_for_bytes)
            lost = self._call(function, array.ctypes.data, array.nbytes)
        if lost and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"{lost} frames were dropped because the buffer is full: push no faster than real time, or use write, "
                "which waits for space",
                RuntimeWarning,
                stacklevel=3,
            )
        return lost

    def _write(self, sound: SoundOrBuffer, timeout: Optional[float], function_for_bytes: Any) -> int:
        array = self._array_of(sound)
        function = {np.int16: _write_i16, np.float32: _write_f32}.get(array.dtype.type, function_for_bytes)
        address, size = array.ctypes.data, array.nbytes
        left = math.inf if timeout is None else float(timeout)
        deadline = time.monotonic() + left
        frame_bytes = self._channels * (2 if function is _write_i16 else 4)
        # One second at a time, so that a KeyboardInterrupt is handled in between. Audio that is not whole frames is not
        # split, so that it is refused as a whole.
        chunk = size if size % frame_bytes else self._rate * frame_bytes
        lost = 0
        for start in range(0, max(size, 1), max(chunk, 1)):
            lost += self._call(function, address + start, min(chunk, size - start), left)
            left = max(0.0, deadline - time.monotonic())
        return lost

    def _array_of(self, sound: SoundOrBuffer) -> npt.NDArray[Any]:
        """The array of the audio, or of its bytes; audio in the right layout is not copied."""
        self._handle  # noqa: B018, raises if there is no writer
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
