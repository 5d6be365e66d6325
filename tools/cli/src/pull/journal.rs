//! The samples that a pull imported since the index was written, one per line, so that the next pull continues there
//! if this one is killed.
//!
//! A journal belongs to one state of the index. It is invalid once the index is rewritten, even if it could not be
//! removed, so that it never restores a withdrawn sample.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use crate::{error::CliError, files};

const FILE: &str = ".sordino-pull.journal";

/// The journal that is being written.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

/// An imported sample.
#[derive(Serialize, Deserialize)]
pub(super) struct JournalEntry {
    pub(super) entry: Entry,
    /// Bytes of its file; in a shard, the position of its end.
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

    /// Records a sample whose files are complete.
    pub(super) fn append(&mut self, taken: &JournalEntry) -> Result<(), CliError> {
        self.write(taken)
    }

    /// Removes the journal after the index was written.
    pub(super) fn remove(self) -> Result<(), CliError> {
        fs::remove_file(&self.path).map_err(CliError::file("remove", &self.path))
    }

    /// The entries that a killed pull left; `None` if there was none.
    pub(super) fn read_entries(
        folder: &Path,
        generation: u64,
    ) -> Result<Option<Vec<JournalEntry>>, CliError> {
        let path = folder.join(FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(CliError::file("read", &path))?,
        };
        // The last line may be incomplete.
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
