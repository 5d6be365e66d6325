//! Stores sealed samples as objects, atomically.
//!
//! * In a [folder] an object is `ID.age`. It is written under a temporary name, synced, and renamed while the write
//!   lock of the database is held.
//! * In an [S3 bucket](s3) an object is `ID.UPLOAD.age`, where UPLOAD is a random id: objects are never overwritten,
//!   and a deleted object never comes back under its name. The database row contains the UPLOAD of the sample.
//!
//! [`crate::storage`] decides which objects are kept.

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

/// An object storage.
#[derive(Clone, Debug)]
pub(crate) enum BlobStore {
    Folder(Folder),
    Bucket(Bucket),
}

/// The name of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectName {
    pub(crate) sample: Id,
    /// The id of the upload, in a bucket.
    upload: Option<Id>,
}

/// An object in the storage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredObject {
    pub(crate) name: ObjectName,
    /// The age by the clocks of the storage and of this machine; `None` in a folder, where the write lock protects
    /// unfinished uploads.
    pub(crate) age: Option<Duration>,
}

/// An object that is being written. In a folder, it is deleted on drop unless it was placed.
#[derive(Debug)]
pub(crate) struct Upload {
    name: ObjectName,
    backend: Backend,
}

#[derive(Debug)]
enum Backend {
    Folder(folder::Upload),
    Bucket(s3::Upload),
}

/// An error of the object storage. It does not contain the name of an object, which includes the sample's id.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {cause}")]
pub(crate) struct BlobStoreError {
    operation: &'static str,
    cause: String,
    is_unavailable: bool,
}

impl BlobStore {
    /// Opens the storage; a missing folder is created.
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

    /// Begins to write an object of a sample. Several uploads of the same sample are possible.
    pub(crate) fn begin(&self, sample: Id) -> Result<Upload, BlobStoreError> {
        let unique = Id::random().map_err(|error| io_error("naming")(io::Error::other(error)))?;
        let (upload, backend) = match self {
            Self::Folder(folder) => (None, Backend::Folder(folder.begin(sample, unique))),
            Self::Bucket(bucket) => (Some(unique), Backend::Bucket(bucket.begin())),
        };
        let name = ObjectName { sample, upload };
        Ok(Upload { name, backend })
    }

    /// Writes an object under its original name, atomically.
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

    /// Renames finished uploads to their final names, durably. The caller must hold the write lock.
    pub(crate) async fn place(
        &self,
        uploads: &[std::sync::Arc<Upload>],
    ) -> Result<(), BlobStoreError> {
        match self {
            Self::Folder(folder) => folder.place(uploads).await,
            // In a bucket, finished uploads have their final names.
            Self::Bucket(_) => Ok(()),
        }
    }

    /// Reads an object, whose size is limited by that of a sample; `None` if it does not exist.
    pub(crate) async fn read(&self, name: ObjectName) -> Result<Option<Vec<u8>>, BlobStoreError> {
        match self {
            Self::Folder(folder) => folder.read(name).await,
            Self::Bucket(bucket) => bucket.read(name).await,
        }
    }

    /// Removes objects durably; missing ones are ignored.
    pub(crate) async fn remove(&self, names: &[ObjectName]) -> Result<(), BlobStoreError> {
        if names.is_empty() {
            return Ok(());
        }
        match self {
            Self::Folder(folder) => folder.remove(names).await,
            Self::Bucket(bucket) => bucket.remove(names).await,
        }
    }

    /// Removes these objects of deleted samples and all other objects of the same samples, durably.
    pub(crate) async fn remove_all_of(&self, names: &[ObjectName]) -> Result<(), BlobStoreError> {
        match self {
            // In a folder, a sample has only one object.
            Self::Folder(_) => self.remove(names).await,
            Self::Bucket(bucket) => self.remove(&bucket.all_uploads_of(names).await?).await,
        }
    }

    /// Lists all objects in chunks of a few hundred.
    pub(crate) fn list(&self) -> mpsc::Receiver<Result<Vec<StoredObject>, BlobStoreError>> {
        let (found, list) = mpsc::channel(1);
        match self {
            Self::Folder(folder) => folder.list(found),
            Self::Bucket(bucket) => bucket.list(found),
        }
        list
    }

    /// Checks that the storage can be used.
    pub(crate) async fn check_available(&self) -> Result<(), BlobStoreError> {
        match self {
            Self::Folder(folder) => folder.check_available().await,
            Self::Bucket(bucket) => bucket.check_available().await,
        }
    }

    /// Checks that objects can be deleted, which must be ensured before samples are accepted.
    pub(crate) async fn probe(&self) -> Result<(), BlobStoreError> {
        match self {
            // A folder that allows renaming also allows deletion.
            Self::Folder(_) => Ok(()),
            Self::Bucket(bucket) => bucket.probe().await,
        }
    }

    /// Removes uploads that a crash left behind, except those that another process is writing.
    pub(crate) async fn remove_leftovers(&self) -> Result<(), BlobStoreError> {
        match self {
            Self::Folder(folder) => folder.remove_leftovers().await,
            // In a bucket, unfinished uploads do not exist.
            Self::Bucket(_) => Ok(()),
        }
    }
}

impl ObjectName {
    /// The name of a sample's object, from the value of its database column.
    pub(crate) fn from_column(sample: Id, column: &str) -> Option<Self> {
        let upload = match column {
            "" => None,
            upload => Some(upload.parse().ok()?),
        };
        Some(Self { sample, upload })
    }

    /// The value of the database column.
    pub(crate) fn to_column(self) -> String {
        self.upload
            .map(|upload| upload.to_string())
            .unwrap_or_default()
    }

    fn parse(file_name: &str) -> Option<Self> {
        let parts: Vec<&str> = file_name.split('.').collect();
        match parts[..] {
            [sample, EXTENSION] => Self::from_column(sample.parse().ok()?, ""),
            [sample, upload, EXTENSION] if !upload.is_empty() => {
                Self::from_column(sample.parse().ok()?, upload)
            }
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
    /// The final name.
    pub(crate) fn name(&self) -> ObjectName {
        self.name
    }

    /// Appends bytes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobStoreError> {
        match &mut self.backend {
            Backend::Folder(upload) => upload.write(bytes).await,
            Backend::Bucket(upload) => {
                upload.write(bytes);
                Ok(())
            }
        }
    }

    /// Makes the written bytes durable.
    pub(crate) async fn finish(&mut self) -> Result<(), BlobStoreError> {
        match &mut self.backend {
            Backend::Folder(upload) => upload.sync().await,
            Backend::Bucket(upload) => upload.send(self.name).await,
        }
    }
}

impl BlobStoreError {
    /// Whether the error is temporary, so that a retry may succeed.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.is_unavailable
    }
}

fn io_error(operation: &'static str) -> impl FnOnce(io::Error) -> BlobStoreError {
    move |error| BlobStoreError {
        operation,
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
