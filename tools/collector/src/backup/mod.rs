//! Backups: everything a collector keeps, in one folder, taken while collectors run.
//!
//! * `tables.jsonl`: every table as one moment saw it. Each begins with a line that names it and its
//!   columns, and gives the last number it counted to; then a row a line, as an array.
//! * `objects/`: the objects that those rows name, copied afterwards. One whose sample was deleted
//!   meanwhile is not there, and its sample is restored as a deleted one.
//! * `backup.json`, written last: what says that the rest is whole. Without it nothing is restored.
//!
//! What was deleted after a backup was made must not come back with it: [`restore`] takes deletions
//! over from the old database where that still exists, and says what it cannot know where not.

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
    database::DatabaseError,
    digest::{Hasher, Sha256},
    blob_store::{ObjectName, BlobStoreError},
    storage::StorageError,
};

const FORMAT: u32 = 1;
const MANIFEST: &str = "backup.json";
const TABLES: &str = "tables.jsonl";
const OBJECTS: &str = "objects";

/// Why nothing was backed up or restored.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BackupError(#[from] Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the database failed: {0}")]
    Database(#[from] DatabaseError),
    #[error("the objects' place failed: {0}")]
    Objects(#[from] BlobStoreError),
    #[error("`{0}`: {1}")]
    File(PathBuf, io::Error),
    #[error("`{0}` exists and is not an empty folder; name another one")]
    FolderNotEmpty(PathBuf),
    #[error("`{0}` is no whole backup: {1}; take another one")]
    Incomplete(PathBuf, String),
    #[error("the backup was made by version {0}; restore it with that one, then start a newer one")]
    OtherVersion(String),
    #[error("the database holds something already; a backup is restored into an empty one alone")]
    DatabaseNotEmpty,
    #[error("there is no database at `{0}` to take deletions from")]
    NoOldDatabase(PathBuf),
}

/// `backup.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    /// The version of the collector, and the number of its last migration.
    version: String,
    schema: i64,
    week: Week,
    /// SHA-256 of `tables.jsonl`; the digests of the objects stand in it.
    tables: String,
    /// Samples whose object was deleted while the others were copied.
    deleted: BTreeSet<String>,
    /// Samples whose object was missing or damaged in the collector already.
    lost: BTreeSet<String>,
}

/// The line that a table begins with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    table: String,
    columns: Vec<String>,
    /// The last number given, where it counts.
    counter: Option<i64>,
}

/// A line of `tables.jsonl`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Heading(Heading),
    Row(Vec<Value>),
}

/// A sample that a row tells of, and its object's digest.
#[derive(Clone, Copy, Debug)]
struct SampleObject {
    name: ObjectName,
    sha256: Sha256,
}

impl SampleObject {
    /// From a row, where it is one of `samples`.
    fn from_row(heading: &Heading, row: &[Value]) -> Result<Option<Self>, DatabaseError> {
        const SAMPLES: &str = "samples";
        if heading.table != SAMPLES {
            return Ok(None);
        }
        let text = |name: &str| {
            let place = heading.columns.iter().position(|column| column == name)?;
            row.get(place)?.as_str()
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

/// `tables.jsonl`, line by line.
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

    /// Reads all of it for the samples that it tells of, and for its digest.
    fn sample_objects(mut self) -> Result<(Vec<SampleObject>, Sha256), Reason> {
        let (mut held, mut heading) = (Vec::new(), None);
        while let Some(line) = self.next()? {
            match (line, &heading) {
                (Line::Heading(next), _) => heading = Some(next),
                (Line::Row(row), Some(heading)) => held.extend(SampleObject::from_row(heading, &row)?),
                (Line::Row(_), None) => return Err(incomplete(&self.path, "it begins with a row")),
            }
        }
        Ok((held, self.hasher.finish()))
    }
}

fn incomplete(path: &Path, why: impl Into<String>) -> Reason {
    Reason::Incomplete(path.to_owned(), why.into())
}
