use serde::{Deserialize, Serialize};

use crate::{nn::WeightsError, spans::Removal};

/// A clip of which nothing may leave the device.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the clip was rejected: {reason}")]
pub struct RejectedClip {
    /// Why.
    pub reason: RejectionReason,
    /// The parts that had been removed when the clip was rejected.
    pub removed: Vec<Removal>,
}

impl From<RejectionReason> for RejectedClip {
    /// A rejection before any part was removed.
    fn from(reason: RejectionReason) -> Self {
        let removed = Vec::new();
        Self { reason, removed }
    }
}

/// Why a clip was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum RejectionReason {
    /// Too little is left without the voice, or the rendered clip still seems to contain one.
    #[error("too much of it may contain a voice; sample where nobody speaks")]
    Voice,
    /// The rest is silent, or too quiet to tell from the microphone's noise.
    #[error("the rest of it is silent; check the microphone's level")]
    Silence,
    /// The input is shorter than a second.
    #[error("it is shorter than a second; submit a longer clip")]
    TooShort,
    /// A step failed, so that nothing is known about what the clip contains.
    #[error("it could not be processed; try another clip")]
    Failed,
}

/// The anonymizer could not be created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnonymizeError {
    /// The weights that the library embeds are corrupt.
    #[error("the voice detector's weights are corrupt: {0}; reinstall the library")]
    Weights(String),
}

impl From<WeightsError> for AnonymizeError {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error.to_string())
    }
}
