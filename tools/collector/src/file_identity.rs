//! Whether a file or a folder is still the one that was opened. A file stays open after it was removed or its disk was
//! replaced, and what is written to it then is lost with the process.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

/// A file or folder, by its path and by what the system knows it by.
#[derive(Clone, Debug)]
pub(crate) struct FileIdentity {
    path: PathBuf,
    number: InodeId,
}

/// Device and inode.
#[cfg(unix)]
type InodeId = (u64, u64);
/// This system has no such numbers: only whether there is something is seen.
#[cfg(not(unix))]
type Number = ();

impl FileIdentity {
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            number: number(&fs::metadata(path)?),
        })
    }

    /// # Errors
    /// There is nothing at the path, or something else.
    pub(crate) fn check(&self) -> io::Result<()> {
        let found = fs::metadata(&self.path).ok();
        match found.is_some_and(|found| number(&found) == self.number) {
            true => Ok(()),
            false => Err(io::Error::other(format!(
                "`{}` was removed or replaced while it was open; put it back, or restart the collector",
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
    fn what_was_replaced_is_another_and_what_was_put_back_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("data"), folder.path().join("aside"));
        fs::create_dir(&path).unwrap();
        let identity = FileIdentity::new(&path).unwrap();
        fs::write(path.join("file"), "written to since").unwrap();
        identity.check().unwrap();
        fs::rename(&path, &aside).unwrap();
        assert!(identity.check().is_err());
        fs::create_dir(&path).unwrap();
        let told = identity.check().unwrap_err().to_string();
        assert!(told.contains("data` was removed or replaced"), "{told}");
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        identity.check().unwrap();
    }
}
