"""The app's own audio path."""

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from ._sordino import sordino as _face
from ._sound import SoundOrBuffer, contiguous

if TYPE_CHECKING:
    from typing_extensions import Self

_internals: Any = _face
_BYTE = ctypes.POINTER(ctypes.c_char)
_new_status = _internals._UniffiRustCallStatus
_bytes_at = _internals._UniffiForeignBytes
_clone = _internals._UniffiLib.uniffi_sordino_fn_clone_feed
_push_f32 = _internals._UniffiLib.uniffi_sordino_fn_method_feed_push
_push_i16 = _internals._UniffiLib.uniffi_sordino_fn_method_feed_push_i16


class Feed(_face.Feed):
    """The app's own audio path, being heard. As a context manager it stops at the end."""

    def push(self, interleaved: SoundOrBuffer) -> int:
        """Takes sound of shape (n,) or (n, channels): float32, full scale at ±1, or int16; or a buffer of
        such; or bytes, which are 32-bit floats, little-endian. Nothing is copied before the library takes it.

        It never waits. Returns how many frames found no room and are lost, because they came faster than they
        were taken: room is for two seconds. NaN becomes silence and is told as an event.

        Raises TypeError for what is no sound or of another dtype, `SordinoError.Argument` for sound that is not
        whole frames of all channels, and `SordinoError.Listening` once it was stopped.
        """
        if type(interleaved) is bytes:
            return self._push(_push_f32, interleaved, len(interleaved))
        if isinstance(interleaved, bytearray):
            return self.push(bytes(interleaved))
        sound = contiguous(interleaved)
        push = _push_i16 if sound.dtype == np.int16 else _push_f32
        return self._push(push, sound.ctypes.data, sound.nbytes)

    def push_i16(self, interleaved: SoundOrBuffer) -> int:
        """As `push`, where bytes are 16-bit integers, little-endian."""
        if type(interleaved) is bytes:
            return self._push(_push_i16, interleaved, len(interleaved))
        return self.push(interleaved)

    def _push(self, function: Any, sound: Any, size: int) -> int:
        status = _new_status()
        where = ctypes.byref(status)
        handle = _clone(self._handle, where)
        lost: int = function(handle, _bytes_at(size, ctypes.cast(sound, _BYTE)), where)
        if status.code:
            _internals._uniffi_check_call_status(
                _internals._UniffiFfiConverterTypeSordinoError, status
            )
        return lost

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()
