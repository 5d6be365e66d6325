"""What is known of a sample: `docs/manifest.schema.json`, as types."""

from typing import List, Optional, Tuple, TypedDict


class ManifestNote(TypedDict, total=False):
    """A note, in seconds of what the microphone delivered."""

    midi: int
    onset: float
    offset: Optional[float]


class ManifestAnnotation(TypedDict, total=False):
    """What the app said of it."""

    expected: List[ManifestNote]
    recognized: List[ManifestNote]
    tag: Optional[str]


class ManifestRemoval(TypedDict):
    """A stretch that was taken out, and why: `voice` or `fragment`."""

    start_s: float
    end_s: float
    reason: str


class ManifestSelection(TypedDict):
    """Why the moment was chosen, `mark` or `random`, and with what probability: one over it is its weight."""

    trigger: str
    probability: float


class ManifestAnonymizer(TypedDict):
    """What took out the voices, and how it was set."""

    name: str
    version: str
    threshold: float
    gate_threshold: float
    padding_s: float
    shortest_kept_s: float
    keep_time: bool
    rate: int


class Manifest(TypedDict):
    """`manifest.json`. Times are seconds of what the microphone delivered, before anything was taken out."""

    schema: int
    sample: str
    purposes: List[str]
    consent: str
    notice_version: int
    week: str
    sdk_version: str
    platform: str
    input_rate: int
    rate: int
    kept: List[Tuple[float, float]]
    removed: List[ManifestRemoval]
    erased: List[Tuple[float, float]]
    selection: ManifestSelection
    annotation: ManifestAnnotation
    anonymizer: ManifestAnonymizer
