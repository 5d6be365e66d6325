//! Database and objects together: what must hold of both at once.
//!
//! * A row is written only after its object is durable, and both under the write lock; so an
//!   acknowledged sample has both, and an object without a row is none.
//! * A deletion removes rows first. Which objects are still to be removed is in the database too, so
//!   that neither a crash nor a full disk leaves one behind for good.

use sordino::{Id, Purpose, Purposes, Week, consent::SignedRecord};

use crate::{
    database::{
        Access, Admission, Database, DatabaseError, NewSample, ReadRefusal, Refusal, Registration,
        RegistrationRefusal, TakenBack,
    },
    digest::Sha256,
    objects::{Objects, ObjectsError, Upload},
};

/// Where everything lies.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) database: Database,
    pub(crate) objects: Objects,
}

/// Why storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] DatabaseError),
    /// The folder failed.
    #[error("the objects' folder failed: {0}")]
    Objects(#[from] ObjectsError),
    /// An object that a row tells of is not there or not whole.
    #[error("an object is missing or damaged; restore it from a backup")]
    Damaged,
    /// The work was cut off by the end of the process.
    #[error("the collector is stopping")]
    Stopping,
}

/// A sample on its way out.
pub(crate) struct Opened {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: Sha256,
}

impl Storage {
    /// Keeps a sample that has arrived whole; `upload` holds its `bytes`, synced.
    pub(crate) async fn keep(
        &self,
        sample: NewSample,
        mut upload: Upload,
        bytes: u64,
    ) -> Result<Admission, StorageError> {
        let this = self.clone();
        uninterrupted(async move {
            let mut session = this.database.write().await?;
            let admission = session.admit(&sample).await?;
            if admission != Admission::Open {
                return Ok(admission);
            }
            let kept = async {
                this.objects.place(&mut upload, sample.id).await?;
                session.insert_sample(&sample, bytes).await?;
                session.commit().await?;
                Ok(Admission::Open)
            };
            match kept.await {
                Err(error) => {
                    if let Err(second) = this.remove_orphans(&[sample.id]).await {
                        tracing::warn!("an object is left for the next start to sweep: {second}");
                    }
                    Err(error)
                }
                kept => kept,
            }
        })
        .await
    }

    /// Registers a record; a revision that grants less takes samples back.
    pub(crate) async fn register(
        &self,
        record: SignedRecord,
    ) -> Result<Result<Registration, RegistrationRefusal>, StorageError> {
        let this = self.clone();
        uninterrupted(async move {
            let mut session = this.database.write().await?;
            let registration = session.register(&record).await?;
            if registration.is_ok() {
                session.commit().await?;
                this.remove_deleted(Some(record.content().id)).await?;
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
    ) -> Result<Option<TakenBack>, StorageError> {
        let this = self.clone();
        uninterrupted(async move {
            let mut session = this.database.write().await?;
            let taken_back = session.withdraw(record, &purposes).await?;
            session.commit().await?;
            this.remove_deleted(Some(record)).await?;
            Ok(taken_back)
        })
        .await
    }

    /// Deletes one sample; its object is gone when it returns.
    pub(crate) async fn delete(
        &self,
        sample: Id,
        consent: Id,
    ) -> Result<Result<(), Refusal>, StorageError> {
        let this = self.clone();
        uninterrupted(async move {
            let mut session = this.database.write().await?;
            if let Err(refusal) = session.delete_sample(sample, consent).await? {
                return Ok(Err(refusal));
            }
            session.commit().await?;
            this.remove_deleted(Some(consent)).await?;
            Ok(Ok(()))
        })
        .await
    }

    /// Hands a sample out, once that is noted.
    pub(crate) async fn hand_out(
        &self,
        sample: Id,
        purpose: Purpose,
        reader: String,
        week: Week,
    ) -> Result<Result<Opened, ReadRefusal>, StorageError> {
        // Read before the lock is taken, so that writers do not wait for the disk.
        let early = self.objects.read(sample).await?;
        let mut session = self.database.write().await?;
        let held = match session.held(sample, purpose).await? {
            Ok(held) => held,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let bytes = match early {
            Some(bytes) => bytes,
            // It may have arrived since.
            None => self
                .objects
                .read(sample)
                .await?
                .ok_or(StorageError::Damaged)?,
        };
        if Sha256::of(&bytes) != held.sha256 {
            return Err(StorageError::Damaged);
        }
        session
            .note_access(
                sample,
                &Access {
                    purpose,
                    week,
                    reader,
                },
            )
            .await?;
        session.commit().await?;
        Ok(Ok(Opened {
            bytes,
            sha256: held.sha256,
        }))
    }

    /// Removes what a crash may have left: partial uploads, objects without a row, objects of
    /// deleted samples. What another process is writing meanwhile is left alone.
    pub(crate) async fn sweep(&self) -> Result<(), StorageError> {
        let lying = self.objects.sweep().await?;
        let held = self.database.held_samples().await?;
        let suspects: Vec<Id> = lying.into_iter().filter(|id| !held.contains(id)).collect();
        self.remove_orphans(&suspects).await?;
        self.remove_deleted(None).await
    }

    /// Removes those objects that have no row.
    async fn remove_orphans(&self, suspects: &[Id]) -> Result<(), StorageError> {
        if suspects.is_empty() {
            return Ok(());
        }
        // With the lock held, no object is between its renaming and its row.
        let mut session = self.database.write().await?;
        let mut orphans = Vec::new();
        for suspect in suspects {
            if !session.holds(*suspect).await? {
                orphans.push(*suspect);
            }
        }
        Ok(self.objects.remove(&orphans).await?)
    }

    async fn remove_deleted(&self, consent: Option<Id>) -> Result<(), StorageError> {
        let deleted = self.database.objects_to_remove(consent).await?;
        if deleted.is_empty() {
            return Ok(());
        }
        self.objects.remove(&deleted).await?;
        let mut session = self.database.write().await?;
        session.objects_are_gone(&deleted).await?;
        Ok(session.commit().await?)
    }
}

/// Runs work to its end even where the client hangs up, which drops the future that serves it.
async fn uninterrupted<T: Send + 'static>(
    work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::spawn(work)
        .await
        .unwrap_or(Err(StorageError::Stopping))
}
