//! A shard: a tar with samples of one split, the files of each sample consecutive.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use sordino::Id;

use crate::{
    error::CliError,
    files::{self, remove_if_exists as remove_file},
    pull::{dataset, entry::Entry, format::DatasetFormat, names::shard_name},
};

/// Two blocks of zeros end a tar.
const END: u64 = 1024;

pub(super) fn shard_path(folder: &Path, shard: u32) -> PathBuf {
    folder.join(shard_name(shard))
}

/// The prefix of unfinished shards, which readers do not take for shards.
pub(super) fn unfinished_path(folder: &Path, shard: u32) -> PathBuf {
    folder.join(format!(".shard-{shard:06}.unfinished"))
}

/// A shard that is being written, under a temporary name.
pub(super) struct GrowingShard {
    folder: PathBuf,
    number: u32,
    archive: tar::Builder<File>,
    pub(super) samples: usize,
    /// The number of new samples.
    added: usize,
}

impl GrowingShard {
    /// Begins a shard, or continues a copy of the existing one with that many `samples`.
    pub(super) fn begin(folder: &Path, number: u32, samples: usize) -> Result<Self, CliError> {
        let path = unfinished_path(folder, number);
        let begun = (|| {
            let mut file = files::create_private(&path)?;
            if samples > 0 {
                let mut there = File::open(shard_path(folder, number))?;
                let length = there.metadata()?.len().saturating_sub(END);
                io::copy(&mut (&mut there).take(length), &mut file)?;
                let mut end = Vec::new();
                there.read_to_end(&mut end)?;
                if end.iter().any(|&byte| byte != 0) {
                    return Err(io::Error::other("the shard's end is missing"));
                }
            }
            Ok(file)
        })();
        match begun {
            Ok(file) => Ok(Self {
                folder: folder.to_owned(),
                number,
                archive: tar::Builder::new(file),
                samples,
                added: 0,
            }),
            Err(error) => {
                let _ = std::fs::remove_file(&path);
                Err(CliError::file("write", &shard_path(folder, number))(error))
            }
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Appends a sample. Returns the length of the shard in bytes, without the tar's end.
    pub(super) fn add(&mut self, entry: &Entry, flac: &[u8]) -> Result<u64, CliError> {
        let before = self.length()?;
        let added = self.append(entry, flac);
        if added.is_err() {
            // The samples before it are complete and are kept.
            let file = self.archive.get_mut();
            let _ = file.set_len(before);
            let _ = file.seek(SeekFrom::Start(before));
        }
        added?;
        self.samples += 1;
        self.added += 1;
        self.length()
    }

    fn append(&mut self, entry: &Entry, flac: &[u8]) -> Result<(), CliError> {
        for (kind, content) in [
            ("flac", flac),
            ("jams", &dataset::jams(entry)?),
            ("json", &row_json(entry)?),
        ] {
            let name = format!("{}.{kind}", entry.manifest.sample);
            append(&mut self.archive, &name, content).map_err(self.failure())?;
        }
        Ok(())
    }

    /// Completes the shard and renames it. If that fails, the next pull completes it.
    pub(super) fn finish(self) -> Result<(), CliError> {
        let failure = self.failure();
        let (folder, number) = (self.folder, self.number);
        if self.added == 0 {
            return remove_file(&unfinished_path(&folder, number));
        }
        let finished = self.archive.into_inner().and_then(|mut file| {
            file.flush()?;
            std::fs::rename(
                unfinished_path(&folder, number),
                shard_path(&folder, number),
            )
        });
        finished.map_err(failure)
    }

    fn length(&mut self) -> Result<u64, CliError> {
        let failure = self.failure();
        self.archive.get_mut().stream_position().map_err(failure)
    }

    fn failure(&self) -> impl FnOnce(io::Error) -> CliError + use<> {
        CliError::file("write", &shard_path(&self.folder, self.number))
    }
}

/// Completes a shard of a killed pull, of which `length` bytes are valid.
pub(super) fn finish_cut(folder: &Path, number: u32, length: u64) -> Result<(), CliError> {
    let path = unfinished_path(folder, number);
    let finished = (|| {
        let mut file = File::options().write(true).open(&path)?;
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        tar::Builder::new(file).into_inner()?;
        std::fs::rename(&path, shard_path(folder, number))
    })();
    finished.map_err(CliError::file("write", &path))
}

/// Rewrites a shard with only the samples in `entries`, and their current rows;
/// removes it if there are none.
pub(super) fn rewrite(
    folder: &Path,
    number: u32,
    entries: &BTreeMap<String, &Entry>,
) -> Result<(), CliError> {
    let path = shard_path(folder, number);
    if entries.is_empty() {
        return remove_file(&path);
    }
    let mut kept =
        tempfile::NamedTempFile::new_in(folder).map_err(CliError::file("write", &path))?;
    let mut archive = tar::Builder::new(kept.as_file_mut());
    each_member(&path, |name, member| {
        let (sample, kind) = name.split_once('.').unwrap_or((name, ""));
        let Some(entry) = entries.get(sample) else {
            return Ok(());
        };
        let content = match kind {
            "json" => row_json(entry)?,
            _ => {
                let mut content = Vec::new();
                member
                    .read_to_end(&mut content)
                    .map_err(CliError::content(&path))?;
                content
            }
        };
        append(&mut archive, name, &content).map_err(CliError::file("write", &path))
    })?;
    archive
        .into_inner()
        .map_err(CliError::file("write", &path))?;
    files::persist(kept, &path)
}

/// A sample's FLAC.
pub(super) fn read(folder: &Path, shard: u32, id: Id) -> Result<Vec<u8>, CliError> {
    let path = shard_path(folder, shard);
    let wanted = format!("{id}.flac");
    let mut found = None;
    each_member(&path, |name, member| {
        if name == wanted {
            let mut content = Vec::new();
            member
                .read_to_end(&mut content)
                .map_err(CliError::content(&path))?;
            found = Some(content);
        }
        Ok(())
    })?;
    found.ok_or_else(|| CliError::content(&path)(format!("sample {id} is missing from it")))
}

fn each_member(
    path: &Path,
    mut take: impl FnMut(&str, &mut dyn Read) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let file = File::open(path).map_err(CliError::file("read", path))?;
    let mut archive = tar::Archive::new(BufReader::new(file));
    // The data of other members is skipped.
    for member in archive
        .entries_with_seek()
        .map_err(CliError::content(path))?
    {
        let mut member = member.map_err(CliError::content(path))?;
        let name = member
            .path()
            .map_err(CliError::content(path))?
            .display()
            .to_string();
        take(&name, &mut member)?;
    }
    Ok(())
}

fn append(
    archive: &mut tar::Builder<impl io::Write>,
    name: &str,
    content: &[u8],
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    archive.append_data(&mut header, name, content)
}

fn row_json(entry: &Entry) -> Result<Vec<u8>, CliError> {
    let row = dataset::Row::new(entry, DatasetFormat::WebDataset);
    let flat = dataset::flat(&row).map_err(CliError::message)?;
    serde_json::to_vec(&flat).map_err(CliError::message)
}
