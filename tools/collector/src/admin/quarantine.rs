//! Manages quarantined samples, in which a reader heard a voice.

use sordino::Id;

use crate::{
    config::Config,
    database::Quarantined,
    startup::{StartError, open_storage},
    storage::{Storage, error::StorageError},
};

/// An error of the quarantine.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The collector's data cannot be opened.
    #[error(transparent)]
    Open(#[from] StartError),
    /// An error of the storage.
    #[error("{0}")]
    Failed(String),
    /// The sample is not quarantined.
    #[error("sample {0} is not quarantined; `quarantine list` shows the quarantined samples")]
    Unknown(Id),
}

/// Lists the quarantined samples in order of arrival.
///
/// # Errors
/// [`QuarantineError`].
pub async fn quarantined(config: &Config) -> Result<Vec<Quarantined>, QuarantineError> {
    let storage = open_storage(config).await?;
    let list = async |storage: &Storage| storage.database.quarantined().await;
    storage.run_and_close(list).await.map_err(failed)
}

/// Releases a sample that contains no voice.
///
/// # Errors
/// [`QuarantineError`].
pub async fn release(config: &Config, sample: Id) -> Result<(), QuarantineError> {
    let storage = open_storage(config).await?;
    let release = async |storage: &Storage| storage.release(sample).await;
    require_found(sample, storage.run_and_close(release).await)
}

/// Deletes a quarantined sample permanently.
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
