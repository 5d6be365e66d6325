//! The epoch of the database: a random id in every response. A device that sees a new epoch repeats all its withdrawals
//! and deletions, so that restoring a backup loses none of them.
//!
//! A new epoch begins if
//!
//! * the database has none: it is new, or was filled by [`crate::restore`];
//! * it is on another server or another timeline: PostgreSQL was recovered to a point in time, or a standby was
//!   promoted;
//! * it contains fewer withdrawals and deletions than this collector recorded in its epoch file: an older file or dump
//!   was restored;
//! * the operator requests it: [`crate::renew_epoch`].
//!
//! Restoring the database and the epoch file together, as a snapshot of a whole machine does, is not detected.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};
use sordino::Id;

use crate::{
    blob_store::create_private,
    config::Config,
    database::{Database, DatabaseError, EpochRow},
};

/// The epoch that this process uses.
#[derive(Clone, Debug)]
pub(crate) struct Epoch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: RwLock<Id>,
    path: PathBuf,
    /// The last saved content of the file.
    last_saved: Mutex<EpochFile>,
}

/// The content of the epoch file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct EpochFile {
    epoch: Id,
    /// The number of withdrawals and deletions in the epoch.
    #[serde(rename = "taken_back")]
    erasures: i64,
}

/// An error of the epoch.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EpochError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the system's random number generator is not available")]
    Randomness,
}

impl Epoch {
    /// Loads the epoch of `database`, or begins one.
    pub(crate) async fn open(config: &Config, database: &Database) -> Result<Self, EpochError> {
        create_private(&config.data).map_err(DatabaseError::from)?;
        let path = config.epoch_file();
        // A missing or truncated file (power failure) is ignored.
        let last_saved: Option<EpochFile> = fs::read(&path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        let row = current(database, last_saved).await?;
        let epoch = Self(Arc::new(Inner {
            id: RwLock::new(row.epoch),
            path,
            last_saved: Mutex::new(EpochFile {
                epoch: row.epoch,
                erasures: -1,
            }),
        }));
        epoch.save(row.epoch, row.erasures);
        Ok(epoch)
    }

    /// Reloads the epoch: the database may have been restored, or another collector may have begun a new epoch.
    pub(crate) async fn refresh(&self, database: &Database) -> Result<(), EpochError> {
        let last_saved = *self.lock_last_saved();
        let row = current(database, Some(last_saved)).await?;
        self.set(&row);
        Ok(())
    }

    /// Begins a new epoch.
    pub(crate) async fn renew(&self, database: &Database) -> Result<Id, EpochError> {
        let row = begin(database, |_, _| true).await?;
        self.set(&row);
        Ok(row.epoch)
    }

    fn set(&self, row: &EpochRow) {
        *self.0.id.write().unwrap_or_else(PoisonError::into_inner) = row.epoch;
        self.save(row.epoch, row.erasures);
    }

    /// Records that a withdrawal or deletion was committed; `count` is the new total.
    pub(crate) fn record_erasure(&self, count: i64) {
        self.save(self.id(), count);
    }

    /// The value of the epoch header.
    pub(crate) fn to_header(&self) -> HeaderValue {
        // An id consists of hexadecimal digits only.
        HeaderValue::from_str(&self.id().to_string()).unwrap_or(HeaderValue::from_static(""))
    }

    fn id(&self) -> Id {
        *self.0.id.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, epoch: Id, erasures: i64) {
        let mut last_saved = self.lock_last_saved();
        if last_saved.epoch == epoch && last_saved.erasures >= erasures {
            return;
        }
        *last_saved = EpochFile { epoch, erasures };
        let text = serde_json::to_vec(&*last_saved).unwrap_or_default();
        if let Err(error) = fs::write(&self.0.path, text) {
            tracing::warn!("cannot write `{}`: {error}", self.0.path.display());
        }
    }

    fn lock_last_saved(&self) -> std::sync::MutexGuard<'_, EpochFile> {
        self.0
            .last_saved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The current epoch of the database, or a new one if it has ended.
async fn current(
    database: &Database,
    last_saved: Option<EpochFile>,
) -> Result<EpochRow, EpochError> {
    let is_over = |row: &EpochRow, place: &str| {
        let moved = !place.is_empty() && row.server_id != place;
        let lost = last_saved.is_some_and(|last_saved| {
            last_saved.epoch == row.epoch && row.erasures < last_saved.erasures
        });
        moved || lost
    };
    let (row, place) = (database.epoch().await?, database.server_id().await?);
    match row {
        Some(row) if !is_over(&row, &place) => Ok(row),
        _ => begin(database, is_over).await,
    }
}

/// Begins an epoch, unless another process has just begun one.
async fn begin(
    database: &Database,
    is_over: impl Fn(&EpochRow, &str) -> bool,
) -> Result<EpochRow, EpochError> {
    let place = database.server_id().await?;
    let mut session = database.write().await?;
    if let Some(row) = session.epoch().await?
        && !is_over(&row, &place)
    {
        return Ok(row);
    }
    let row = EpochRow {
        epoch: Id::random().map_err(|_| EpochError::Randomness)?,
        erasures: 0,
        server_id: place,
    };
    session.begin_epoch(row.epoch, &row.server_id).await?;
    session.commit().await?;
    tracing::info!("a new epoch begins; devices will repeat their withdrawals and deletions");
    Ok(row)
}
