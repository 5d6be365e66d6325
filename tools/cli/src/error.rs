//! One clear line for each thing that can go wrong.

use std::path::{Path, PathBuf};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {error}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file's content could not be used.
    #[error("{}: {reason}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The SDK's own word.
    #[error(transparent)]
    Sdk(#[from] sordino::Error),
    /// Anything else, said in full.
    #[error("{0}")]
    Message(String),
}

impl CliError {
    /// What can be done about it, where the state in the folder `device` is not there or is damaged.
    pub(crate) fn with_device_hint(self, device: &Path) -> Self {
        let device = device.display();
        match self {
            Self::Sdk(error @ sordino::Error::NoDevice(_)) => {
                Self::Message(format!("{error}; make one with `device {device} init`"))
            }
            Self::Sdk(error) if error.is_damaged() => Self::Message(format!(
                "{error}; `device {device} reset` forgets what is in it, and asks back what was sent"
            )),
            failure => failure,
        }
    }

    /// For `map_err` on what the system says of `path`.
    pub(crate) fn file(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::File {
            action,
            path,
            error,
        }
    }

    /// For `map_err` on what is wrong with the content of `path`.
    pub(crate) fn content<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |error| Self::Content {
            path,
            reason: error.to_string(),
        }
    }

    /// For `map_err` on an error that says all by itself.
    pub(crate) fn message<E: std::fmt::Display>(error: E) -> Self {
        Self::Message(error.to_string())
    }
}
