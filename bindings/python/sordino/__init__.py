"""Sordino captures music practice for an app's recognizer, and makes anonymous, encrypted samples of it where
the person has consented.

On a device begin with `Sordino.open`; at the desk with `Dataset`, `open_sample` and `anonymize`.
"""

from importlib import metadata as _metadata

# First: what all that follows is made of.
from . import _arguments, _handles  # noqa: F401  # isort: skip
from ._anonymize import Anonymized, anonymize
from ._dataset import Dataset
from ._errors import NoteErrors
from ._engine import Sordino
from ._feed import Feed
from ._frames import Frame, Frames
from ._manifest import Manifest
from ._records import PreviewSound
from ._sample import OpenedSample, open_sample
from ._sordino.sordino import (
    Access,
    Accesses,
    AgeBand,
    Annotation,
    BundledNotice,
    CaptureEvent,
    ConsentState,
    ConsentStatus,
    Event,
    EventListener,
    Finished,
    FrameListener,
    GuardianMethod,
    Header,
    InputDevice,
    InternalError,
    LibraryFeatures,
    Listening,
    Marked,
    Moment,
    MomentNote,
    Note,
    Notice,
    NoticeSection,
    Offer,
    OpenError,
    Outcome,
    Plan,
    Preview,
    Purpose,
    RemovalReason,
    RemovedSpan,
    Request,
    RequestBody,
    Sample,
    SampleState,
    SordinoError,
    SoundSpan,
    SourceFormat,
    Status,
    Trigger,
    UploadSummary,
    WithheldReason,
    WithheldSound,
    Withdrawal,
    bundled_notice,
    input_devices,
    library_features,
    reset,
)

#: The version of the package, as it is installed.
__version__: str = _metadata.version("sordino")

__all__ = [
    "Access",
    "Accesses",
    "AgeBand",
    "Annotation",
    "Anonymized",
    "BundledNotice",
    "CaptureEvent",
    "ConsentState",
    "ConsentStatus",
    "Dataset",
    "Event",
    "EventListener",
    "Feed",
    "Finished",
    "Frame",
    "FrameListener",
    "Frames",
    "GuardianMethod",
    "Header",
    "InputDevice",
    "InternalError",
    "LibraryFeatures",
    "Listening",
    "Manifest",
    "Marked",
    "Moment",
    "MomentNote",
    "Note",
    "NoteErrors",
    "Notice",
    "NoticeSection",
    "Offer",
    "OpenError",
    "OpenedSample",
    "Outcome",
    "Plan",
    "Preview",
    "PreviewSound",
    "Purpose",
    "RemovalReason",
    "RemovedSpan",
    "Request",
    "RequestBody",
    "Sample",
    "SampleState",
    "Sordino",
    "SordinoError",
    "SoundSpan",
    "SourceFormat",
    "Status",
    "Trigger",
    "UploadSummary",
    "WithheldReason",
    "WithheldSound",
    "Withdrawal",
    "anonymize",
    "bundled_notice",
    "input_devices",
    "library_features",
    "open_sample",
    "reset",
]
