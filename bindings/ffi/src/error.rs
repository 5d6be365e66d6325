use sordino::{
    Forked, ParseIdError, ParsePurposeError, ParseWeekError, StateError,
    anonymize::AnonymizeError,
    capture::CaptureError,
    consent::{ConsentError, NoticeError},
    outbox::OutboxError,
    plan::PlanError,
    sampler::{AnnotationError, ClipError, MarkError},
    seal::SealError,
    signed::ParseKeyError,
    upload::{EndpointError, ParseUploadTaskError, UploadError},
};

/// What went wrong, by the stage in which it did. The message says in one line what, where, and
/// what to do.
#[derive(Debug, thiserror::Error, uniffi::Error)]
#[uniffi(flat_error, name = "SordinoError")]
pub enum Error {
    /// Something that was passed in is not what it should be: a key, a URL, an id, whole frames.
    #[error("{0}")]
    Argument(String),
    /// The engine was shut down, or belongs to the process that this one was forked from.
    #[error("{0}")]
    Closed(String),
    /// The sampling plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The microphone or the app's own audio path.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The engine listens already, what it listened to was stopped, a listener does not return, or the
    /// system gives no thread to listen with.
    #[error("{0}")]
    Listening(String),
    /// A mark that was not taken.
    #[error(transparent)]
    Mark(#[from] MarkError),
    /// What the app says of a recording is out of bounds.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// Sound that cannot be a clip.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// Voice removal.
    #[error(transparent)]
    Anonymize(#[from] AnonymizeError),
    /// Consent.
    #[error(transparent)]
    Consent(ConsentError),
    /// Sealing.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The queue of samples.
    #[error(transparent)]
    Outbox(OutboxError),
    /// Upload.
    #[error(transparent)]
    Upload(UploadError),
    /// The state folder: it cannot be used, is open in another engine, or a newer version wrote it.
    #[error(transparent)]
    State(StateError),
    /// The state folder is damaged, or somebody changed it. Nothing is taken for consent until `reset` was
    /// called on it.
    #[error("{0}; reset the folder, which asks back what was sent")]
    Damaged(StateError),
    /// A defect of the SDK. The engine was shut down; a new one can be opened on the folder.
    #[error("{0}")]
    Internal(String),
}

impl From<sordino::Error> for Error {
    fn from(error: sordino::Error) -> Self {
        match error {
            sordino::Error::Plan(error) => Self::Plan(error),
            sordino::Error::Capture(error) => Self::Capture(error),
            sordino::Error::Clip(error) => Self::Clip(error),
            sordino::Error::Anonymize(error) => Self::Anonymize(error),
            sordino::Error::Consent(error) => error.into(),
            sordino::Error::Seal(error) => Self::Seal(error),
            sordino::Error::Outbox(error) => error.into(),
            sordino::Error::Upload(error) => error.into(),
            sordino::Error::State(error) => error.into(),
            error @ (sordino::Error::NoDevice(_) | sordino::Error::NoPreview(_)) => {
                Self::Argument(error.to_string())
            }
            error @ (sordino::Error::AlreadyListening
            | sordino::Error::SourceNotOpened
            | sordino::Error::ListenerBlocked
            | sordino::Error::Thread(_)) => Self::Listening(error.to_string()),
            sordino::Error::Forked(error) => error.into(),
            // With what a newer version of the SDK may add.
            error => Self::Internal(error.to_string()),
        }
    }
}

// A stage passes on the errors of those that it calls; here each goes by the one in which it arose.

impl Error {
    pub(crate) fn shut_down() -> Self {
        Self::Closed("the engine was shut down; open it again".to_owned())
    }
}

impl From<Forked> for Error {
    fn from(error: Forked) -> Self {
        Self::Closed(error.to_string())
    }
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Forked(error) => error.into(),
            StateError::Damaged(_) => Self::Damaged(error),
            error => Self::State(error),
        }
    }
}

impl From<ConsentError> for Error {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::State(error) => error.into(),
            error => Self::Consent(error),
        }
    }
}

impl From<OutboxError> for Error {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::Consent(error) => (*error).into(),
            OutboxError::State(error) => error.into(),
            error => Self::Outbox(error),
        }
    }
}

impl From<UploadError> for Error {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Consent(error) => error.into(),
            UploadError::Outbox(error) => error.into(),
            UploadError::State(error) => error.into(),
            UploadError::Plan(error) => Self::Plan(error),
            error => Self::Upload(error),
        }
    }
}

/// What does not parse on its way in.
macro_rules! from_argument {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::Argument(error.to_string())
            }
        })*
    };
}
from_argument!(
    ParseIdError,
    ParseKeyError,
    ParseWeekError,
    NoticeError,
    ParsePurposeError,
    ParseUploadTaskError,
    EndpointError
);
