//! Backups: all data of a collector in one folder, created while collectors run.
//!
//! * `tables.jsonl`: a consistent snapshot of all tables. Each table begins with a line with its name, its columns and
//!   its last sequence number, followed by one row per line, as an array.
//! * `objects/`: the objects of these rows, copied afterwards. If a sample was deleted in the meantime, its object is
//!   missing, and the sample is restored as deleted.
//! * `backup.json`, written last, marks the backup as complete. Without it nothing is restored.
//!
//! Samples that were deleted after the backup must not be restored: [`restore`] imports deletions from the old database
//! if it still exists, and otherwise reports that they are unknown.

mod create;
mod restore;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sordino::Week;

pub use self::{
    create::{BackupReport, back_up},
    restore::{RestoreReport, restore},
};
use crate::{
    blob_store::{BlobStoreError, ObjectName},
    database::DatabaseError,
    digest::{Hasher, Sha256},
    storage::error::StorageError,
};

const FORMAT: u32 = 1;
const MANIFEST: &str = "backup.json";
const TABLES: &str = "tables.jsonl";
const OBJECTS: &str = "objects";

/// An error of a backup or a restore.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BackupError(#[from] Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the database failed: {0}")]
    Database(#[from] DatabaseError),
    #[error("the object storage failed: {0}")]
    Objects(#[from] BlobStoreError),
    #[error("`{0}`: {1}")]
    File(PathBuf, io::Error),
    #[error("`{0}` exists and is not an empty folder; specify another one")]
    FolderNotEmpty(PathBuf),
    #[error("`{0}` is not a complete backup: {1}; use another one")]
    Incomplete(PathBuf, String),
    #[error(
        "the backup was made by version {0}; restore it with that version, then start a newer one"
    )]
    OtherVersion(String),
    #[error("the database is not empty; a backup can only be restored into an empty database")]
    DatabaseNotEmpty,
    #[error("no database found at `{0}` to import deletions from")]
    NoOldDatabase(PathBuf),
}

/// `backup.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    /// The version of the collector and the number of its last migration.
    version: String,
    schema: i64,
    week: Week,
    /// SHA-256 of `tables.jsonl`, which contains the digests of the objects.
    tables: String,
    /// Samples that were deleted while the objects were copied.
    deleted: BTreeSet<String>,
    /// Samples whose object was already missing or damaged.
    lost: BTreeSet<String>,
}

/// The first line of a table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    table: String,
    columns: Vec<String>,
    /// The last sequence number, if the table has one.
    counter: Option<i64>,
}

/// A line of `tables.jsonl`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Heading(Heading),
    Row(Vec<Value>),
}

/// A sample in the table `samples`, with the digest of its object.
#[derive(Clone, Copy, Debug)]
struct SampleObject {
    name: ObjectName,
    sha256: Sha256,
}

impl SampleObject {
    /// Parses a row of the table `samples`; `None` for other tables.
    fn from_row(heading: &Heading, row: &[Value]) -> Result<Option<Self>, DatabaseError> {
        const SAMPLES: &str = "samples";
        if heading.table != SAMPLES {
            return Ok(None);
        }
        let text = |name: &str| {
            let index = heading.columns.iter().position(|column| column == name)?;
            row.get(index)?.as_str()
        };
        let held = || {
            Some(Self {
                name: ObjectName::from_column(text("id")?.parse().ok()?, text("object")?)?,
                sha256: text("sha256")?.parse().ok()?,
            })
        };
        held().map(Some).ok_or(DatabaseError::Corrupt(SAMPLES))
    }
}

/// A reader of `tables.jsonl`.
struct Tables {
    path: PathBuf,
    lines: BufReader<File>,
    line: Vec<u8>,
    hasher: Hasher,
}

impl Tables {
    fn open(path: &Path) -> Result<Self, Reason> {
        let file = File::open(path).map_err(|error| Reason::File(path.to_owned(), error))?;
        Ok(Self {
            path: path.to_owned(),
            lines: BufReader::new(file),
            line: Vec::new(),
            hasher: Hasher::new(),
        })
    }

    fn next(&mut self) -> Result<Option<Line>, Reason> {
        self.line.clear();
        let read = self.lines.read_until(b'\n', &mut self.line);
        if read.map_err(|error| Reason::File(self.path.clone(), error))? == 0 {
            return Ok(None);
        }
        self.hasher.update(&self.line);
        serde_json::from_slice(&self.line)
            .map(Some)
            .map_err(|error| incomplete(&self.path, error.to_string()))
    }

    /// Reads the whole file and returns its samples and its digest.
    fn sample_objects(mut self) -> Result<(Vec<SampleObject>, Sha256), Reason> {
        let (mut held, mut heading) = (Vec::new(), None);
        while let Some(line) = self.next()? {
            match (line, &heading) {
                (Line::Heading(next), _) => heading = Some(next),
                (Line::Row(row), Some(heading)) => {
                    held.extend(SampleObject::from_row(heading, &row)?)
                }
                (Line::Row(_), None) => {
                    return Err(incomplete(
                        &self.path,
                        "it does not begin with the heading of a table",
                    ));
                }
            }
        }
        Ok((held, self.hasher.finish()))
    }
}

fn incomplete(path: &Path, why: impl Into<String>) -> Reason {
    Reason::Incomplete(path.to_owned(), why.into())
}
