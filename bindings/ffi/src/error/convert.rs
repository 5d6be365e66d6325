//! The SDK's errors as [`Error`]s. A stage of the SDK passes on the errors of the stages that it calls; here each has
//! the kind of the stage in which it arose.

use sordino::{
    Forked, ParseIdError, ParsePurposeError, ParseWeekError, StateError,
    anonymize::AnonymizeError,
    capture::CaptureError,
    consent::{ConsentError, NoticeError},
    outbox::OutboxError,
    plan::PlanError,
    sampler::{AnnotationError, ClipError, MarkError},
    seal::SealError,
    signed::{ParseKeyError, SignedError},
    upload::{EndpointError, ParseUploadTaskError, UploadError},
};

use super::{Error, ErrorKind};

impl From<sordino::Error> for Error {
    fn from(error: sordino::Error) -> Self {
        let (kind, code) = match error {
            sordino::Error::Plan(error) => return error.into(),
            sordino::Error::Capture(error) => return error.into(),
            sordino::Error::Clip(error) => return error.into(),
            sordino::Error::Anonymize(error) => return error.into(),
            sordino::Error::Consent(error) => return error.into(),
            sordino::Error::Seal(error) => return error.into(),
            sordino::Error::Outbox(error) => return error.into(),
            sordino::Error::Upload(error) => return error.into(),
            sordino::Error::State(error) => return error.into(),
            sordino::Error::Forked(error) => return error.into(),
            sordino::Error::NoState(_) => (ErrorKind::NoState, "no-state"),
            sordino::Error::NoPreview(_) => (ErrorKind::Argument, "no-preview"),
            sordino::Error::AlreadyListening => (ErrorKind::AlreadyListening, "already-listening"),
            sordino::Error::SourceNotOpened => (ErrorKind::Capture, "source-ended"),
            sordino::Error::ListenerBlocked => (ErrorKind::ListenerBlocked, "listener-blocked"),
            sordino::Error::Thread(_) => (ErrorKind::Capture, "no-thread"),
            sordino::Error::Panicked => (ErrorKind::Internal, "panic"),
            // Variants that the SDK may add.
            _ => (ErrorKind::Internal, "other"),
        };
        Self::new(kind, code, error)
    }
}

impl From<Forked> for Error {
    fn from(error: Forked) -> Self {
        Self::new(ErrorKind::Closed, "forked", error)
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        let code = match &error {
            PlanError::Signature(SignedError::Shape(_)) => "plan-malformed",
            PlanError::Signature(SignedError::Unsigned) => "plan-unsigned",
            PlanError::Signature(SignedError::WrongKey) => "plan-wrong-key",
            PlanError::Signature(SignedError::Forged) => "plan-forged",
            PlanError::Field { .. } => "plan-field-out-of-bounds",
            PlanError::Expired(_) => "plan-expired",
            PlanError::Freshness(_) => "plan-freshness",
            PlanError::Older { .. } => "plan-older",
            PlanError::SameVersion(_) => "plan-same-version",
        };
        Self::new(ErrorKind::Plan, code, error)
    }
}

impl From<CaptureError> for Error {
    fn from(error: CaptureError) -> Self {
        let (kind, code) = match &error {
            CaptureError::NotPermitted { .. } => (ErrorKind::PermissionDenied, "permission-denied"),
            CaptureError::NoMicrophone { .. } => (ErrorKind::NoDevice, "no-microphone"),
            CaptureError::NoSuchDevice { .. } => (ErrorKind::NoDevice, "no-such-device"),
            CaptureError::Busy { .. } => (ErrorKind::DeviceBusy, "device-busy"),
            CaptureError::NotBuiltIn => (ErrorKind::Capture, "no-microphone-built-in"),
            CaptureError::Unsupported { .. } => (ErrorKind::Capture, "unsupported-format"),
            CaptureError::DeviceLost { .. } => (ErrorKind::Capture, "device-lost"),
            CaptureError::Wav(_) => (ErrorKind::Capture, "unreadable-file"),
        };
        Self::new(kind, code, error)
    }
}

impl From<MarkError> for Error {
    fn from(error: MarkError) -> Self {
        let code = match &error {
            MarkError::NotPermitted => "mark-not-permitted",
            MarkError::NotListening => "not-listening",
            MarkError::NotBuffered { .. } => "mark-not-buffered",
            MarkError::Annotation(_) => "invalid-annotation",
            MarkError::Rng(_) => "no-randomness",
        };
        Self::new(ErrorKind::Mark, code, error)
    }
}

impl From<AnnotationError> for Error {
    fn from(error: AnnotationError) -> Self {
        Self::new(ErrorKind::Annotation, "invalid-annotation", error)
    }
}

impl From<ClipError> for Error {
    fn from(error: ClipError) -> Self {
        let code = match &error {
            ClipError::Empty => "empty-clip",
            ClipError::NonFinite { .. } => "non-finite-sample",
            ClipError::Rate { .. } => "unsupported-rate",
        };
        Self::new(ErrorKind::Clip, code, error)
    }
}

impl From<AnonymizeError> for Error {
    fn from(error: AnonymizeError) -> Self {
        Self::new(ErrorKind::Anonymize, "anonymizer-unusable", error)
    }
}

impl From<ConsentError> for Error {
    fn from(error: ConsentError) -> Self {
        let code = match error {
            ConsentError::State(error) => return error.into(),
            ConsentError::NoPurpose => "no-purpose",
            ConsentError::NotAsked(_) => "purpose-not-in-plan",
            ConsentError::WrongNotice { .. } => "wrong-notice",
            ConsentError::NoPlan => "no-plan",
            ConsentError::Refused(_) => "invalid-transition",
            ConsentError::Evidence(_) => "evidence-too-short",
            ConsentError::NotGranted(_) => "no-consent",
            ConsentError::Record(_) => "invalid-record",
            ConsentError::Entropy(_) => "no-randomness",
        };
        Self::new(ErrorKind::Consent, code, error)
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        let code = match &error {
            SealError::Withdrawn => "withdrawn",
            SealError::Empty => "empty-clip",
            SealError::NoRecipients => "no-recipients",
            SealError::WeakRecipient(_) => "weak-recipient",
            SealError::Entropy(_) => "no-randomness",
            SealError::Manifest(_) => "invalid-manifest",
            SealError::Flac(_) => "flac",
            SealError::Write(_) => "io",
        };
        Self::new(ErrorKind::Seal, code, error)
    }
}

impl From<OutboxError> for Error {
    fn from(error: OutboxError) -> Self {
        let code = match error {
            OutboxError::Consent(error) => return (*error).into(),
            OutboxError::State(error) => return error.into(),
            OutboxError::Withdrawn => "withdrawn",
            OutboxError::Budget => "budget-spent",
            OutboxError::Unknown(_) => "no-such-sample",
        };
        Self::new(ErrorKind::Outbox, code, error)
    }
}

impl From<UploadError> for Error {
    fn from(error: UploadError) -> Self {
        let code = match error {
            UploadError::Consent(error) => return error.into(),
            UploadError::Outbox(error) => return error.into(),
            UploadError::State(error) => return error.into(),
            UploadError::Plan(error) => return error.into(),
            UploadError::Accesses(_) => "no-accesses",
            UploadError::NotAnAccessTask(_) => "not-an-access-task",
            UploadError::AccessesOutdated(_) => "accesses-outdated",
            UploadError::NoClient => "no-client-built-in",
            UploadError::NotGranted(_) => "no-consent",
        };
        Self::new(ErrorKind::Upload, code, error)
    }
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        let code = match error {
            StateError::Forked(error) => return error.into(),
            StateError::Damaged(_) => {
                let message = format!(
                    "{error}; call `reset` on the folder, which also deletes uploaded samples"
                );
                return Self::new(ErrorKind::Damaged, "damaged", message);
            }
            StateError::InUse(_) => "in-use",
            StateError::Newer { .. } => "newer-version",
            StateError::Io { .. } => "io",
            StateError::Store(_) => "store",
        };
        Self::new(ErrorKind::State, code, error)
    }
}

impl From<NoticeError> for Error {
    fn from(error: NoticeError) -> Self {
        Self::new(ErrorKind::Argument, "invalid-notice", error)
    }
}

macro_rules! from_parse_error {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::argument(error)
            }
        })*
    };
}
from_parse_error!(
    ParseIdError,
    ParseKeyError,
    ParsePurposeError,
    ParseUploadTaskError,
    ParseWeekError,
    EndpointError,
);
