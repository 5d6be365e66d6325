//! Detects paths of the same file, through links and on file systems that ignore case.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::Path,
};

use crate::{error::CliError, files};

/// The identity of the file at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileId(
    #[cfg(unix)] (u64, u64),
    #[cfg(not(unix))] std::path::PathBuf,
);

impl FileId {
    /// `None` if there is no file.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let found = fs::metadata(path).ok()?;
        Some(Self((found.dev(), found.ino())))
    }

    /// `None` if there is no file.
    #[cfg(not(unix))]
    pub(super) fn of(path: &Path) -> Option<Self> {
        fs::canonicalize(path).ok().map(Self)
    }
}

/// Rejects two inputs whose outputs in the existing `folder` would be the same file. The file system decides which
/// names are the same: some ignore case, some the form of an accent.
///
/// # Errors
/// Two names are the same, or the folder cannot be written to.
pub(crate) fn check_distinct<'a>(
    folder: &Path,
    names: impl IntoIterator<Item = (&'a OsStr, &'a Path)>,
) -> Result<(), CliError> {
    let cannot = |error| CliError::file("write to", folder)(files::without_path(error));
    let names: Vec<_> = names.into_iter().collect();
    if names.len() < 2 {
        return Ok(());
    }
    let tried = tempfile::tempdir_in(folder).map_err(cannot)?;
    for (index, &(name, input)) in names.iter().enumerate() {
        match File::create_new(tried.path().join(name)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let id = FileId::of(&tried.path().join(name));
                let is_it =
                    |other: &&(&OsStr, &Path)| FileId::of(&tried.path().join(other.0)) == id;
                let other = names[..index].iter().find(is_it);
                let other = other.map_or(input, |(_, input)| input);
                return Err(CliError::content(input)(format!(
                    "its output in {} would be that of {} too; give them different names",
                    folder.display(),
                    other.display()
                )));
            }
            Err(error) => return Err(cannot(error)),
        }
    }
    Ok(())
}
