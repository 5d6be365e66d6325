"""The manifest of a sample: `docs/manifest.schema.json` as types."""

from typing import List, Optional, Tuple, TypedDict


class ManifestNote(TypedDict, total=False):
    """A note, in seconds of the recording."""

    midi: int
    onset: float
    offset: Optional[float]


class ManifestAnnotation(TypedDict, total=False):
    """The app's annotation."""

    expected: List[ManifestNote]
    recognised: List[ManifestNote]
    tag: Optional[str]


class ManifestRemoval(TypedDict):
    """A removed part, with its reason: `voice` or `fragment`."""

    start_s: float
    end_s: float
    reason: str


class ManifestSelection(TypedDict):
    """The trigger, `mark` or `random`, and the probability of selection; one over it is the weight of the sample."""

    trigger: str
    probability: float


class ManifestAnonymizer(TypedDict):
    """The anonymizer and its settings."""

    name: str
    version: str
    threshold: float
    gate_threshold: float
    padding_s: float
    shortest_kept_s: float
    keep_time: bool
    rate: int


class Manifest(TypedDict):
    """`manifest.json`. Times are seconds of the recording, before anything was removed."""

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
