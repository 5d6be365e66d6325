//! The epoch of the database: a random number in every answer. A device that sees another one than before says each
//! "no" again that it ever said, so that a database that was put back from a backup loses none.
//!
//! A new epoch begins where
//!
//! * the database has none: it is new, or [`crate::restore`] filled it;
//! * it is on another server, or on another timeline of one: PostgreSQL was recovered to a point in time, or a
//!   standby was promoted;
//! * it has committed fewer withdrawals and deletions than this collector remembers, in a file beside it: somebody
//!   put an older file, or an older dump, in its place;
//! * the operator says so: [`renew_epoch`].
//!
//! What puts back database and file together, as a snapshot of a whole machine does, is not seen.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};
use sordino::Id;

use crate::{
    config::Config,
    database::{Database, DatabaseError, EpochRow},
    blob_store::create_private,
    storage::{Storage, StorageError},
    maintenance::MaintenanceError,
};

/// The epoch, as this process knows it.
#[derive(Clone, Debug)]
pub(crate) struct Epoch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    known: RwLock<Id>,
    file: PathBuf,
    /// What the file says.
    remembered: Mutex<EpochFile>,
}

/// What the file beside the database says.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct EpochFile {
    epoch: Id,
    taken_back: i64,
}

/// Begins a new epoch, and returns it: the database was put back in a way that the collector cannot see.
///
/// # Errors
/// Database or objects that cannot be used.
pub async fn renew_epoch(config: &Config) -> Result<Id, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let renew = async |storage: &Storage| storage.epoch.renew(&storage.database).await;
    Ok(storage.run_and_close(renew).await?)
}

impl Epoch {
    /// Finds the epoch of `database`, or begins one.
    pub(crate) async fn open(config: &Config, database: &Database) -> Result<Self, StorageError> {
        create_private(&config.data).map_err(DatabaseError::from)?;
        let file = config.epoch_file();
        // One that is not there, or that a power cut left half written, remembers nothing.
        let remembered: Option<EpochFile> = fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        let row = current(database, remembered).await?;
        let epoch = Self(Arc::new(Inner {
            known: RwLock::new(row.epoch),
            file,
            remembered: Mutex::new(EpochFile {
                epoch: row.epoch,
                taken_back: -1,
            }),
        }));
        epoch.save(row.epoch, row.erasures);
        Ok(epoch)
    }

    /// Looks again: the database may have been put back, or another collector on it may have begun an epoch.
    pub(crate) async fn refresh(&self, database: &Database) -> Result<(), StorageError> {
        let remembered = *self.lock_last_saved();
        let row = current(database, Some(remembered)).await?;
        self.set(&row);
        Ok(())
    }

    /// Begins another.
    pub(crate) async fn renew(&self, database: &Database) -> Result<Id, StorageError> {
        let row = begin(database, |_, _| true).await?;
        self.set(&row);
        Ok(row.epoch)
    }

    fn set(&self, row: &EpochRow) {
        *self.0.known.write().unwrap_or_else(PoisonError::into_inner) = row.epoch;
        self.save(row.epoch, row.erasures);
    }

    /// A withdrawal or a deletion was committed; there are so many now.
    pub(crate) fn record_erasure(&self, count: i64) {
        self.save(self.id(), count);
    }

    /// As the header says it.
    pub(crate) fn to_header(&self) -> HeaderValue {
        // Digits alone.
        HeaderValue::from_str(&self.id().to_string()).unwrap_or(HeaderValue::from_static(""))
    }

    fn id(&self) -> Id {
        *self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, epoch: Id, taken_back: i64) {
        let mut remembered = self.lock_last_saved();
        if remembered.epoch == epoch && remembered.taken_back >= taken_back {
            return;
        }
        *remembered = EpochFile { epoch, taken_back };
        let text = serde_json::to_vec(&*remembered).unwrap_or_default();
        if let Err(error) = fs::write(&self.0.file, text) {
            tracing::warn!("`{}` cannot be written: {error}", self.0.file.display());
        }
    }

    fn lock_last_saved(&self) -> std::sync::MutexGuard<'_, EpochFile> {
        self.0
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The epoch in force: the one that the database has, or a new one.
async fn current(
    database: &Database,
    remembered: Option<EpochFile>,
) -> Result<EpochRow, StorageError> {
    let is_over = |row: &EpochRow, place: &str| {
        let moved = !place.is_empty() && row.server_id != place;
        let lost = remembered.is_some_and(|remembered| {
            remembered.epoch == row.epoch && row.erasures < remembered.taken_back
        });
        moved || lost
    };
    let (row, place) = (database.epoch().await?, database.server_id().await?);
    match row {
        Some(row) if !is_over(&row, &place) => Ok(row),
        _ => begin(database, is_over).await,
    }
}

/// Begins an epoch, unless another process has begun one that is not over.
async fn begin(
    database: &Database,
    is_over: impl Fn(&EpochRow, &str) -> bool,
) -> Result<EpochRow, StorageError> {
    let place = database.server_id().await?;
    let mut session = database.write().await?;
    if let Some(row) = session.epoch().await?
        && !is_over(&row, &place)
    {
        return Ok(row);
    }
    let row = EpochRow {
        epoch: Id::random().map_err(|_| StorageError::Randomness)?,
        erasures: 0,
        server_id: place,
    };
    session.begin_epoch(row.epoch, &row.server_id).await?;
    session.commit().await?;
    tracing::info!("a new epoch begins: devices say again what they took back");
    Ok(row)
}
