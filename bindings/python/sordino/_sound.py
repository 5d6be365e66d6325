"""Sound as numpy has it, and as the library takes it."""

from typing import Any, Union

import numpy as np
import numpy.typing as npt

#: Sound: mono of shape (n,), or interleaved channels of shape (n, channels).
Sound = Union[npt.NDArray[np.float32], npt.NDArray[np.int16], npt.NDArray[Any]]
#: The same, or bytes and other buffers of 32-bit floats or of 16-bit integers.
SoundOrBuffer = Union[Sound, bytes, bytearray, memoryview, Any]

FULL_SCALE = 32768.0


def contiguous(sound: SoundOrBuffer) -> npt.NDArray[Any]:
    """An array of `sound`, float32 or int16, without copying where that can be."""
    if not isinstance(sound, np.ndarray):
        try:
            sound = np.asarray(memoryview(sound))
        except TypeError:
            raise TypeError(f"sound is an array or a buffer, not {type(sound).__name__}") from None
    if sound.dtype not in (np.float32, np.int16):
        raise TypeError(
            f"sound is float32 or int16, not {sound.dtype}; convert it by samples.astype(np.float32)"
        )
    if sound.ndim not in (1, 2):
        raise ValueError(f"sound has the shape (n,) or (n, channels), not {sound.shape}")
    return np.ascontiguousarray(sound)


def mono_bytes(samples: SoundOrBuffer) -> bytes:
    """Mono 32-bit floats in little-endian bytes, full scale at ±1; the mean of all channels."""
    if isinstance(samples, bytes):
        return samples
    array = np.asarray(samples)
    if array.dtype == np.int16:
        array = array / np.float32(FULL_SCALE)
    elif array.dtype.kind != "f":
        raise TypeError(
            f"samples are floats within ±1 or int16, not {array.dtype}; convert them first"
        )
    if array.ndim == 2:
        array = array.mean(axis=1)
    elif array.ndim != 1:
        raise ValueError(f"samples have the shape (n,) or (n, channels), not {array.shape}")
    return np.ascontiguousarray(array, "<f4").tobytes()


def int16_of(sound: bytes) -> npt.NDArray[np.int16]:
    """The library's 16-bit sound, as an array that is read only."""
    return np.frombuffer(sound, "<i2")
