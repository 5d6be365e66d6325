//! Objects as files of one folder.

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

use super::{StoredObject, ObjectName, BlobStoreError, Backend, io_error};
use crate::file_identity::FileIdentity;

const PARTIAL_EXTENSION: &str = "part";
/// How much of an upload is held in memory before it goes to its file, in bytes: more than nearly
/// every sample has, so that one turn on a thread writes and syncs it.
const BUFFER_BYTES: usize = 256 << 10;
/// How much is written to see whether there is room, in bytes: a small sample's size.
const PROBE_BYTES: usize = 64 << 10;
/// How many names go round at a time.
const LIST_CHUNK: usize = 500;

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    identity: FileIdentity,
}

/// A file that is being written. Dropped, it is gone unless it was placed.
#[derive(Debug)]
pub(super) struct Upload {
    path: PathBuf,
    held: Vec<u8>,
    file: Option<Arc<File>>,
    is_placed: AtomicBool,
}

impl Folder {
    /// Opens the folder, made where there is none, for nobody else on the machine to read.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        create_private(folder)?;
        // One that cannot be read would only be found out by the first request.
        fs::read_dir(folder)?;
        Ok(Self {
            path: folder.to_owned(),
            identity: FileIdentity::new(folder)?,
        })
    }

    pub(super) fn begin(&self, sample: Id, unique: Id) -> Upload {
        Upload {
            path: self.partial_path(sample, unique),
            held: Vec::new(),
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
                if let Backend::Folder(way) = &upload.way {
                    fs::rename(&way.path, folder.object_path(upload.name))?;
                    way.is_placed.store(true, Ordering::Release);
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
                    // The receiver may have heard enough.
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

    /// Whether it can be written: a disk that is full can be read still. The file is named as an upload's is, so that
    /// one that a crash leaves is swept like one.
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
        self.path.join(format!("{sample}.{unique}.{PARTIAL_EXTENSION}"))
    }

    fn object_path(&self, name: ObjectName) -> PathBuf {
        self.path.join(name.to_string())
    }

    /// Makes renamed and removed names durable.
    fn sync(&self) -> io::Result<()> {
        #[cfg(unix)]
        File::open(&self.path)?.sync_all()?;
        Ok(())
    }
}

impl Upload {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobStoreError> {
        self.held.extend_from_slice(bytes);
        if self.held.len() < BUFFER_BYTES {
            return Ok(());
        }
        self.flush("writing", |_| Ok(())).await
    }

    pub(super) async fn sync(&mut self) -> Result<(), BlobStoreError> {
        self.flush("syncing", |file| {
            // Nothing kept says when a person played but the week.
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
        let held = std::mem::take(&mut self.held);
        let file = blocking(what, move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(create_locked(&path)?),
            };
            let mut writer: &File = &file;
            writer.write_all(&held)?;
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
            // A failure leaves a file that the next start sweeps.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A folder that only its owner can enter; one that is there already stays as it is.
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
        // Held until the file is closed, also by a crash: `remove_if_left` goes by it.
        file.lock()?;
        if !is_removed(&file)? {
            return Ok(file);
        }
    }
}

/// Whether a file lost its name, as to a sweep that met it before it was locked.
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

/// An upload under way, perhaps another process's, is locked.
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
    fn a_sweep_leaves_an_upload_alone_from_its_first_instant() {
        // Enough that the two meet on every machine: without the look behind the lock, some in a hundred are lost.
        const UPLOADS: usize = 2000;
        let folder = tempfile::tempdir().unwrap();
        // Each has a name of its own, as in the service, so that no sweep takes one for the one before.
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
