//! Combines database and object storage, and keeps them consistent:
//!
//! * A row is inserted only after its object is durable: in a folder under the same write lock, in a bucket before. An
//!   acknowledged sample therefore has both, and an object without a row is not a sample.
//! * A deletion removes rows first. The database records which objects are still to be removed, so that neither a crash
//!   nor a full disk leaves one behind.
//! * An orphaned object is removed only after the database has recorded that it never gets a row. A sample is therefore
//!   never lost because of clocks, however late its row is inserted.

pub(crate) mod epoch;
pub(crate) mod eraser;
pub(crate) mod error;
pub(crate) mod group_commit;

use std::{sync::Arc, time::Duration};

use sordino::{Id, Purposes, consent::SignedRecord};

use self::{
    epoch::Epoch,
    eraser::{Eraser, erase},
    error::StorageError,
    group_commit::{Batch, GroupCommit, WriteFuture},
};
use crate::{
    blob_store::{BlobStore, ObjectName, StoredObject, Upload, create_private},
    config::Config,
    database::{
        Admission, Database, DatabaseError, DeletedSamples, NewAccess, NewSample, ReadRefusal,
        Refusal, Registration, RegistrationRefusal, WithdrawalSummary,
    },
    digest::Sha256,
};

/// The minimum age at which an object without a row in a bucket counts as orphaned: far longer than any upload.
pub(crate) const ORPHAN_GRACE: Duration = Duration::from_secs(3600);
/// The number of objects of deleted samples per batch.
const REMOVE_BATCH: usize = 500;

/// The data of a collector.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) database: Database,
    pub(crate) blob_store: BlobStore,
    pub(crate) epoch: Epoch,
    eraser: Eraser,
    writer: GroupCommit,
}

/// A downloaded sample.
pub(crate) struct SampleContent {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: Sha256,
}

impl Storage {
    /// Opens the database and the object storage; missing ones are created.
    pub(crate) async fn open(config: &Config) -> Result<Self, StorageError> {
        create_private(&config.data).map_err(DatabaseError::from)?;
        let database = Database::open(&config.database_url()).await?;
        let objects = BlobStore::open(&config.objects_url()).await?;
        let epoch = Epoch::open(config, &database).await?;
        let writer = GroupCommit::start(database.clone(), objects.clone());
        Ok(Self {
            eraser: Eraser::start(database.clone()),
            database,
            blob_store: objects,
            epoch,
            writer,
        })
    }

    /// Runs `work`, purges deleted rows from the database's files, and closes the database, whatever the result.
    pub(crate) async fn run_and_close<T>(self, work: impl AsyncFnOnce(&Self) -> T) -> T {
        let outcome = work(&self).await;
        erase(&self.database).await;
        self.database.close().await;
        outcome
    }

    /// Runs `work` like [`GroupCommit::write`].
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'a> Fn(&'a mut Batch) -> WriteFuture<'a, T> + Send + Sync + 'static,
    ) -> Result<T, StorageError> {
        self.writer.write(work).await
    }

    /// Stores a sample whose finished `upload` has `bytes` bytes, if it is admitted.
    pub(crate) async fn store_sample(
        &self,
        sample: NewSample,
        upload: Upload,
        bytes: u64,
    ) -> Result<Admission, StorageError> {
        let this = self.clone();
        run_to_completion(async move {
            let name = upload.name();
            let (sample, upload) = (Arc::new(sample), Arc::new(upload));
            let kept = this.writer.write(move |batch| {
                let (sample, upload) = (sample.clone(), upload.clone());
                Box::pin(async move {
                    let admission = batch.session.admit(&sample, name).await?;
                    if admission == Admission::Open {
                        batch.session.insert_sample(&sample, bytes, name).await?;
                        batch.place_object(upload);
                    }
                    Ok(admission)
                })
            });
            let kept = kept.await;
            if !matches!(kept, Ok(Admission::Open)) {
                this.discard_upload(name, kept.is_ok()).await;
            }
            kept
        })
        .await
    }

    /// Removes the object of a failed upload. If the result is unknown, for example because the connection was lost
    /// during the commit, it is checked in the background.
    async fn discard_upload(&self, name: ObjectName, is_known: bool) {
        let this = self.clone();
        let removal = async move {
            let removed = match (&this.blob_store, is_known) {
                // The upload was never renamed to its final name.
                (BlobStore::Folder(_), true) => Ok(()),
                (BlobStore::Bucket(_), true) => {
                    this.blob_store.remove(&[name]).await.map_err(Into::into)
                }
                (_, false) => this.remove_orphans(&[name]).await,
            };
            if let Err(error) = removed {
                tracing::warn!("cannot remove an orphaned object now: {error}");
            }
        };
        match is_known {
            true => removal.await,
            false => drop(tokio::spawn(removal)),
        }
    }

    /// Registers a record. A revision that grants less withdraws purposes from samples.
    pub(crate) async fn register(
        &self,
        record: SignedRecord,
    ) -> Result<Result<Registration, RegistrationRefusal>, StorageError> {
        let this = self.clone();
        run_to_completion(async move {
            let id = record.content().id;
            let record = Arc::new(record);
            let registration = this.writer.write(move |batch| {
                let record = record.clone();
                Box::pin(async move {
                    let registration = batch.session.register(&record).await?;
                    // The revision may grant less than the previous one.
                    let count = match registration {
                        Ok(Registration::Revised) => batch.session.count_erasure().await?,
                        _ => 0,
                    };
                    Ok((registration, count))
                })
            });
            let (registration, count) = registration.await?;
            if registration == Ok(Registration::Revised) {
                this.epoch.record_erasure(count);
                this.remove_deleted(DeletedSamples::OfRecord(id)).await?;
            }
            Ok(registration)
        })
        .await
    }

    /// Withdraws purposes. When it returns, the objects of samples without a purpose are removed.
    pub(crate) async fn withdraw(
        &self,
        record: Id,
        purposes: Purposes,
    ) -> Result<Option<WithdrawalSummary>, StorageError> {
        let this = self.clone();
        run_to_completion(async move {
            let summary = this.writer.write(move |batch| {
                let purposes = purposes.clone();
                Box::pin(async move {
                    let summary = batch.session.withdraw(record, &purposes).await?;
                    Ok((summary, batch.session.count_erasure().await?))
                })
            });
            let (summary, count) = summary.await?;
            this.epoch.record_erasure(count);
            this.remove_deleted(DeletedSamples::OfRecord(record))
                .await?;
            Ok(summary)
        })
        .await
    }

    /// Deletes one sample. When it returns, its object and those of aborted uploads are removed.
    pub(crate) async fn delete(
        &self,
        sample: Id,
        consent: Id,
    ) -> Result<Result<(), Refusal>, StorageError> {
        let this = self.clone();
        run_to_completion(async move {
            let deleted = this.writer.write(move |batch| {
                Box::pin(async move {
                    let deleted = batch.session.delete_sample(sample, consent).await?;
                    Ok((deleted, batch.session.count_erasure().await?))
                })
            });
            let (deleted, count) = deleted.await?;
            this.epoch.record_erasure(count);
            if deleted.is_ok() {
                this.remove_deleted(DeletedSamples::One(sample)).await?;
            }
            Ok(deleted)
        })
        .await
    }

    /// Releases a quarantined sample. Returns whether it was quarantined.
    pub(crate) async fn release(&self, sample: Id) -> Result<bool, StorageError> {
        let mut session = self.database.write().await?;
        let released = session.release(sample).await?;
        session.commit().await?;
        Ok(released)
    }

    /// Deletes a quarantined sample and its object. Returns whether it was quarantined.
    pub(crate) async fn delete_quarantined(&self, sample: Id) -> Result<bool, StorageError> {
        let owner = self
            .database
            .read()
            .await?
            .owner_of_quarantined(sample)
            .await?;
        match owner {
            Some(owner) => Ok(self.delete(sample, owner).await?.is_ok()),
            None => Ok(false),
        }
    }

    /// Reads a sample after recording the access.
    pub(crate) async fn download(
        &self,
        hand_out: &NewAccess,
    ) -> Result<Result<SampleContent, ReadRefusal>, StorageError> {
        let (sample, purpose) = (hand_out.sample, hand_out.purpose);
        let held = self.database.available(sample, purpose).await?;
        let held = match held {
            Ok(held) => held,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let bytes = self.blob_store.read(held.name).await?;
        let bytes = bytes.filter(|bytes| Sha256::digest(bytes) == held.sha256);

        // A damaged object is an error, unless the sample has just been deleted.
        let (is_whole, hand_out) = (bytes.is_some(), Arc::new(hand_out.clone()));
        let still_held = self.writer.write(move |batch| {
            let hand_out = hand_out.clone();
            Box::pin(async move {
                let held = batch.session.available(sample, purpose).await?;
                if held.is_ok() && is_whole {
                    batch.append_access(&hand_out).await?;
                }
                Ok(held.map(drop))
            })
        });
        match (still_held.await?, bytes) {
            (Err(refusal), _) => Ok(Err(refusal)),
            (Ok(()), None) => Err(StorageError::CorruptObject),
            (Ok(()), Some(bytes)) => Ok(Ok(SampleContent {
                bytes,
                sha256: held.sha256,
            })),
        }
    }

    /// Removes what a crash may have left behind: partial uploads, orphaned objects, and objects of deleted samples.
    /// Uploads in progress of other processes are kept.
    pub(crate) async fn sweep(&self) -> Result<(), StorageError> {
        self.blob_store.remove_leftovers().await?;
        let mut objects = self.blob_store.list();
        while let Some(chunk) = objects.recv().await {
            let (old, young): (Vec<StoredObject>, Vec<StoredObject>) = chunk?
                .into_iter()
                .partition(|object| object.age.is_none_or(|age| age > ORPHAN_GRACE));
            let names = |objects: Vec<StoredObject>| -> Vec<ObjectName> {
                objects.into_iter().map(|object| object.name).collect()
            };
            let mut session = self.database.read().await?;
            let mut suspects = session.without_row(&names(old)).await?;
            for young in session.without_row(&names(young)).await? {
                // The upload of a deleted sample never gets a row.
                if session.is_deleted(young.sample).await? {
                    suspects.push(young);
                }
            }
            drop(session);
            self.remove_orphans(&suspects).await?;
        }
        self.remove_deleted(DeletedSamples::All).await
    }

    /// Removes those objects that have no row.
    async fn remove_orphans(&self, suspects: &[ObjectName]) -> Result<(), StorageError> {
        if suspects.is_empty() {
            return Ok(());
        }
        // While the lock is held, no object in a folder is between its renaming and the insertion of its row.
        let mut session = self.database.write().await?;
        let orphans = session.without_row(suspects).await?;
        if let BlobStore::Folder(_) = self.blob_store {
            return Ok(self.blob_store.remove(&orphans).await?);
        }
        session.insert_swept(&orphans).await?;
        session.commit().await?;
        Ok(self.blob_store.remove(&orphans).await?)
    }

    /// Removes the objects of deleted samples.
    pub(crate) async fn remove_deleted(&self, deleted: DeletedSamples) -> Result<(), StorageError> {
        self.eraser.schedule();
        let deleted = self.database.objects_to_remove(deleted).await?;
        for some in deleted.chunks(REMOVE_BATCH) {
            self.blob_store.remove_all_of(some).await?;
            let some: Arc<[ObjectName]> = some.into();
            let noted = self.writer.write(move |batch| {
                let some = some.clone();
                Box::pin(async move { Ok(batch.session.mark_objects_removed(&some).await?) })
            });
            noted.await?;
        }
        Ok(())
    }
}

/// Runs work to completion even if the client disconnects, which drops the future of its request.
async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::spawn(work)
        .await
        .unwrap_or(Err(StorageError::Stopping))
}
