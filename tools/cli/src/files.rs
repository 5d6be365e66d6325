//! Files that are written whole or not at all.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use crate::failure::Failure;

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(Failure::file("read", path))
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(Failure::file("make the folder", path))
}

/// Writes `bytes` to `path` under a temporary name, then renames it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_with(path, bytes, set_usual_mode)
}

/// Writes `bytes` to `path`, in one step less than [`write()`]: for a file that counts only once something else
/// names it. What was begun is gone where it fails.
pub(crate) fn write_unnamed(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes)
        .inspect_err(|_| {
            let _ = fs::remove_file(path);
        })
        .map_err(Failure::file("write", path))
}

/// Gives a temporary file, written meanwhile, the name `path`.
pub(crate) fn persist(file: tempfile::NamedTempFile, path: &Path) -> Result<(), Failure> {
    set_usual_mode(file.as_file())
        .and_then(|()| file.persist(path).map_err(|error| error.error))
        .map_err(|error| Failure::file("write", path)(without_path(error)))?;
    Ok(())
}

/// As [`write()`], for its owner's eyes only.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    // As a temporary file is made.
    write_with(path, bytes, |_| Ok(()))
}

fn write_with(
    path: &Path,
    bytes: &[u8],
    set_mode: impl FnOnce(&fs::File) -> io::Result<()>,
) -> Result<(), Failure> {
    let written = (|| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        set_mode(file.as_file())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    })();
    written.map_err(|error| Failure::file("write", path)(without_path(error)))
}

/// What the system said, without the temporary name that `tempfile` puts behind it.
fn without_path(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) => io::Error::new(error.kind(), said),
        None => error,
    }
}

/// Writes a secret to a new file that only its owner can read.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .inspect_err(|_| {
                let _ = fs::remove_file(path);
            })
    });
    written.map_err(Failure::file("write", path))
}

/// A temporary file is private; what a command writes for others is not.
#[cfg(unix)]
fn set_usual_mode(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_usual_mode(_: &fs::File) -> io::Result<()> {
    Ok(())
}
