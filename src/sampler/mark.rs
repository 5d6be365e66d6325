use super::annotation::AnnotationError;
use crate::rng::RngError;

/// The result of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkOutcome {
    /// Its moment was selected, and a clip is being recorded. An event of the engine reports the result.
    Selected,
    /// It is within a marked clip that is still being recorded; its annotation was added to that.
    Merged,
    /// Its moment was not selected, or the clip around it is already complete.
    Skipped,
}

/// Why a mark was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MarkError {
    /// Consent is missing, or the plan is paused: no audio is buffered.
    #[error("cannot mark: sampling is not permitted, so no audio is buffered")]
    NotPermitted,
    /// No capture session is running.
    #[error(
        "cannot mark: no capture session is running; call `listen` first, and mark while it runs"
    )]
    NotListening,
    /// The position is not buffered.
    #[error(
        "cannot mark sample {at}: samples {oldest} to {newest} are buffered; mark sooner, and use the positions of \
         the current stream"
    )]
    NotBuffered {
        /// The position of the mark.
        at: u64,
        /// The position of the oldest buffered sample.
        oldest: u64,
        /// The position after the newest buffered sample.
        newest: u64,
    },
    /// The annotation is invalid, or too long for one clip.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// No random number could be drawn.
    #[error(transparent)]
    Rng(#[from] RngError),
}
