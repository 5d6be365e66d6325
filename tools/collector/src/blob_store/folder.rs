//! Objects as files in a folder.

use std::{
    fs::{self, File, FileTimes},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use sordino::Id;
use tokio::{sync::mpsc::Sender, task::spawn_blocking};

use super::{Backend, BlobStoreError, ObjectName, StoredObject, io_error};
use crate::file_identity::FileIdentity;

const PARTIAL_EXTENSION: &str = "part";
/// The size of the write buffer, in bytes: larger than nearly every sample, so that one blocking task writes and syncs
/// it.
const BUFFER_BYTES: usize = 256 << 10;
/// The size of the file that checks for free space, in bytes: that of a small sample.
const PROBE_BYTES: usize = 64 << 10;
/// The number of objects per chunk of a list.
const LIST_CHUNK: usize = 500;

/// A folder of objects.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    identity: FileIdentity,
}

/// A file that is being written. It is deleted on drop unless it was placed.
#[derive(Debug)]
pub(super) struct Upload {
    path: PathBuf,
    buffer: Vec<u8>,
    file: Option<Arc<File>>,
    is_placed: AtomicBool,
}

impl Folder {
    /// Opens the folder. A missing one is created, readable by its owner only.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        create_private(folder)?;
        // Without this check, an unreadable folder would be detected only by the first request.
        fs::read_dir(folder)?;
        Ok(Self {
            path: folder.to_owned(),
            identity: FileIdentity::new(folder)?,
        })
    }

    pub(super) fn begin(&self, sample: Id, unique: Id) -> Upload {
        Upload {
            path: self.partial_path(sample, unique),
            buffer: Vec::new(),
            file: None,
            is_placed: AtomicBool::new(false),
        }
    }

    pub(super) async fn place(&self, uploads: &[Arc<super::Upload>]) -> Result<(), BlobStoreError> {
        if uploads.is_empty() {
            return Ok(());
        }
        let uploads = uploads.to_vec();
        let folder = self.clone();
        blocking("renaming", move || {
            folder.identity.check()?;
            for upload in &uploads {
                if let Backend::Folder(backend) = &upload.backend {
                    fs::rename(&backend.path, folder.object_path(upload.name))?;
                    backend.is_placed.store(true, Ordering::Release);
                }
            }
            folder.sync()
        })
        .await
    }

    pub(super) async fn read(&self, name: ObjectName) -> Result<Option<Vec<u8>>, BlobStoreError> {
        let path = self.object_path(name);
        blocking("reading", move || match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        })
        .await
    }

    pub(super) async fn remove(&self, names: &[ObjectName]) -> Result<(), BlobStoreError> {
        let paths: Vec<PathBuf> = names.iter().map(|name| self.object_path(*name)).collect();
        let folder = self.clone();
        blocking("removing", move || {
            folder.identity.check()?;
            for path in paths {
                fs::remove_file(path).or_else(ignore_not_found)?;
            }
            folder.sync()
        })
        .await
    }

    pub(super) fn list(&self, found: Sender<Result<Vec<StoredObject>, BlobStoreError>>) {
        let folder = self.clone();
        spawn_blocking(move || {
            let mut chunk = Vec::new();
            let list = || {
                for entry in fs::read_dir(&folder.path)? {
                    let name = entry?.file_name();
                    let name = name.to_str().and_then(ObjectName::parse);
                    chunk.extend(name.map(|name| StoredObject { name, age: None }));
                    // The receiver may have stopped.
                    if chunk.len() == LIST_CHUNK
                        && found.blocking_send(Ok(std::mem::take(&mut chunk))).is_err()
                    {
                        return Ok(());
                    }
                }
                Ok(())
            };
            let end = { list }().map(|()| chunk).map_err(io_error("listing"));
            let _ = found.blocking_send(end);
        });
    }

    /// Checks that files can be written; a full disk can still be read. The file is named like an upload, so that it is
    /// removed like one after a crash.
    pub(super) async fn check_available(&self) -> Result<(), BlobStoreError> {
        let unique = Id::random().map_err(|error| io_error("naming")(io::Error::other(error)))?;
        let path = self.partial_path(unique, unique);
        let folder = self.clone();
        blocking("writing", move || {
            folder.identity.check()?;
            let written = fs::write(&path, [0; PROBE_BYTES]);
            let removed = fs::remove_file(&path);
            written.and(removed)
        })
        .await
    }

    pub(super) async fn remove_leftovers(&self) -> Result<(), BlobStoreError> {
        let folder = self.clone();
        blocking("sweeping", move || {
            for entry in fs::read_dir(folder.path)? {
                let path = entry?.path();
                if is_partial(&path) {
                    remove_if_abandoned(&path)?;
                }
            }
            Ok(())
        })
        .await
    }

    fn partial_path(&self, sample: Id, unique: Id) -> PathBuf {
        self.path
            .join(format!("{sample}.{unique}.{PARTIAL_EXTENSION}"))
    }

    fn object_path(&self, name: ObjectName) -> PathBuf {
        self.path.join(name.to_string())
    }

    /// Makes renames and removals durable.
    fn sync(&self) -> io::Result<()> {
        #[cfg(unix)]
        File::open(&self.path)?.sync_all()?;
        Ok(())
    }
}

impl Upload {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobStoreError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < BUFFER_BYTES {
            return Ok(());
        }
        self.flush("writing", |_| Ok(())).await
    }

    pub(super) async fn sync(&mut self) -> Result<(), BlobStoreError> {
        self.flush("syncing", |file| {
            // No time finer than the week is stored.
            file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH))?;
            file.sync_all()
        })
        .await
    }

    async fn flush(
        &mut self,
        what: &'static str,
        then: impl FnOnce(&File) -> io::Result<()> + Send + 'static,
    ) -> Result<(), BlobStoreError> {
        let (path, file) = (self.path.clone(), self.file.clone());
        let buffer = std::mem::take(&mut self.buffer);
        let file = blocking(what, move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(create_locked(&path)?),
            };
            let mut writer: &File = &file;
            writer.write_all(&buffer)?;
            then(&file)?;
            Ok(file)
        })
        .await?;
        self.file = Some(file);
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_placed.load(Ordering::Acquire) {
            // On failure, the next start removes the file.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Creates a folder that only its owner can access; an existing one is left unchanged.
pub(crate) fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn create_locked(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    loop {
        let file = options.open(path)?;
        // Held until the file is closed, also by a crash: `remove_if_abandoned` checks it.
        file.lock()?;
        if !is_removed(&file)? {
            return Ok(file);
        }
    }
}

/// Whether a file was unlinked, for example by a cleanup that ran before the file was locked.
fn is_removed(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) == 0);
    #[cfg(not(unix))]
    Ok(false)
}

/// `SAMPLE.UNIQUE.part`.
fn is_partial(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let parts: Vec<&str> = name.unwrap_or_default().split('.').collect();
    let is_id = |text: &str| text.parse::<Id>().is_ok();
    matches!(parts[..], [sample, unique, PARTIAL_EXTENSION] if is_id(sample) && is_id(unique))
}

/// Removes a file unless it is locked by an upload in progress, possibly of another process.
fn remove_if_abandoned(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Err(error) => ignore_not_found(error),
        Ok(file) if file.try_lock().is_ok() => fs::remove_file(path).or_else(ignore_not_found),
        Ok(_) => Ok(()),
    }
}

fn ignore_not_found(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobStoreError> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(io_error(what))
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, thread};

    use super::*;

    #[test]
    fn cleanup_never_removes_an_upload_in_progress() {
        // Enough that the race occurs on every machine: without the check after locking, about one percent are lost.
        const UPLOADS: usize = 2000;
        let folder = tempfile::tempdir().unwrap();
        // Each has a unique name, as in the service.
        let path = |upload: usize| folder.path().join(upload.to_string());
        let (current, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Acquire) {
                    remove_if_abandoned(&path(current.load(Ordering::Acquire))).unwrap();
                }
            });
            let left = (0..UPLOADS).filter(|upload| {
                let path = path(*upload);
                current.store(*upload, Ordering::Release);
                let file = create_locked(&path).unwrap();
                let is_there = path.exists();
                fs::remove_file(&path).unwrap_or_default();
                drop(file);
                is_there
            });
            let left = left.count();
            is_over.store(true, Ordering::Release);
            assert_eq!(left, UPLOADS);
        });
    }
}
