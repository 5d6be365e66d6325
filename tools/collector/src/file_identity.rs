//! Detects that an open file or folder was removed or replaced. Such a file stays open, and writes to it are lost when
//! the process ends.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

/// A file or folder, identified by path and inode.
#[derive(Clone, Debug)]
pub(crate) struct FileIdentity {
    path: PathBuf,
    number: InodeId,
}

/// Device and inode.
#[cfg(unix)]
type InodeId = (u64, u64);
/// Not available on this system: only the existence of the path is checked.
#[cfg(not(unix))]
type InodeId = ();

impl FileIdentity {
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            number: number(&fs::metadata(path)?),
        })
    }

    /// # Errors
    /// The path does not exist, or is another file.
    pub(crate) fn check(&self) -> io::Result<()> {
        let found = fs::metadata(&self.path).ok();
        match found.is_some_and(|found| number(&found) == self.number) {
            true => Ok(()),
            false => Err(io::Error::other(format!(
                "`{}` was removed or replaced while it was open; restore it or restart the collector",
                self.path.display()
            ))),
        }
    }
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> InodeId {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> InodeId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_folder_is_detected_until_restored() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("data"), folder.path().join("aside"));
        fs::create_dir(&path).unwrap();
        let identity = FileIdentity::new(&path).unwrap();
        fs::write(path.join("file"), "written to since").unwrap();
        identity.check().unwrap();
        fs::rename(&path, &aside).unwrap();
        assert!(identity.check().is_err());
        fs::create_dir(&path).unwrap();
        let message = identity.check().unwrap_err().to_string();
        assert!(
            message.contains("data` was removed or replaced"),
            "{message}"
        );
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        identity.check().unwrap();
    }
}
