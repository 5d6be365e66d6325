//! The device's state folder: one embedded store, and folders of sealed samples and revocation
//! records.
//!
//! Each stage owns its tables; this module owns the file, its layout version and the clock. A
//! change that spans stages (a withdrawal changes consent and outbox) is one transaction.

mod folder;
mod migrations;
mod monotonic_clock;
mod rows;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use redb::{Database, ReadableDatabase as _};
use serde::de::DeserializeOwned;

pub(crate) use folder::make_private_folder;
use migrations::LAYOUT_VERSION;
use monotonic_clock::{MonotonicClock, Reading};
use rows::Tagger;
pub(crate) use rows::{ReadTxn, Table, WriteTxn};

use crate::process::{Forked, ProcessOwned};

const CLOCK_NAME: &str = "clock";

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process, or another engine in this process, has the folder open.
    #[error("the state in {} is in use, by this process or by another one; close that one first", .0.display())]
    InUse(PathBuf),
    /// Written by a newer version of the SDK. The state was not changed.
    #[error(
        "the state in {} has layout {found}, and this version knows {LAYOUT_VERSION}; update the app",
        .folder.display()
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The layout found in it.
        found: u64,
    },
    /// The folder or a file in it cannot be used.
    #[error("cannot {action} {}: {error}", .path.display())]
    Io {
        /// The operation that failed.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// It was opened by the process that this one was forked from.
    #[error(transparent)]
    Forked(#[from] crate::Forked),
    /// The store failed, for example because the disk is full.
    #[error("the state cannot be used: {0}")]
    Store(Box<redb::Error>),
    /// A row is corrupt or was tampered with.
    #[error("the state is damaged: {0}")]
    Damaged(String),
}

impl StateError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            action,
            path,
            error,
        }
    }
}

/// Every error of redb, boxed, since they are large.
macro_rules! from_redb {
    ($($error:ty),*) => {
        $(impl From<$error> for StateError {
            fn from(error: $error) -> Self {
                Self::Store(Box::new(error.into()))
            }
        })*
    };
}
from_redb!(
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::SetDurabilityError
);

/// A source of the time. A device's clock may jump; tests have their own.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The open state folder.
pub(crate) struct State {
    /// `None` only between a failure of the store and its next use.
    database: ProcessOwned<Mutex<Option<Arc<Database>>>>,
    tagger: Tagger,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    monotonic: Arc<MonotonicClock>,
}

impl State {
    /// Opens the folder and creates it if needed. Only its owner can read it.
    pub(crate) fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        make_private_folder(folder)?;
        let database = folder::open_store(folder)?;
        let tagger = Tagger::new(&folder::tag_key(folder)?);
        let up_to_date = migrations::migrate(&database, &tagger)?;
        up_to_date.map_err(|found| StateError::Newer {
            folder: folder.to_owned(),
            found,
        })?;
        let latest = latest_reading(&database, &tagger)?;
        let state = Self {
            database: ProcessOwned::new(Mutex::new(Some(Arc::new(database)))),
            tagger,
            folder: folder.to_owned(),
            monotonic: Arc::new(MonotonicClock::resume(Arc::clone(&clock), latest)),
            clock,
        };
        if latest.is_none() {
            state.write(|_| Ok::<(), StateError>(()))?;
        }
        Ok(state)
    }

    /// Whether `folder` has a store.
    pub(crate) fn exists(folder: &Path) -> bool {
        folder.join(folder::STORE).is_file()
    }

    /// Destroys the store in `folder`, which must not be open.
    pub(crate) fn destroy(folder: &Path) -> Result<(), StateError> {
        for name in [folder::STORE, folder::KEY] {
            let path = folder.join(name);
            crate::files::destroy(&path).map_err(StateError::io("remove", &path))?;
        }
        Ok(())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `body` in a transaction and commits it durably, unless it fails.
    pub(crate) fn write<T, E: From<StateError>>(
        &self,
        body: impl FnOnce(&WriteTxn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let written = self.try_write(body);
        if written.is_err() {
            self.release_failed_store();
        }
        written
    }

    /// Runs `body` on a consistent snapshot.
    pub(crate) fn read<T, E: From<StateError>>(
        &self,
        body: impl FnOnce(&ReadTxn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let read = self.try_read(body);
        if read.is_err() {
            self.release_failed_store();
        }
        read
    }

    fn try_write<T, E: From<StateError>>(
        &self,
        body: impl FnOnce(&WriteTxn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.store()?.begin_write().map_err(StateError::from)?;
        let txn = WriteTxn {
            transaction: &transaction,
            tagger: &self.tagger,
        };
        let outcome = body(&txn)?;
        let reading = self.monotonic.read();
        txn.set_value(CLOCK_NAME, &reading)?;
        transaction.commit().map_err(StateError::from)?;
        self.monotonic.mark_persisted(reading);
        Ok(outcome)
    }

    fn try_read<T, E: From<StateError>>(
        &self,
        body: impl FnOnce(&ReadTxn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.store()?.begin_read().map_err(StateError::from)?;
        body(&ReadTxn {
            transaction: &transaction,
            tagger: &self.tagger,
        })
    }

    fn store(&self) -> Result<Arc<Database>, StateError> {
        let mut database = self.lock()?;
        match &*database {
            Some(database) => Ok(Arc::clone(database)),
            None => {
                let reopened = Arc::new(folder::open_store(&self.folder)?);
                Ok(Arc::clone(database.insert(reopened)))
            }
        }
    }

    /// After a failed write, for example on a full disk, redb refuses everything until it is
    /// reopened. A withdrawal must not have to wait for the app's next start.
    fn release_failed_store(&self) {
        let Ok(database) = self.store() else {
            return;
        };
        let is_lost = matches!(
            database.begin_write(),
            Err(redb::TransactionError::Storage(
                redb::StorageError::PreviousIo
            ))
        );
        drop(database);
        if is_lost && let Ok(mut database) = self.lock() {
            // Another thread that still uses the store releases it when it fails in turn.
            database.take_if(|database| Arc::strong_count(database) == 1);
        }
    }

    fn lock(&self) -> Result<MutexGuard<'_, Option<Arc<Database>>>, Forked> {
        let database = self.database.get()?;
        Ok(database.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The system's time, which may jump.
    pub(crate) fn system_time(&self) -> Timestamp {
        self.clock.now()
    }

    /// A time that never goes back, and continues when the system's clock is set back. Terms that
    /// protect the person are measured by it, so that setting the clock back extends none.
    pub(crate) fn monotonic_time(&self) -> Timestamp {
        self.monotonic.now()
    }

    /// The day (UTC) of the monotonic time: setting the clock back gives no second budget and makes no
    /// plan fresh.
    pub(crate) fn today(&self) -> Date {
        Offset::UTC.to_datetime(self.monotonic_time()).date()
    }

    /// The clock of [`Self::monotonic_time`].
    pub(crate) fn monotonic_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.monotonic) as Arc<dyn Clock>
    }

    /// Stores the monotonic time for the next start, if it has not been stored recently.
    pub(crate) fn persist_time(&self) {
        if self.monotonic.is_persisted() {
            return;
        }
        // If the disk is full now, the next call retries.
        if let Err(error) = self.write(|_| Ok::<(), StateError>(())) {
            tracing::warn!(%error, "the time cannot be kept");
        }
    }

    /// Puts a corrupt row into `table`.
    #[cfg(test)]
    pub(crate) fn damage(&self, table: &'static str) {
        let table = redb::TableDefinition::<u64, &[u8]>::new(table);
        let damaged = self.write(|txn| -> Result<(), StateError> {
            let mut rows = txn.transaction.open_table(table)?;
            rows.insert(u64::MAX, b"no row at all, and no tag".as_slice())?;
            Ok(())
        });
        damaged.unwrap();
    }

    /// A small value.
    pub(crate) fn value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        self.read(|txn| txn.value(name))
    }
}

/// The stored reading of the monotonic clock; every store except a new one has it.
fn latest_reading(database: &Database, tagger: &Tagger) -> Result<Option<Reading>, StateError> {
    let transaction = database.begin_read()?;
    let txn = ReadTxn {
        transaction: &transaction,
        tagger,
    };
    txn.value(CLOCK_NAME)
}

/// `time` plus `duration`, or [`Timestamp::MAX`].
pub(crate) fn saturating_add(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}
