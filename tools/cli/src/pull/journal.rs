//! What a pull took in since the index was written, a line a sample, so that a pull that is killed
//! continues at that sample.
//!
//! A journal belongs to one state of the index. Once the index was rewritten, the old journal
//! says nothing any more, whether or not it could be removed: a sample that was withdrawn meanwhile
//! is not brought back by it.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use crate::{error::CliError, files};

const FILE: &str = ".sordino-pull.journal";

/// The journal that is written.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

/// A sample that was taken in.
#[derive(Serialize, Deserialize)]
pub(super) struct JournalEntry {
    pub(super) entry: Entry,
    /// Bytes of its file; in a shard, where it ends there.
    pub(super) bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Head {
    generation: u64,
}

impl Journal {
    /// Begins the journal of the index's state `generation`; an earlier one is overwritten.
    pub(super) fn begin(folder: &Path, generation: u64) -> Result<Self, CliError> {
        let path = folder.join(FILE);
        let begun = files::create_private(&path).map_err(CliError::file("write", &path));
        let mut journal = Self { path, file: begun? };
        journal.write(&Head { generation })?;
        Ok(journal)
    }

    /// Notes a sample whose files are whole.
    pub(super) fn append(&mut self, taken: &JournalEntry) -> Result<(), CliError> {
        self.write(taken)
    }

    /// The index says it all now.
    pub(super) fn remove(self) -> Result<(), CliError> {
        fs::remove_file(&self.path).map_err(CliError::file("remove", &self.path))
    }

    /// What a pull left that was killed: `None` where none was.
    pub(super) fn read_entries(
        folder: &Path,
        generation: u64,
    ) -> Result<Option<Vec<JournalEntry>>, CliError> {
        let path = folder.join(FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(CliError::file("read", &path))?,
        };
        // The last line may be cut off.
        let mut lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
        let head: Option<Head> = lines
            .next()
            .and_then(|line| serde_json::from_slice(&line).ok());
        if head.is_none_or(|head| head.generation != generation) {
            return Ok(Some(Vec::new()));
        }
        Ok(Some(
            lines
                .map_while(|line| serde_json::from_slice(&line).ok())
                .collect(),
        ))
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), CliError> {
        let mut bytes = serde_json::to_vec(line).map_err(CliError::message)?;
        bytes.push(b'\n');
        self.file
            .write_all(&bytes)
            .map_err(CliError::file("write", &self.path))
    }
}
