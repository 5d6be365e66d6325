//! The device's state folder: one embedded store, one folder of sealed samples.
//!
//! Each stage owns its tables; this module owns the file, its version and the clock's low-water
//! mark. A change that spans stages (a withdrawal touches consent and outbox) is one transaction.

mod steady;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use redb::{
    Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, TableDefinition,
    WriteTransaction,
};
use serde::{Serialize, de::DeserializeOwned};

use steady::{Reading, SteadyClock};

/// The version of the layout that this SDK writes.
const LAYOUT: u64 = 1;
/// What redb may keep in memory. The whole store is a few hundred kilobytes.
const CACHE_BYTES: usize = 1 << 20;
const STORE: &str = "state.redb";

/// Small values by name. Each name is used by one module only.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const LAYOUT_NAME: &str = "layout";
const CLOCK_NAME: &str = "clock";

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process, or another engine in this one, has the folder open.
    #[error("the state in {} is in use by another process; close that one first", .0.display())]
    InUse(PathBuf),
    /// Written by a newer SDK. It was left as it is.
    #[error(
        "the state in {} has layout {found}, and this version knows {LAYOUT}; update the app",
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
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The store refused, because the disk is full, say.
    #[error("the state cannot be used: {0}")]
    Store(Box<redb::Error>),
    /// A row that this version wrote no longer parses: it was tampered with or damaged.
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

/// Where the time comes from. A device's clock may jump; a test makes it.
pub trait Clock: Send + Sync {
    /// The system's idea of now.
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
    /// `None` only between the loss of the store and its next use.
    database: Mutex<Option<Arc<Database>>>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    steady: Arc<SteadyClock>,
}

impl State {
    /// Opens the folder, making it where it is not there. Only its owner can read it.
    pub(crate) fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        make_private_folder(folder)?;
        let database = open_store(folder)?;
        let latest = latest_reading(&database)?;
        let state = Self {
            database: Mutex::new(Some(Arc::new(database))),
            folder: folder.to_owned(),
            steady: Arc::new(SteadyClock::resume(Arc::clone(&clock), latest)),
            clock,
        };
        state.check_layout()?;
        Ok(state)
    }

    /// Whether a store lies in `folder`.
    pub(crate) fn exists(folder: &Path) -> bool {
        folder.join(STORE).is_file()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `body` in a transaction and commits it durably, unless it fails.
    pub(crate) fn write<T, E: From<StateError>>(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let written = self.try_write(body);
        if written.is_err() {
            self.let_go_of_lost_store();
        }
        written
    }

    /// Runs `body` on one consistent view.
    pub(crate) fn read<T, E: From<StateError>>(
        &self,
        body: impl FnOnce(&ReadTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let read = self.try_read(body);
        if read.is_err() {
            self.let_go_of_lost_store();
        }
        read
    }

    fn try_write<T, E: From<StateError>>(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.store()?.begin_write().map_err(StateError::from)?;
        let outcome = body(&transaction)?;
        let reading = self.steady.read();
        set_value(&transaction, CLOCK_NAME, &reading)?;
        transaction.commit().map_err(StateError::from)?;
        self.steady.kept(reading);
        Ok(outcome)
    }

    fn try_read<T, E: From<StateError>>(
        &self,
        body: impl FnOnce(&ReadTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.store()?.begin_read().map_err(StateError::from)?;
        body(&transaction)
    }

    fn store(&self) -> Result<Arc<Database>, StateError> {
        let mut database = self.lock();
        match &*database {
            Some(database) => Ok(Arc::clone(database)),
            None => {
                let anew = Arc::new(open_store(&self.folder)?);
                Ok(Arc::clone(database.insert(anew)))
            }
        }
    }

    /// After a failed write, on a full disk say, redb refuses all else until it is opened anew. A
    /// person's "no" must not have to wait for the app's next start.
    fn let_go_of_lost_store(&self) {
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
        if is_lost {
            let mut database = self.lock();
            // Another thread that is still at it lets go of it when it fails in turn.
            database.take_if(|database| Arc::strong_count(database) == 1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Database>>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The system's time, wherever it jumped to.
    pub(crate) fn system_time(&self) -> Timestamp {
        self.clock.now()
    }

    /// A time that never goes back, nor stands still when the system's is set back. Terms that
    /// protect the person are measured by it, so that a clock set back lengthens none.
    pub(crate) fn steady_time(&self) -> Timestamp {
        self.steady.now()
    }

    /// The clock of [`Self::steady_time`].
    pub(crate) fn steady_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.steady) as Arc<dyn Clock>
    }

    /// Keeps the steady time for the next start, where it was not kept for long.
    pub(crate) fn keep_time(&self) {
        if self.steady.is_kept() {
            return;
        }
        // A disk that is full now is tried again.
        if let Err(error) = self.write(|_| Ok::<(), StateError>(())) {
            tracing::warn!(%error, "the time cannot be kept");
        }
    }

    /// A small value.
    pub(crate) fn value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        self.read(|transaction| {
            let table = transaction.open_table(META)?;
            table
                .get(name)?
                .map(|bytes| from_row(bytes.value()))
                .transpose()
        })
    }

    fn check_layout(&self) -> Result<(), StateError> {
        self.write(
            |transaction| match value::<u64>(transaction, LAYOUT_NAME)? {
                None => set_value(transaction, LAYOUT_NAME, &LAYOUT),
                Some(LAYOUT) => Ok(()),
                Some(found) if found > LAYOUT => Err(StateError::Newer {
                    folder: self.folder.clone(),
                    found,
                }),
                Some(found) => Err(StateError::Damaged(format!("it claims layout {found}"))),
            },
        )
    }
}

/// A small value, as `transaction` sees it.
pub(crate) fn value<T: DeserializeOwned>(
    transaction: &WriteTransaction,
    name: &str,
) -> Result<Option<T>, StateError> {
    let table = transaction.open_table(META)?;
    let value = table
        .get(name)?
        .map(|bytes| from_row(bytes.value()))
        .transpose()?;
    Ok(value)
}

/// Sets a small value.
pub(crate) fn set_value<T: Serialize>(
    transaction: &WriteTransaction,
    name: &str,
    value: &T,
) -> Result<(), StateError> {
    let mut table = transaction.open_table(META)?;
    table.insert(name, to_row(value)?.as_slice())?;
    Ok(())
}

/// Forgets a small value.
pub(crate) fn clear_value(transaction: &WriteTransaction, name: &str) -> Result<(), StateError> {
    transaction.open_table(META)?.remove(name)?;
    Ok(())
}

/// A row's bytes.
pub(crate) fn to_row<T: Serialize>(value: &T) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(value).map_err(|error| StateError::Damaged(error.to_string()))
}

/// A row from its bytes.
pub(crate) fn from_row<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|error| StateError::Damaged(error.to_string()))
}

/// The steady clock as it was last kept.
fn latest_reading(database: &Database) -> Result<Option<Reading>, StateError> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(META) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let row = table.get(CLOCK_NAME)?;
    row.map(|row| from_row(row.value())).transpose()
}

fn open_store(folder: &Path) -> Result<Database, StateError> {
    let path = folder.join(STORE);
    make_private_file(&path)?;
    redb::Builder::new()
        .set_cache_size(CACHE_BYTES)
        .create(&path)
        .map_err(|error| opening_failed(folder, &path, error))
}

fn opening_failed(folder: &Path, path: &Path, error: redb::DatabaseError) -> StateError {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StateError::InUse(folder.to_owned()),
        redb::DatabaseError::Storage(redb::StorageError::Io(error)) => StateError::Io {
            action: "open",
            path: path.to_owned(),
            error,
        },
        redb::DatabaseError::Storage(redb::StorageError::Corrupted(reason)) => {
            StateError::Damaged(format!("{}: {reason}", path.display()))
        }
        error => StateError::Store(Box::new(error.into())),
    }
}

/// Makes a folder that only its owner can enter.
pub(crate) fn make_private_folder(folder: &Path) -> Result<(), StateError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(StateError::io("make the folder", folder))
}

/// Makes a file that only its owner can read, unless it is there: the folder may have been made by
/// somebody else, for all to enter.
fn make_private_file(path: &Path) -> Result<(), StateError> {
    if path.exists() {
        return Ok(());
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(StateError::io("make", path))?;
    Ok(())
}

/// `time` and `duration` later, or the end of time.
pub(crate) fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}
