//! The database: who may send, what is held, who reads, what was withdrawn.
//!
//! SQLite so far. Whatever must be true together is written in one transaction that takes the write
//! lock when it begins, across processes too; so several collectors can stand on one database.

mod plans;
mod reading;
mod records;
mod samples;
mod tokens;

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use sordino::Purposes;
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub(crate) use self::{
    plans::{PlanRefusal, Sealing},
    reading::{Access, ReadRefusal},
    records::{Registration, RegistrationRefusal, TakenBack},
    samples::{Admission, NewSample, Refusal},
};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long another process's transaction is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// How long this process's own are.
const TURN_WAIT: Duration = Duration::from_secs(20);
/// Connections that read while another writes.
const READERS: u32 = 4;

/// The database of one collector.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// One connection: whoever holds it has the process's turn to write.
    writer: SqlitePool,
    readers: SqlitePool,
}

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// Others wrote for too long.
    #[error("it is locked by other writers")]
    Busy,
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(sqlx::Error),
    /// The tables could not be made.
    #[error("its tables could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The file could not be made.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A row does not parse; something else wrote it.
    #[error("a row of `{0}` holds what the collector did not write")]
    Damaged(&'static str),
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        const SQLITE_BUSY: i32 = 5;
        let code = error.as_database_error().and_then(|error| error.code());
        let code = code.and_then(|code| code.parse::<i32>().ok());
        match (&error, code) {
            (sqlx::Error::PoolTimedOut, _) => Self::Busy,
            // The lower byte is the primary code: https://sqlite.org/rescode.html.
            (_, Some(code)) if code & 0xff == SQLITE_BUSY => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}

impl Database {
    /// Opens the database at `path`, made where there is none, and brings its tables up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, DatabaseError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was acknowledged must outlive a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(LOCK_WAIT)
            // What was deleted is overwritten, not left in free pages.
            .pragma("secure_delete", "ON");
        // Statements are not logged: the log names nothing that was sent.
        let options = sqlx::ConnectOptions::disable_statement_logging(options);

        let lock = lock_beside(path).await?;
        create_private_file(path)?;
        let writer = pool(1).connect_with(options.clone()).await?;
        MIGRATIONS.run(&writer).await?;
        drop(lock);
        Ok(Self {
            writer,
            readers: pool(READERS).connect_lazy_with(options),
        })
    }

    /// Closes the files; the last one out folds the write-ahead log in.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// A transaction that holds the write lock from its beginning. Dropped, it changes nothing.
    pub(crate) async fn write(&self) -> Result<Session, DatabaseError> {
        Ok(Session(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// A transaction that sees one state of the database, and writes nothing.
    pub(crate) async fn read(&self) -> Result<Session, DatabaseError> {
        Ok(Session(self.readers.begin().await?))
    }
}

/// A transaction: [`Database::write`] or [`Database::read`].
pub(crate) struct Session(Transaction<'static, Sqlite>);

impl Session {
    /// Makes what was written durable.
    pub(crate) async fn commit(self) -> Result<(), DatabaseError> {
        Ok(self.0.commit().await?)
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(TURN_WAIT)
}

/// Two processes that make the tables at once would trip over each other; SQLite's own lock does
/// not span all migrations.
async fn lock_beside(database: &Path) -> Result<File, std::io::Error> {
    let mut path = PathBuf::from(database).into_os_string();
    path.push(".lock");
    let lock = move || {
        let file = File::options().create(true).append(true).open(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock)
        .await
        .map_err(std::io::Error::other)?
}

/// The database names consent records, so only its owner may read it, wherever it lies.
fn create_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Purposes as they stand in a column: a list with commas, or nothing.
fn purposes(column: &str, table: &'static str) -> Result<Purposes, DatabaseError> {
    match column {
        "" => Ok(Purposes::default()),
        list => parsed(list, table),
    }
}

fn parsed<T: std::str::FromStr>(column: &str, table: &'static str) -> Result<T, DatabaseError> {
    column.parse().map_err(|_| DatabaseError::Damaged(table))
}
