//! The database: who may send, what is held, who reads, what was withdrawn.
//!
//! SQLite or PostgreSQL, by one set of statements: what both understand, with `$N` for parameters,
//! 64-bit integers and text. Whatever must be true together is written in one transaction that takes
//! the write lock when it begins, across processes and machines; so several collectors can stand on
//! one database, and numbers given out by it become visible in their order.

mod admission;
mod audit;
mod deletions;
mod dump;
mod epoch;
mod stats;
mod migrations;
mod opening;
mod plans;
mod queries;
mod records;
mod reviews;
mod samples;
mod schema;
mod tokens;
mod maintenance;

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
    admission::{Admission, DailyLimits, UploadContext, NewSample, Refusal, RecipientCheck},
    audit::{Accesses, NewAccess, Head, LogEnd},
    epoch::EpochRow,
    stats::Stats,
    plans::PlanRefusal,
    queries::ReadRefusal,
    records::{Registration, RegistrationRefusal, WithdrawalSummary},
    reviews::{ReviewKind as SaidKind, Review},
    samples::DeletedSamples,
    schema::Table,
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
    /// One connection: whoever holds it has the process's turn to write.
    writer: AnyPool,
    readers: AnyPool,
    /// Whether the writer's connection is to be closed rather than used again.
    suspect: Arc<AtomicBool>,
    /// SQLite's file.
    file: Option<FileIdentity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Sqlite,
    Postgres,
}

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// Others wrote for too long, or no connection could be made.
    #[error("it does not answer, or others have locked it for too long")]
    Busy,
    /// It cannot be reached just now, or its disk is full.
    #[error("it is not available: {0}")]
    Unavailable(sqlx::Error),
    /// The object was taken for left behind before its row came.
    #[error("an upload took too long")]
    UploadExpired,
    /// It failed.
    #[error(transparent)]
    Failed(sqlx::Error),
    /// The tables could not be made.
    #[error("its tables could not be brought up to date: {0}")]
    Migration(MigrateError),
    /// There are tables that this version does not know.
    #[error("a newer version of the collector made it; run that one")]
    NewerSchema,
    /// The file could not be made.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The file is not the one any more that was opened.
    #[error(transparent)]
    Replaced(std::io::Error),
    /// No URL can be made of the path.
    #[error("the path `{0}` is not UTF-8")]
    Path(PathBuf),
    /// Another database than the one that a backup was made of.
    #[error("it is not the one that the backup was made of; name that one, or none")]
    DifferentDatabase,
    /// A pooler stands before it that gives each transaction to another of its processes.
    #[error(
        "it is reached through a pooler in transaction mode; name PostgreSQL itself, or a pool in session mode"
    )]
    Pooler,
    /// A row does not parse; something else wrote it.
    #[error("a row of `{0}` holds what the collector did not write")]
    Corrupt(&'static str),
}

impl DatabaseError {
    /// Whether the same may well succeed later, with nothing changed in what is asked.
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
            // Every connection is in use, or none can be made.
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

/// What a system's code says of a failure.
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
            // A prepared statement that is not there, or is there already.
            (_, "26000" | "42P05") => Self::Pooler,
            (_, code) if code.len() == 5 => match &code[..2] {
                // Connection, resources (a full disk), operator's intervention, the system's own I/O.
                "08" | "53" | "57" | "58" => Self::Unavailable,
                // Read only: a standby that was not promoted yet.
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
    /// A transaction that holds the write lock from its beginning. Dropped, it changes nothing.
    pub(crate) async fn write(&self) -> Result<Session, DatabaseError> {
        if let Some(file) = &self.file {
            file.check().map_err(DatabaseError::Replaced)?;
        }
        if self.system == System::Sqlite {
            let begun = self.writer.begin_with("BEGIN IMMEDIATE").await?;
            return Ok(Session(begun));
        }
        // Each statement must see what the writer before committed, whatever the server's default is.
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

    /// A transaction has failed: what became of its connection is not known, so the next one gets another. After a
    /// failed sync, say, what the system holds of the file may not be what is on the disk.
    pub(crate) fn discard_writer_connection(&self) {
        self.suspect.store(true, Ordering::SeqCst);
    }

    /// A transaction that sees one state of the database, and writes nothing.
    pub(crate) async fn read(&self) -> Result<Session, DatabaseError> {
        let begin = match self.system {
            System::Sqlite => "BEGIN",
            System::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(Session(self.readers.begin_with(begin).await?))
    }

    /// Closes the connections; the last one out of SQLite folds the write-ahead log in.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A transaction: [`Database::write`] or [`Database::read`].
pub(crate) struct Session(Transaction<'static, Any>);

impl Session {
    /// Makes what was written durable.
    pub(crate) async fn commit(self) -> Result<(), DatabaseError> {
        Ok(self.0.commit().await?)
    }
}

/// Purposes as they stand in a column: a list with commas, or nothing.
fn parse_purposes(column: &str, table: &'static str) -> Result<Purposes, DatabaseError> {
    match column {
        "" => Ok(Purposes::default()),
        list => parse_column(list, table),
    }
}

fn parse_column<T: std::str::FromStr>(column: &str, table: &'static str) -> Result<T, DatabaseError> {
    column.parse().map_err(|_| DatabaseError::Corrupt(table))
}
