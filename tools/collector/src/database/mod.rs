//! The database of consent records, samples, tokens and withdrawals.
//!
//! SQLite and PostgreSQL use the same statements, with `$N` for parameters, 64-bit integers and text. Related changes
//! are made in one transaction that takes a write lock at its beginning, across processes and machines. Several
//! collectors can therefore share one database, and sequence numbers become visible in order.

mod admission;
mod audit;
mod deletions;
mod dump;
mod epoch;
mod maintenance;
mod migrations;
mod opening;
mod plans;
mod queries;
mod records;
mod reviews;
mod samples;
mod schema;
mod stats;
mod tokens;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sordino::Purposes;
use sqlx::{Any, AnyPool, Transaction, migrate::MigrateError};

pub(crate) use self::{
    admission::{Admission, DailyLimits, NewSample, RecipientCheck, Refusal, UploadContext, Usage},
    audit::{Accesses, Head, LogEnd, NewAccess},
    epoch::EpochRow,
    plans::PlanRefusal,
    queries::ReadRefusal,
    records::{Registration, RegistrationRefusal, WithdrawalSummary},
    reviews::{Review, ReviewKind},
    samples::DeletedSamples,
    schema::Table,
    stats::Stats,
    tokens::{NewToken, TokenRow},
};
use crate::file_identity::FileIdentity;

pub use self::reviews::Quarantined;

/// The key of the advisory lock that PostgreSQL's writers hold: "sordino" in ASCII.
const WRITE_LOCK: i64 = 0x0073_6f72_6469_6e6f;

/// The database of one collector.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    system: System,
    /// A pool of one connection, which serializes the writes of this process.
    writer: AnyPool,
    readers: AnyPool,
    /// Whether the writer's connection must be replaced.
    discard_writer: Arc<AtomicBool>,
    /// SQLite's file.
    file: Option<FileIdentity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Sqlite,
    Postgres,
}

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// The lock could not be acquired in time, or no connection could be opened.
    #[error("it does not respond, or is locked by other processes")]
    Busy,
    /// The database is temporarily unreachable, or its disk is full.
    #[error("it is not available: {0}")]
    Unavailable(sqlx::Error),
    /// The object was removed as abandoned before its row was inserted.
    #[error("the upload took too long")]
    UploadExpired,
    /// Another error.
    #[error(transparent)]
    Failed(sqlx::Error),
    /// A migration failed.
    #[error("cannot migrate its schema: {0}")]
    Migration(MigrateError),
    /// The schema is newer than this version.
    #[error("it was created by a newer version of the collector; run that version")]
    NewerSchema,
    /// The file could not be created.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The file was replaced after it was opened.
    #[error(transparent)]
    Replaced(std::io::Error),
    /// The path cannot be used in a URL.
    #[error("the path `{0}` is not UTF-8")]
    Path(PathBuf),
    /// Not the database of the backup.
    #[error("it is not the database of the backup; name the original database, or none")]
    DifferentDatabase,
    /// The database is behind a pooler in transaction mode.
    #[error(
        "it is behind a pooler in transaction mode; connect to PostgreSQL directly, or use a pool in session mode"
    )]
    Pooler,
    /// A row cannot be parsed.
    #[error("corrupt row in the table `{0}`")]
    Corrupt(&'static str),
}

impl DatabaseError {
    /// Whether the error is temporary, so that a retry may succeed.
    pub(crate) fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Unavailable(_) | Self::UploadExpired | Self::Replaced(_)
        )
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            // Every connection is in use, or none can be opened.
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Unavailable(error)
            }
            sqlx::Error::Database(reason) => match reason.code().as_deref().map(Cause::from_code) {
                Some(Cause::Locked) => Self::Busy,
                Some(Cause::Unavailable) => Self::Unavailable(error),
                Some(Cause::Pooler) => Self::Pooler,
                _ => Self::Failed(error),
            },
            _ => Self::Failed(error),
        }
    }
}

/// The cause of a failure, by the error code of the database.
enum Cause {
    Locked,
    Unavailable,
    Pooler,
    Other,
}

impl Cause {
    fn from_code(code: &str) -> Self {
        // SQLite's are decimal numbers, the lower byte the primary code: https://sqlite.org/rescode.html.
        const SQLITE_BUSY: i32 = 5;
        const SQLITE_IOERR: i32 = 10;
        const SQLITE_FULL: i32 = 13;
        // PostgreSQL's have five characters, the first two the class:
        // https://www.postgresql.org/docs/current/errcodes-appendix.html.
        match (code.parse::<i32>(), code) {
            (_, "55P03" | "40001" | "40P01") => Self::Locked,
            // A missing or a duplicate prepared statement.
            (_, "26000" | "42P05") => Self::Pooler,
            (_, code) if code.len() == 5 => match &code[..2] {
                // Connection errors, resources (full disk), operator intervention, I/O errors.
                "08" | "53" | "57" | "58" => Self::Unavailable,
                // Read-only: a standby that is not promoted yet.
                "25" => Self::Unavailable,
                _ => Self::Other,
            },
            (Ok(code), _) if code & 0xff == SQLITE_BUSY => Self::Locked,
            (Ok(code), _) if matches!(code & 0xff, SQLITE_IOERR | SQLITE_FULL) => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

impl From<MigrateError> for DatabaseError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) => Self::NewerSchema,
            error => Self::Migration(error),
        }
    }
}

impl Database {
    /// Begins a transaction that holds the write lock. It is rolled back when dropped.
    pub(crate) async fn write(&self) -> Result<Session, DatabaseError> {
        if let Some(file) = &self.file {
            file.check().map_err(DatabaseError::Replaced)?;
        }
        if self.system == System::Sqlite {
            let begun = self.writer.begin_with("BEGIN IMMEDIATE").await?;
            return Ok(Session(begun));
        }
        // Each statement must see the commits of earlier writers, whatever the server's default is.
        let begun = self
            .writer
            .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED");
        let mut session = Session(begun.await?);
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(WRITE_LOCK)
            .execute(&mut *session.0)
            .await?;
        Ok(session)
    }

    /// Discards the writer's connection after a failed transaction, because its state is unknown. For example, after a
    /// failed fsync the page cache may differ from the disk.
    pub(crate) fn discard_writer_connection(&self) {
        self.discard_writer.store(true, Ordering::SeqCst);
    }

    /// Begins a read-only transaction with a consistent snapshot.
    pub(crate) async fn read(&self) -> Result<Session, DatabaseError> {
        let begin = match self.system {
            System::Sqlite => "BEGIN",
            System::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(Session(self.readers.begin_with(begin).await?))
    }

    /// Closes the connections; the last connection of SQLite checkpoints the write-ahead log.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A transaction: [`Database::write`] or [`Database::read`].
pub(crate) struct Session(Transaction<'static, Any>);

impl Session {
    /// Commits the transaction durably.
    pub(crate) async fn commit(self) -> Result<(), DatabaseError> {
        Ok(self.0.commit().await?)
    }
}

/// Parses a column of comma-separated purposes, which may be empty.
fn parse_purposes(column: &str, table: &'static str) -> Result<Purposes, DatabaseError> {
    match column {
        "" => Ok(Purposes::default()),
        list => parse_column(list, table),
    }
}

fn parse_column<T: std::str::FromStr>(
    column: &str,
    table: &'static str,
) -> Result<T, DatabaseError> {
    column.parse().map_err(|_| DatabaseError::Corrupt(table))
}
