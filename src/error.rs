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
    #[error("there is no device in {}; make one with `device DIR init`", .0.display())]
    NoDevice(std::path::PathBuf),
    /// One source is heard at a time.
    #[error("the engine listens already; stop that first")]
    AlreadyListening,
    /// The source ended before it had begun.
    #[error("the source ended before it was open")]
    NotOpened,
    /// A defect of ours, or of a callback of the app's; the source was closed.
    #[error("the capture thread panicked and was closed; please report it")]
    Panicked,
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}
