use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

/// A WAV file cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct WavError {
    /// The file.
    pub path: PathBuf,
    /// The reason, in one line.
    pub reason: String,
}

impl WavError {
    pub(super) fn new(path: &Path, reason: impl Display) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}
