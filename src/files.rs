//! Files of the state folder: written whole or not at all, and destroyed for good.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
};

#[cfg(test)]
use crate::testing::crash;

/// The ending under which a file is written before it is whole.
const TEMPORARY_SUFFIX: &str = "unfinished";
/// What is overwritten of a file that is destroyed. An age header with twenty recipients is shorter, and
/// holds the only copies of the file key: without it nobody opens the rest.
const HEADER_BYTES: u64 = 4096;
/// Files that are shredded one after another before it pays to start threads.
const SEQUENTIAL_LIMIT: usize = 200;
const MAX_THREADS: usize = 8;

/// Writes `bytes` to `path` so that after a crash at any instant the file is whole or not there:
/// temporary name, sync, rename, sync of the folder. Only its owner can read it.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(TEMPORARY_SUFFIX);
    let written = write_synced(&temporary, bytes).and_then(|()| rename(&temporary, path));
    if written.is_err() {
        shred(&temporary);
    }
    written
}

/// Gives a file another name, durably. It takes no room on the disk.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step()?;
    fs::rename(from, to)?;
    sync_folder_of(to)
}

/// Destroys a file: [`shred_all`] of one.
pub(crate) fn shred(path: &Path) {
    shred_all([path.to_owned()]);
}

/// Destroys files of one folder: the beginning of each is overwritten first, as far as the medium lets
/// one, so that it cannot be opened by anybody from a forgotten block. A file that is not there is no
/// error; one that cannot be removed now is swept at the next start, since no entry names it.
pub(crate) fn shred_all(paths: impl IntoIterator<Item = PathBuf>) {
    let paths: Vec<PathBuf> = paths.into_iter().collect();
    // Each file waits for the disk, which syncs several at once as fast as one.
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

/// As [`shred`], for a file of which nothing may be left.
///
/// # Errors
/// It is there still.
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

/// What a medium that moves blocks about makes likely rather than sure.
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

/// Windows gives no handle on a folder to sync; its file system journals the rename.
#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}

/// In a test any step can be the first that a crash prevents.
fn step() -> io::Result<()> {
    #[cfg(test)]
    crash::step()?;
    Ok(())
}
