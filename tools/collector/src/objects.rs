//! The objects: sealed samples, each a file `ID.age` in one folder.
//!
//! A body is written under a temporary name, synced and only then renamed, so that whatever bears a
//! sample's name is whole. Renaming and removing are for [`crate::storage`], which holds the
//! database's write lock meanwhile.

use std::{
    fs::{self, File, FileTimes},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sordino::Id;
use tokio::{io::AsyncWriteExt as _, task::spawn_blocking};

const WHOLE: &str = "age";
const PARTIAL: &str = "part";

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    folder: PathBuf,
}

/// Why the folder did not do what it was asked. It names no file: that would be a sample's id.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {source}")]
pub(crate) struct ObjectsError {
    doing: &'static str,
    source: io::Error,
}

/// An object that is being written. Dropped, it is gone.
pub(crate) struct Upload {
    path: PathBuf,
    file: tokio::fs::File,
    is_placed: bool,
}

impl Objects {
    /// Opens the folder, made where there is none, for nobody else on the machine to read.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        create_private(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Begins an object of a sample. Many may be under way for the same one.
    pub(crate) async fn begin(&self, sample: Id) -> Result<Upload, ObjectsError> {
        let unique = Id::random().map_err(|error| doing("naming")(io::Error::other(error)))?;
        let path = self.folder.join(format!("{sample}.{unique}.{PARTIAL}"));
        let open = path.clone();
        let file = blocking("making a file", move || {
            let mut options = File::options();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(open)?;
            // Held until the file is closed, also by a crash: `leftovers` goes by it.
            file.lock()?;
            Ok(file)
        })
        .await?;
        Ok(Upload {
            path,
            file: tokio::fs::File::from_std(file),
            is_placed: false,
        })
    }

    /// Gives a finished upload its sample's name, durably.
    pub(crate) async fn place(&self, upload: &mut Upload, sample: Id) -> Result<(), ObjectsError> {
        let (from, to) = (upload.path.clone(), self.path(sample));
        let folder = self.folder.clone();
        blocking("renaming", move || {
            fs::rename(from, to)?;
            sync(&folder)
        })
        .await?;
        upload.is_placed = true;
        Ok(())
    }

    /// The whole object, which is at most as large as a sample may be; `None` where there is none.
    pub(crate) async fn read(&self, sample: Id) -> Result<Option<Vec<u8>>, ObjectsError> {
        let path = self.path(sample);
        blocking("reading", move || match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        })
        .await
    }

    /// Removes objects, durably; one that is not there is as good as removed.
    pub(crate) async fn remove(&self, samples: &[Id]) -> Result<(), ObjectsError> {
        let paths: Vec<PathBuf> = samples.iter().map(|sample| self.path(*sample)).collect();
        let folder = self.folder.clone();
        blocking("removing", move || {
            for path in paths {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            sync(&folder)
        })
        .await
    }

    /// Removes uploads that a crash left behind, and returns the samples that there are objects of.
    pub(crate) async fn sweep(&self) -> Result<Vec<Id>, ObjectsError> {
        let folder = self.folder.clone();
        blocking("sweeping", move || {
            let mut samples = Vec::new();
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                match name_of(&path) {
                    Some((sample, WHOLE)) => samples.push(sample),
                    Some((_, PARTIAL)) => remove_if_left(&path)?,
                    _ => {}
                }
            }
            Ok(samples)
        })
        .await
    }

    fn path(&self, sample: Id) -> PathBuf {
        self.folder.join(format!("{sample}.{WHOLE}"))
    }
}

impl Upload {
    /// Adds bytes at the end.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectsError> {
        self.file.write_all(bytes).await.map_err(doing("writing"))
    }

    /// Makes what was written durable.
    pub(crate) async fn sync(&mut self) -> Result<(), ObjectsError> {
        self.file.flush().await.map_err(doing("writing"))?;
        let file = self
            .file
            .try_clone()
            .await
            .map_err(doing("syncing"))?
            .into_std()
            .await;
        blocking("syncing", move || {
            // Nothing kept says when a person played but the week.
            file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH))?;
            file.sync_all()
        })
        .await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_placed {
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

fn name_of(path: &Path) -> Option<(Id, &'static str)> {
    let name = path.file_name()?.to_str()?;
    let (sample, rest) = name.split_once('.')?;
    let sample = sample.parse().ok()?;
    match rest.split_once('.') {
        None if rest == WHOLE => Some((sample, WHOLE)),
        Some((unique, PARTIAL)) if unique.parse::<Id>().is_ok() => Some((sample, PARTIAL)),
        _ => None,
    }
}

/// An upload under way, perhaps another process's, is locked.
fn remove_if_left(path: &Path) -> io::Result<()> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    };
    match File::open(path) {
        Err(error) => gone(error),
        Ok(file) if file.try_lock().is_ok() => fs::remove_file(path).or_else(gone),
        Ok(_) => Ok(()),
    }
}

/// Makes renamed and removed names durable.
fn sync(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ObjectsError> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(doing(what))
}

fn doing(doing: &'static str) -> impl FnOnce(io::Error) -> ObjectsError {
    move |source| ObjectsError { doing, source }
}
