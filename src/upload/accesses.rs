//! Who opened a sample, as the collector tells the person.

use serde::{Deserialize, Serialize};

use super::{Outcome, UploadError, problem::problem};
use crate::{Purpose, Week};

/// Every hand-out of one sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accesses {
    /// Oldest first.
    pub accesses: Vec<Access>,
}

/// One hand-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// What it was handed out for.
    pub purpose: Purpose,
    /// When.
    pub week: Week,
    /// The name of the reader's token.
    pub reader: String,
}

impl Accesses {
    /// What the collector answered.
    ///
    /// # Errors
    /// It did not answer, or with a problem.
    pub fn from_outcome(outcome: Outcome) -> Result<Self, UploadError> {
        match outcome {
            Outcome::Unreachable(reason) => Err(UploadError::Accesses(reason)),
            Outcome::Answered(answer) if answer.status == 200 => {
                serde_json::from_slice(&answer.body)
                    .map_err(|error| UploadError::Accesses(error.to_string()))
            }
            Outcome::Answered(answer) => Err(UploadError::Accesses(problem(&answer))),
        }
    }
}
