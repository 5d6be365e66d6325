//! Sealed samples as files: written whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use crate::{id::Id, state::StateError};

const ENDING: &str = "age";
/// The ending under which a file is written before it is whole.
const UNFINISHED: &str = "unfinished";

/// Writes `bytes` to `path` so that after a crash at any instant the file is whole or not there:
/// temporary name, sync, rename, sync of the folder.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let temporary = path.with_extension(UNFINISHED);
    let written = write_synced(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_folder_of(path));
    written.map_err(|error| {
        shred(&temporary);
        StateError::io("write", path)(error)
    })
}

/// Destroys a file: its ciphertext is overwritten first, as far as the medium lets one, so that it
/// cannot be opened by anybody from a forgotten block. A file that is not there is no error, and one
/// that cannot be removed now is swept at the next start, since no entry names it.
pub(super) fn shred(path: &Path) {
    if let Ok(file) = OpenOptions::new().write(true).open(path) {
        let _ = overwrite(&file);
    }
    let _ = fs::remove_file(path);
    let _ = sync_folder_of(path);
}

/// The sample whose whole file this is.
pub(super) fn sample_of(path: &Path) -> Option<Id> {
    if path.extension()? != ENDING {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The header holds the only copies of the file key, so its loss alone closes the rest for ever;
/// that is what a medium that moves blocks about makes likely rather than sure.
fn overwrite(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_data()
}

#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
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
