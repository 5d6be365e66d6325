//! Reading files, and writing them atomically.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use sordino::text;

use crate::error::CliError;

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(CliError::file("read", path))
}

/// Reads a whole text file with [`text::decode`].
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    let bytes = read(path)?;
    let text = text::decode(&bytes).map_err(CliError::content(path))?;
    Ok(text.to_owned())
}

/// Creates a folder and its parents.
pub(crate) fn make_folder(path: &Path) -> Result<(), CliError> {
    fs::create_dir_all(path).map_err(CliError::file("make the folder", path))
}

/// Like [`make_folder`], with access for the owner only. An existing folder is not changed.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), CliError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(CliError::file("make the folder", path))
}

/// Restricts an existing folder or file to the owner.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = fs::metadata(path)?;
        let own = metadata.permissions().mode() & 0o700;
        if metadata.permissions().mode() & 0o777 != own {
            fs::set_permissions(path, fs::Permissions::from_mode(own))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// A new or emptied file that only its owner can read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().create(true).truncate(true)).open(path)
}

/// Writes `bytes` to `path` atomically, readable by the owner only. For files of the program's own; a file that a
/// person names is an [`OutputFile`](crate::output_files::OutputFile).
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let written = temporary(path).and_then(|mut file| {
        file.write_all(bytes)?;
        Ok(file)
    });
    let written = written.map_err(|error| CliError::file("write", path)(without_path(error)))?;
    persist(written, path)
}

/// Writes `bytes` to `path` without a temporary name, unlike [`write_private()`]: for a file that is valid only once
/// something else names it. An incomplete file is removed.
pub(crate) fn write_unnamed(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    create_private(path)
        .and_then(|mut file| file.write_all(bytes))
        .inspect_err(|_| {
            let _ = fs::remove_file(path);
        })
        .map_err(CliError::file("write", path))
}

/// A temporary file in the folder of `path`, which only its owner can read.
pub(crate) fn temporary(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(folder_of(path))
}

/// The folder of `path`.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Removes a file if it exists.
pub(crate) fn remove_if_exists(path: &Path) -> Result<(), CliError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CliError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Renames a complete temporary file to `path`.
pub(crate) fn persist(file: tempfile::NamedTempFile, path: &Path) -> Result<(), CliError> {
    let persisted = file.persist(path).map_err(|error| error.error);
    persisted
        .map(drop)
        .map_err(|error| CliError::file("write", path)(without_path(error)))
}

/// The system's error without the temporary path that `tempfile` appends.
pub(crate) fn without_path(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) => io::Error::new(error.kind(), said),
        None => error,
    }
}

/// Writes a secret to a new file that only its owner can read.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let opened = private(OpenOptions::new().create_new(true)).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .inspect_err(|_| {
                let _ = fs::remove_file(path);
            })
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CliError::content(path)(
            "it exists, and may be a key that is in use; give `--out` another name, or move it away",
        ),
        _ => CliError::file("write", path)(error),
    })
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
