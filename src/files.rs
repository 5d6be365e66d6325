//! Files of the state folder: atomic durable writes, and shredding.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
};

#[cfg(test)]
use crate::testing::crash;

/// The extension of a file that is being written.
const TEMPORARY_SUFFIX: &str = "unfinished";
/// The part of a shredded file that is overwritten, in bytes. An age header with twenty recipients is shorter, and
/// holds the only copies of the file key: without it the rest cannot be opened.
const HEADER_BYTES: u64 = 4096;
/// The number of files that are shredded sequentially before threads are started.
const SEQUENTIAL_LIMIT: usize = 200;
const MAX_THREADS: usize = 8;

/// Writes `bytes` to `path` so that after a crash at any instant the file is complete or missing:
/// temporary name, sync, rename, sync of the folder. Only its owner can read it.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(TEMPORARY_SUFFIX);
    let written = write_synced(&temporary, bytes).and_then(|()| rename(&temporary, path));
    if written.is_err() {
        shred(&temporary);
    }
    written
}

/// Renames a file durably. It needs no disk space.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step()?;
    fs::rename(from, to)?;
    sync_folder_of(to)
}

/// Shreds one file: see [`shred_all`].
pub(crate) fn shred(path: &Path) {
    shred_all([path.to_owned()]);
}

/// Shreds files of one folder: overwrites the beginning of each first, as far as the medium allows,
/// so that it cannot be recovered from an unused block. A missing file is not an error; a file that
/// cannot be removed now is removed at the next start, since it has no entry.
pub(crate) fn shred_all(paths: impl IntoIterator<Item = PathBuf>) {
    let paths: Vec<PathBuf> = paths.into_iter().collect();
    // Each file waits for the disk, which syncs several files as fast as one.
    let (few, many) = paths.split_at(paths.len().min(SEQUENTIAL_LIMIT));
    few.iter().for_each(|path| destroy_content(path));
    if !many.is_empty() {
        let share = many.len().div_ceil(MAX_THREADS);
        thread::scope(|scope| {
            for share in many.chunks(share) {
                scope.spawn(|| share.iter().for_each(|path| destroy_content(path)));
            }
        });
    }
    if let Some(path) = paths.last() {
        let _ = sync_folder_of(path);
    }
}

fn destroy_content(path: &Path) {
    if step().is_err() {
        return;
    }
    if let Ok(file) = OpenOptions::new().write(true).open(path) {
        let _ = overwrite(&file);
    }
    let _ = fs::remove_file(path);
}

/// As [`shred`], with an error if the file remains.
///
/// # Errors
/// The file still exists.
pub(crate) fn destroy(path: &Path) -> io::Result<()> {
    shred(path);
    match path.try_exists()? {
        true => Err(io::Error::other("it cannot be removed")),
        false => Ok(()),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    step()?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    step()?;
    file.write_all(bytes)?;
    step()?;
    file.sync_all()
}

/// Not guaranteed on a medium that relocates blocks.
fn overwrite(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len().min(HEADER_BYTES);
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_data()
}

#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    step()?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Windows cannot sync a folder; its file system journals the rename.
#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}

/// In tests a crash can happen before any step.
fn step() -> io::Result<()> {
    #[cfg(test)]
    crash::step()?;
    Ok(())
}
