//! Errors of commands, each one line.

use std::path::{Path, PathBuf};

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {error}", .path.display())]
    File {
        /// The action that failed.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// A file's content could not be used.
    #[error("{}: {reason}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// An error of the SDK.
    #[error(transparent)]
    Sdk(#[from] sordino::Error),
    /// Any other error, as a message.
    #[error("{0}")]
    Message(String),
}

impl CliError {
    /// Adds the command that helps if the state in the folder `device` is missing or corrupt.
    pub(crate) fn with_device_hint(self, device: &Path) -> Self {
        let device = device.display();
        match self {
            Self::Sdk(error @ sordino::Error::NoState(_)) => {
                Self::Message(format!("{error}; create it with `device {device} init`"))
            }
            Self::Sdk(error) if error.is_damaged() => Self::Message(format!(
                "{error}; `device {device} reset` erases it, and requests the deletion of what was sent"
            )),
            failure => failure,
        }
    }

    /// Converts a system error about `path`, for `map_err`.
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

    /// Converts an error in the content of `path`, for `map_err`.
    pub(crate) fn content<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |error| Self::Content {
            path,
            reason: error.to_string(),
        }
    }

    /// Converts an error whose text is a complete message, for `map_err`.
    pub(crate) fn message<E: std::fmt::Display>(error: E) -> Self {
        Self::Message(error.to_string())
    }
}
