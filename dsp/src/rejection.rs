use serde::{Deserialize, Serialize};

use super::{nn::WeightsError, spans::Removal};

/// Nothing of a clip may leave the device.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the clip is withheld: {reason}")]
pub struct RejectedClip {
    /// Why.
    pub reason: RejectionReason,
    /// What had been taken out until then.
    pub removed: Vec<Removal>,
}

impl From<RejectionReason> for RejectedClip {
    /// Before anything was taken out.
    fn from(reason: RejectionReason) -> Self {
        let removed = Vec::new();
        Self { reason, removed }
    }
}

/// Why a whole clip is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum RejectionReason {
    /// Too little is left without the voice, or the finished clip still seemed to hold one.
    #[error("too much of it may hold a voice; sample where nobody speaks")]
    Voice,
    /// What is left is silence, or too quiet to tell from the microphone's noise.
    #[error("what is left of it is silent; check the microphone's level")]
    Silence,
    /// Shorter than a second to begin with.
    #[error("it is shorter than a second; take a longer one")]
    TooShort,
    /// A step could not do its work, so nothing is known of what the clip holds.
    #[error("it could not be processed; try the next one")]
    Failed,
}

/// No anonymizer can be made, and so nothing can be sampled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnonymizeError {
    /// The weights inside the library are damaged.
    #[error("the voice detector's weights are damaged: {0}; install the library anew")]
    Weights(String),
}

impl From<WeightsError> for AnonymizeError {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error.to_string())
    }
}
