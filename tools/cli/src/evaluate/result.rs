//! `RESULT.json`: a recognizer's scores for each sample, for comparison with a later run.
//!
//! It contains counts by the samples' random ids, and no notes, exercises or consent records, so
//! that a later withdrawal does not affect it.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sordino::Id;
use sordino_scoring::NoteScore;

use crate::{error::CliError, files, output_files::OutputFile};

/// The version of the format.
const SCHEMA: u32 = 1;
const KIND: &str = "sordino evaluate";
/// The kind in files of earlier versions, which are read too.
const EARLIER_KIND: &str = "sordino recognise-eval";

/// The scores of a run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvalResult {
    schema: u32,
    kind: String,
    /// The onset tolerance.
    tolerance_ms: f64,
    pub(super) samples: BTreeMap<Id, SampleResult>,
}

/// The result of a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum SampleResult {
    /// The recognizer failed.
    Failed {
        /// The reason, in one line.
        failed: String,
    },
    /// The sample was scored.
    Scored(NoteScore),
}

impl SampleResult {
    pub(super) fn score(&self) -> Option<&NoteScore> {
        match self {
            Self::Scored(score) => Some(score),
            Self::Failed { .. } => None,
        }
    }
}

impl EvalResult {
    pub(super) fn new(tolerance_ms: f64, samples: BTreeMap<Id, SampleResult>) -> Self {
        Self {
            schema: SCHEMA,
            kind: KIND.to_owned(),
            tolerance_ms,
            samples,
        }
    }

    /// Whether a run wrote this file.
    pub(super) fn is_result(json: &[u8]) -> bool {
        serde_json::from_slice::<Value>(json).is_ok_and(|json| is_known_kind(&json))
    }

    pub(super) fn write(&self, output: &OutputFile) -> Result<(), CliError> {
        let mut json = serde_json::to_vec_pretty(self).map_err(CliError::message)?;
        json.push(b'\n');
        output.write(&json)
    }

    /// Reads a baseline for a run with the same tolerance.
    ///
    /// # Errors
    /// The file is not a result, or has another version or another tolerance.
    pub(super) fn read(path: &Path, tolerance_ms: f64) -> Result<Self, CliError> {
        let refuse = |reason: String| CliError::content(path)(reason);
        let json: Value = serde_json::from_str(&files::read_text(path)?)
            .map_err(|error| refuse(format!("it is not a result of `evaluate`: {error}")))?;
        if !is_known_kind(&json) {
            return Err(refuse("it is not a result of `evaluate`".to_owned()));
        }
        if json["schema"] != SCHEMA {
            return Err(refuse(format!(
                "it has schema {}, but this version reads schema {SCHEMA}; evaluate the baseline again",
                json["schema"]
            )));
        }
        let result: Self = serde_json::from_value(json)
            .map_err(|error| refuse(format!("it is not a result of `evaluate`: {error}")))?;
        if result.tolerance_ms != tolerance_ms {
            return Err(refuse(format!(
                "it was made with a tolerance of {} ms, not {tolerance_ms} ms; evaluate the baseline \
                 again, or give --tolerance {}",
                result.tolerance_ms, result.tolerance_ms
            )));
        }
        Ok(result)
    }
}

fn is_known_kind(json: &Value) -> bool {
    json["kind"] == KIND || json["kind"] == EARLIER_KIND
}
