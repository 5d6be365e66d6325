use crate::{
    anonymize::AnonymizeError, capture::CaptureError, consent::ConsentError, outbox::OutboxError,
    plan::PlanError, sampler::ClipError, seal::SealError, state::StateError, upload::UploadError,
};

/// What went wrong, by the stage in which it did. Each says in one line what, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sampling plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The microphone or another source.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// A clip that cannot be one.
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
    /// The engine was never set up here.
    #[error("there is no device in {}", .0.display())]
    NoDevice(std::path::PathBuf),
    /// No clip of that name waits for review: it was answered, wiped by a "no", or crowded out.
    #[error("no preview {0} waits for an answer")]
    NoPreview(crate::Id),
    /// One source is heard at a time.
    #[error("the engine listens already; stop that first")]
    AlreadyListening,
    /// The source ended before it had begun.
    #[error("the source ended before it was open")]
    SourceNotOpened,
    /// A defect of ours, or of a callback of the app's; the source was closed.
    #[error("the capture thread panicked and was closed; please report it")]
    Panicked,
    /// A listener of the app's never returned. Once it does, the source is closed and the folder free.
    #[error(
        "the app's listener has kept the engine's thread for more than 5 s; what was heard stays open until \
         it returns"
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
    /// Whether the state is damaged: nothing but [`crate::Sordino::reset`] helps then.
    pub fn is_damaged(&self) -> bool {
        matches!(self.state_error(), Some(StateError::Damaged(_)))
    }

    /// What the state said, whichever stage passed it on.
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
