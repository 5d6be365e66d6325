//! The objects: sealed samples, each whole under its name or not there at all.
//!
//! * In a [folder] an object is `ID.age`. It is written under another name, synced, and renamed while
//!   the database's write lock is held.
//! * In an [S3 bucket](s3) an object is `ID.UPLOAD.age`, UPLOAD being a random number of its own: what
//!   is there is never written over, and what was once removed never comes back under its name. The
//!   row says which upload is the sample's.
//!
//! Which objects are to stay is for [`crate::storage`] to say.

mod folder;
mod s3;

use std::{fmt, io, time::Duration};

use sordino::Id;
use tokio::sync::mpsc;

pub(crate) use self::{
    folder::{Folder, create_private},
    s3::Bucket,
};
use crate::config::ObjectsUrl;

const EXTENSION: &str = "age";

/// A place for objects.
#[derive(Clone, Debug)]
pub(crate) enum BlobStore {
    Folder(Folder),
    Bucket(Bucket),
}

/// The name of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectName {
    pub(crate) sample: Id,
    /// Which upload it came with, where the place tells uploads apart.
    upload: Option<Id>,
}

/// An object that lies in a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredObject {
    pub(crate) name: ObjectName,
    /// How long it has been there by the clocks of the place and of this machine; `None` where the
    /// write lock tells what is finished.
    pub(crate) age: Option<Duration>,
}

/// An object on its way in. Dropped before it was placed, a folder's is gone.
#[derive(Debug)]
pub(crate) struct Upload {
    name: ObjectName,
    way: Backend,
}

#[derive(Debug)]
enum Backend {
    Folder(folder::Upload),
    Bucket(s3::Upload),
}

/// Why the place did not do what it was asked. It names no object: that would be a sample's id.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {cause}")]
pub(crate) struct BlobStoreError {
    doing: &'static str,
    cause: String,
    is_unavailable: bool,
}

impl BlobStore {
    /// Opens a place; a folder is made where there is none.
    pub(crate) async fn open(url: &ObjectsUrl) -> Result<Self, BlobStoreError> {
        match url {
            ObjectsUrl::Folder(folder) => Folder::open(folder)
                .map(Self::Folder)
                .map_err(io_error("opening")),
            ObjectsUrl::S3 { bucket, prefix } => {
                Bucket::open(bucket, prefix).await.map(Self::Bucket)
            }
        }
    }

    /// Begins an object of a sample. Many may be under way for the same one.
    pub(crate) fn begin(&self, sample: Id) -> Result<Upload, BlobStoreError> {
        let unique = Id::random().map_err(|error| io_error("naming")(io::Error::other(error)))?;
        let (upload, way) = match self {
            Self::Folder(folder) => (None, Backend::Folder(folder.begin(sample, unique))),
            Self::Bucket(bucket) => (Some(unique), Backend::Bucket(bucket.begin())),
        };
        let name = ObjectName { sample, upload };
        Ok(Upload { name, way })
    }

    /// Puts an object back under the name that it had, whole or not at all.
    pub(crate) async fn restore(
        &self,
        name: ObjectName,
        bytes: &[u8],
    ) -> Result<(), BlobStoreError> {
        let mut upload = Upload {
            name,
            ..self.begin(name.sample)?
        };
        upload.write(bytes).await?;
        upload.finish().await?;
        self.place(&[std::sync::Arc::new(upload)]).await
    }

    /// Gives finished uploads their names, durably. The caller holds the write lock.
    pub(crate) async fn place(
        &self,
        uploads: &[std::sync::Arc<Upload>],
    ) -> Result<(), BlobStoreError> {
        match self {
            Self::Folder(folder) => folder.place(uploads).await,
            // They bear their names since they were finished.
            Self::Bucket(_) => Ok(()),
        }
    }

    /// The whole object, which is at most as large as a sample may be; `None` where there is none.
    pub(crate) async fn read(&self, name: ObjectName) -> Result<Option<Vec<u8>>, BlobStoreError> {
        match self {
            Self::Folder(folder) => folder.read(name).await,
            Self::Bucket(bucket) => bucket.read(name).await,
        }
    }

    /// Removes objects, durably; one that is not there is as good as removed.
    pub(crate) async fn remove(&self, names: &[ObjectName]) -> Result<(), BlobStoreError> {
        if names.is_empty() {
            return Ok(());
        }
        match self {
            Self::Folder(folder) => folder.remove(names).await,
            Self::Bucket(bucket) => bucket.remove(names).await,
        }
    }

    /// Removes these objects of samples that were deleted, and whatever else lies there of them, durably.
    pub(crate) async fn remove_all_of(&self, names: &[ObjectName]) -> Result<(), BlobStoreError> {
        match self {
            // A sample has one name there.
            Self::Folder(_) => self.remove(names).await,
            Self::Bucket(bucket) => self.remove(&bucket.all_uploads_of(names).await?).await,
        }
    }

    /// All objects, a few hundred at a time.
    pub(crate) fn list(&self) -> mpsc::Receiver<Result<Vec<StoredObject>, BlobStoreError>> {
        let (found, list) = mpsc::channel(1);
        match self {
            Self::Folder(folder) => folder.list(found),
            Self::Bucket(bucket) => bucket.list(found),
        }
        list
    }

    /// Whether it can be reached.
    pub(crate) async fn check_available(&self) -> Result<(), BlobStoreError> {
        match self {
            Self::Folder(folder) => folder.check_available().await,
            Self::Bucket(bucket) => bucket.check_available().await,
        }
    }

    /// Whether what is written there can be deleted, which must be known before anything is taken.
    pub(crate) async fn probe(&self) -> Result<(), BlobStoreError> {
        match self {
            // Each upload is written under another name first, which is removed.
            Self::Folder(_) => Ok(()),
            Self::Bucket(bucket) => bucket.probe().await,
        }
    }

    /// Removes uploads that a crash left behind. Those that another process is writing stay.
    pub(crate) async fn remove_leftovers(&self) -> Result<(), BlobStoreError> {
        match self {
            Self::Folder(folder) => folder.remove_leftovers().await,
            // What was not finished is not there.
            Self::Bucket(_) => Ok(()),
        }
    }
}

impl ObjectName {
    /// The name of a sample's object from what its row says of the upload.
    pub(crate) fn from_column(sample: Id, column: &str) -> Option<Self> {
        let upload = match column {
            "" => None,
            upload => Some(upload.parse().ok()?),
        };
        Some(Self { sample, upload })
    }

    /// What a row says of it besides the sample.
    pub(crate) fn to_column(&self) -> String {
        self.upload
            .map(|upload| upload.to_string())
            .unwrap_or_default()
    }

    fn parse(file_name: &str) -> Option<Self> {
        let parts: Vec<&str> = file_name.split('.').collect();
        match parts[..] {
            [sample, EXTENSION] => Self::from_column(sample.parse().ok()?, ""),
            [sample, upload, EXTENSION] if !upload.is_empty() => Self::from_column(sample.parse().ok()?, upload),
            _ => None,
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.upload {
            Some(upload) => write!(f, "{}.{upload}.{EXTENSION}", self.sample),
            None => write!(f, "{}.{EXTENSION}", self.sample),
        }
    }
}

impl Upload {
    /// What it will be called.
    pub(crate) fn name(&self) -> ObjectName {
        self.name
    }

    /// Adds bytes at the end.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobStoreError> {
        match &mut self.way {
            Backend::Folder(upload) => upload.write(bytes).await,
            Backend::Bucket(upload) => {
                upload.write(bytes);
                Ok(())
            }
        }
    }

    /// Makes what was written durable.
    pub(crate) async fn finish(&mut self) -> Result<(), BlobStoreError> {
        match &mut self.way {
            Backend::Folder(upload) => upload.sync().await,
            Backend::Bucket(upload) => upload.send(self.name).await,
        }
    }
}

impl BlobStoreError {
    /// Whether it may well succeed later, with nothing changed but the place's state.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.is_unavailable
    }
}

fn io_error(doing: &'static str) -> impl FnOnce(io::Error) -> BlobStoreError {
    move |error| BlobStoreError {
        doing,
        is_unavailable: matches!(
            error.kind(),
            io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::TimedOut
                | io::ErrorKind::StaleNetworkFileHandle
        ),
        cause: error.to_string(),
    }
}
