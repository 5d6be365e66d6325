//! Database and objects together: what must hold of both at once.
//!
//! * A row is written only after its object is durable: in a folder under the same write lock, in a
//!   bucket before. So an acknowledged sample has both, and an object without a row is none.
//! * A deletion removes rows first. Which objects are still to be removed is in the database too, so
//!   that neither a crash nor a full disk leaves one behind for good.
//! * An object without a row is removed only after the database says that it never gets one. So no
//!   clock decides whether a sample is lost, however late its row comes.

use std::{sync::Arc, time::Duration};

use sordino::{Id, Purposes, consent::SignedRecord};

use crate::{
    config::Config,
    database::{
        Admission, Database, DatabaseError, DeletedSamples, NewAccess, NewSample, ReadRefusal, Refusal,
        Registration, RegistrationRefusal, WithdrawalSummary,
    },
    digest::Sha256,
    epoch::Epoch,
    eraser::{Eraser, erase},
    blob_store::{StoredObject, ObjectName, BlobStore, BlobStoreError, Upload, create_private},
    group_commit::{Batch, WriteFuture, GroupCommit},
};

/// How long an object in a bucket may be without a row before a sweep takes it for left behind: far
/// longer than any upload takes.
pub(crate) const ORPHAN_GRACE: Duration = Duration::from_secs(3600);
/// How many objects of deleted samples are removed at a time.
const REMOVE_BATCH: usize = 500;

/// Where everything lies.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) database: Database,
    pub(crate) blob_store: BlobStore,
    pub(crate) epoch: Epoch,
    eraser: Eraser,
    writer: GroupCommit,
}

/// Why storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] DatabaseError),
    /// The objects' place failed.
    #[error("the objects' place failed: {0}")]
    Objects(#[from] BlobStoreError),
    /// An object that a row tells of is not there or not whole.
    #[error("an object is missing or damaged; restore it from a backup")]
    CorruptObject,
    /// The system has no random numbers to give.
    #[error("the system's random source is not available")]
    Randomness,
    /// The work was cut off by the end of the process.
    #[error("the collector is stopping")]
    Stopping,
    /// What was to be done in one transaction failed as one.
    #[error(transparent)]
    Shared(Arc<StorageError>),
}

impl StorageError {
    /// Whether the same may well succeed later, with nothing changed in what is asked.
    pub(crate) fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(error) => error.is_unavailable(),
            Self::Objects(error) => error.is_unavailable(),
            Self::CorruptObject | Self::Randomness => false,
            Self::Stopping => true,
            Self::Shared(error) => error.is_unavailable(),
        }
    }
}

/// A sample on its way out.
pub(crate) struct SampleContent {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: Sha256,
}

impl Storage {
    /// Opens database and objects, made where there are none.
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

    /// Does `work`, takes what it deleted out of the database's files, and closes the database, whatever came of it.
    pub(crate) async fn run_and_close<T>(self, work: impl AsyncFnOnce(&Self) -> T) -> T {
        let outcome = work(&self).await;
        erase(&self.database).await;
        self.database.close().await;
        outcome
    }

    /// Runs `work` as [`Writer::write`] does.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'a> Fn(&'a mut Batch) -> WriteFuture<'a, T> + Send + Sync + 'static,
    ) -> Result<T, StorageError> {
        self.writer.write(work).await
    }

    /// Keeps a sample that has arrived whole; `upload` holds its `bytes`, finished.
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

    /// Removes the object of an upload that came to nothing. Where that is not known, as when the
    /// database went away in the middle of a commit, it asks; and nobody waits for that.
    async fn discard_upload(&self, name: ObjectName, is_known: bool) {
        let this = self.clone();
        let removal = async move {
            let removed = match (&this.blob_store, is_known) {
                // It never got its name.
                (BlobStore::Folder(_), true) => Ok(()),
                (BlobStore::Bucket(_), true) => {
                    this.blob_store.remove(&[name]).await.map_err(Into::into)
                }
                (_, false) => this.remove_orphans(&[name]).await,
            };
            if let Err(error) = removed {
                tracing::warn!("an object is left for a sweep: {error}");
            }
        };
        match is_known {
            true => removal.await,
            false => drop(tokio::spawn(removal)),
        }
    }

    /// Registers a record; a revision that grants less takes samples back.
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
                    // It may grant less than the one before.
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

    /// Takes purposes back; the objects of samples without any left are gone when it returns.
    pub(crate) async fn withdraw(
        &self,
        record: Id,
        purposes: Purposes,
    ) -> Result<Option<WithdrawalSummary>, StorageError> {
        let this = self.clone();
        run_to_completion(async move {
            let taken_back = this.writer.write(move |batch| {
                let purposes = purposes.clone();
                Box::pin(async move {
                    let taken_back = batch.session.withdraw(record, &purposes).await?;
                    Ok((taken_back, batch.session.count_erasure().await?))
                })
            });
            let (taken_back, count) = taken_back.await?;
            this.epoch.record_erasure(count);
            this.remove_deleted(DeletedSamples::OfRecord(record)).await?;
            Ok(taken_back)
        })
        .await
    }

    /// Deletes one sample. Its object is gone when it returns, and so is what uploads of it left that
    /// were cut off.
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

    /// Gives a quarantined sample to everybody again. Whether there was one.
    pub(crate) async fn release(&self, sample: Id) -> Result<bool, StorageError> {
        let mut session = self.database.write().await?;
        let released = session.release(sample).await?;
        session.commit().await?;
        Ok(released)
    }

    /// Deletes a quarantined sample; its object is gone when it returns. Whether there was one.
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

    /// Hands a sample out, once that is noted.
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

        // What is not whole is not handed out; but it may just have been deleted.
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

    /// Removes what a crash may have left: partial uploads, objects without a row, objects of
    /// deleted samples. What another process is writing meanwhile is left alone.
    pub(crate) async fn sweep(&self) -> Result<(), StorageError> {
        self.blob_store.remove_leftovers().await?;
        let mut lying = self.blob_store.list();
        while let Some(chunk) = lying.recv().await {
            let (old, young): (Vec<StoredObject>, Vec<StoredObject>) = chunk?
                .into_iter()
                .partition(|lying| lying.age.is_none_or(|age| age > ORPHAN_GRACE));
            let names = |lying: Vec<StoredObject>| -> Vec<ObjectName> {
                lying.into_iter().map(|lying| lying.name).collect()
            };
            let mut session = self.database.read().await?;
            let mut suspects = session.without_row(&names(old)).await?;
            for young in session.without_row(&names(young)).await? {
                // A row comes for none of these any more.
                if session.is_deleted(young.sample).await? {
                    suspects.push(young);
                }
            }
            drop(session);
            self.remove_orphans(&suspects).await?;
        }
        self.remove_deleted(DeletedSamples::All).await
    }

    /// Removes those objects that have no row, for good.
    async fn remove_orphans(&self, suspects: &[ObjectName]) -> Result<(), StorageError> {
        if suspects.is_empty() {
            return Ok(());
        }
        // With the lock held, no object of a folder is between its renaming and its row.
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

/// Runs work to its end even where the client hangs up, which drops the future that serves it.
async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::spawn(work)
        .await
        .unwrap_or(Err(StorageError::Stopping))
}
