//! Errors of the storage.

use std::sync::Arc;

use super::epoch::EpochError;
use crate::{blob_store::BlobStoreError, database::DatabaseError};

/// An error of the storage.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] DatabaseError),
    /// The object storage failed.
    #[error("the object storage failed: {0}")]
    Objects(#[from] BlobStoreError),
    /// The object of a sample is missing or damaged.
    #[error("the object of a sample is missing or damaged; restore it from a backup")]
    CorruptObject,
    /// The system's random number generator failed.
    #[error("the system's random number generator is not available")]
    Randomness,
    /// The operation was aborted by the shutdown.
    #[error("the collector is shutting down")]
    Stopping,
    /// The transaction that several operations share failed.
    #[error(transparent)]
    Shared(Arc<StorageError>),
}

impl StorageError {
    /// Whether the error is temporary, so that a retry may succeed.
    pub(crate) fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(error) => error.is_unavailable(),
            Self::Objects(error) => error.is_unavailable(),
            Self::CorruptObject | Self::Randomness => false,
            Self::Stopping => true,
            Self::Shared(error) => error.is_unavailable(),
        }
    }
}

impl From<EpochError> for StorageError {
    fn from(error: EpochError) -> Self {
        match error {
            EpochError::Database(error) => Self::Database(error),
            EpochError::Randomness => Self::Randomness,
        }
    }
}
