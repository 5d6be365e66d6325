"""Conversion of audio between numpy and the library."""

from typing import Any, Union

import numpy as np
import numpy.typing as npt

from ._sordino import sordino as _bindings

#: Audio: mono of shape (n,), or interleaved channels of shape (n, channels).
Sound = Union[npt.NDArray[np.float32], npt.NDArray[np.int16], npt.NDArray[Any]]
#: The same, or bytes and other buffers of 32-bit floats or of 16-bit integers.
SoundOrBuffer = Union[Sound, bytes, bytearray, memoryview, Any]

FULL_SCALE = 32768.0


def interleaved_of(sound: SoundOrBuffer, channels: int) -> npt.NDArray[Any]:
    """`sound` as an array, float32 or int16, of `channels` interleaved channels; not copied if possible."""
    if not isinstance(sound, np.ndarray):
        try:
            sound = np.asarray(memoryview(sound))
        except TypeError:
            raise TypeError(
                f"sound must be an array or a buffer, not {type(sound).__name__}; convert it by "
                "numpy.asarray(sound, numpy.float32)"
            ) from None
    if sound.dtype not in (np.float32, np.int16):
        raise TypeError(f"sound must be float32 or int16, not {sound.dtype}{_conversion(sound.dtype)}")
    if sound.ndim not in (1, 2):
        raise ValueError(f"sound must have the shape (n,) or (n, channels), not {sound.shape}")
    if sound.ndim == 2 and sound.shape[1] != channels:
        if sound.shape[0] == channels:
            raise TypeError(f"{_channels_first(sound)}, which is of shape (n, {channels})")
        raise TypeError(
            f"sound of shape {sound.shape} has {sound.shape[1]} channels, and the writer has {channels}; "
            "set the number of channels with listen_to_pcm_source or change_format"
        )
    return np.ascontiguousarray(sound)


def mono_bytes(samples: SoundOrBuffer, rate: int) -> bytes:
    """`samples` as mono 32-bit floats in little-endian bytes, full scale at ±1: the mean of all channels, which do not cancel."""
    if isinstance(samples, (bytes, bytearray)):
        return bytes(samples)
    array = np.asarray(samples)
    if array.dtype == np.int16:
        array = array / np.float32(FULL_SCALE)
    elif array.dtype.kind != "f":
        raise TypeError(
            f"samples must be floats within ±1 or int16, not {array.dtype}{_conversion(array.dtype)}"
        )
    if array.ndim == 2:
        # No recording has more channels than frames.
        if array.shape[1] > array.shape[0] > 0:
            raise TypeError(f"{_channels_first(array)}, of shape (n, channels)")
        if array.shape[1] > 1:
            interleaved = np.ascontiguousarray(array, "<f4").tobytes()
            return _bindings.downmix(interleaved, rate, array.shape[1])
        array = array.reshape(-1)
    elif array.ndim != 1:
        raise ValueError(f"samples must have the shape (n,) or (n, channels), not {array.shape}")
    return np.ascontiguousarray(array, "<f4").tobytes()


def _channels_first(sound: npt.NDArray[Any]) -> str:
    return f"sound of shape {sound.shape} has its channels first; transpose it: sound.T"


def _conversion(dtype: npt.DTypeLike) -> str:
    """The conversion to suggest for audio of another dtype."""
    kind = np.dtype(dtype)
    if kind.kind == "f" or kind.newbyteorder("=") == np.int16:
        return "; convert it by sound.astype(numpy.float32)" if kind.kind == "f" else (
            "; convert it by sound.astype(numpy.int16)"
        )
    if kind.kind == "i":
        full = f"2.0**{8 * kind.itemsize - 1}"
        return f"; if its full scale is {full}, convert it by (sound / {full}).astype(numpy.float32)"
    if kind.kind == "u":
        full = f"2.0**{8 * kind.itemsize - 1}"
        return f"; if its zero is {full}, convert it by (sound / {full} - 1).astype(numpy.float32)"
    return "; convert it to floats within ±1 first"


def int16_of(sound: bytes) -> npt.NDArray[np.int16]:
    """16-bit audio of the library as a read-only array."""
    return np.frombuffer(sound, "<i2")
