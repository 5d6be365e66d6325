use crate::{
    anonymize::AnonymizeError, capture::CaptureError, consent::ConsentError, outbox::OutboxError,
    plan::PlanError, sampler::ClipError, seal::SealError, state::StateError, upload::UploadError,
};

/// An error, by stage. Each message says in one line what failed, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sampling plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The microphone or another source.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// An invalid clip.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// Voice removal.
    #[error(transparent)]
    Anonymize(#[from] AnonymizeError),
    /// Consent.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// Sealing.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The queue.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Upload.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// The folder has no state of an engine.
    #[error("there is no state in {}", .0.display())]
    NoState(std::path::PathBuf),
    /// No clip with that id awaits review: it was reviewed, withdrawn, or dropped because too many
    /// were waiting.
    #[error("no preview {0} awaits review")]
    NoPreview(crate::Id),
    /// Only one session may be open at a time.
    #[error("the engine is already listening; stop that session first")]
    AlreadyListening,
    /// The source ended before it was open.
    #[error("the source ended before it was open")]
    SourceNotOpened,
    /// A bug in the SDK, or a panic in a callback of the app; the source was closed.
    #[error("the capture thread panicked and was closed; please report it")]
    Panicked,
    /// A callback of the app did not return. Once it does, the source is closed and the folder is
    /// released.
    #[error(
        "a listener of the app blocked the engine's thread for over 5 s; the session stays open until it returns"
    )]
    ListenerBlocked,
    /// The engine belongs to the process that this one was forked from.
    #[error(transparent)]
    Forked(#[from] crate::Forked),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl Error {
    /// Whether the state is corrupt: only [`crate::Sordino::reset`] helps then.
    pub fn is_damaged(&self) -> bool {
        matches!(self.state_error(), Some(StateError::Damaged(_)))
    }

    /// The error of the state, from any stage.
    fn state_error(&self) -> Option<&StateError> {
        match self {
            Self::State(error)
            | Self::Consent(ConsentError::State(error))
            | Self::Outbox(OutboxError::State(error))
            | Self::Upload(
                UploadError::State(error)
                | UploadError::Consent(ConsentError::State(error))
                | UploadError::Outbox(OutboxError::State(error)),
            ) => Some(error),
            _ => None,
        }
    }
}
