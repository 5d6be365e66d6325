//! What whoever runs the collector does with samples in which a voice was heard.

use sordino::Id;

use crate::{
    config::Config,
    database::Quarantined,
    server::{StartError, open_storage},
    storage::{Storage, StorageError},
};

/// Why the quarantine was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The collector's data cannot be opened.
    #[error(transparent)]
    Open(#[from] StartError),
    /// It failed on the way.
    #[error("{0}")]
    Failed(String),
    /// No such sample is held back.
    #[error("no sample {0} is in quarantine; `quarantine list` shows which are")]
    Unknown(Id),
}

/// Samples that are held back, in order of arrival.
///
/// # Errors
/// [`QuarantineError`].
pub async fn quarantined(config: &Config) -> Result<Vec<Quarantined>, QuarantineError> {
    let storage = open_storage(config).await?;
    let list = async |storage: &Storage| storage.database.quarantined().await;
    storage.run_and_close(list).await.map_err(failed)
}

/// Gives a sample to everybody again: it was no voice.
///
/// # Errors
/// [`QuarantineError`].
pub async fn release(config: &Config, sample: Id) -> Result<(), QuarantineError> {
    let storage = open_storage(config).await?;
    let release = async |storage: &Storage| storage.release(sample).await;
    require_found(sample, storage.run_and_close(release).await)
}

/// Deletes a sample that is held back, for good.
///
/// # Errors
/// [`QuarantineError`].
pub async fn delete_quarantined(config: &Config, sample: Id) -> Result<(), QuarantineError> {
    let storage = open_storage(config).await?;
    let delete = async |storage: &Storage| storage.delete_quarantined(sample).await;
    require_found(sample, storage.run_and_close(delete).await)
}

fn require_found(sample: Id, outcome: Result<bool, StorageError>) -> Result<(), QuarantineError> {
    match outcome.map_err(failed)? {
        true => Ok(()),
        false => Err(QuarantineError::Unknown(sample)),
    }
}

fn failed(error: impl Into<StorageError>) -> QuarantineError {
    QuarantineError::Failed(error.into().to_string())
}
