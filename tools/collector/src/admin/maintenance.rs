//! Maintenance by the operator: consistency checks, and deletions and withdrawals on request.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use serde::Serialize;
use sordino::{Id, Purposes};

use crate::{
    blob_store::ObjectName,
    config::Config,
    digest::Sha256,
    storage::{ORPHAN_GRACE, Storage, error::StorageError},
};

/// The minimum age at which `check` reports an object without a row in a bucket: the grace period, the hour until the
/// next cleanup, and another hour.
const ORPHAN_REPORT_AGE: Duration = ORPHAN_GRACE.saturating_mul(3);
/// The number of rows per query.
const PAGE: u32 = 500;

/// An error of maintenance.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct MaintenanceError(#[from] StorageError);

/// The result of a consistency check. Names are those of the objects' files or keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The number of samples in the database.
    pub samples: u64,
    /// The number of stored objects.
    pub objects: u64,
    /// The number of objects whose row may still be inserted.
    pub waiting: u64,
    /// Samples whose object is missing.
    pub missing: BTreeSet<String>,
    /// Samples whose object has other bytes; checked only with `digests`.
    pub damaged: BTreeSet<String>,
    /// Objects without a row.
    pub orphans: BTreeSet<String>,
    /// Objects of samples that were deleted.
    pub undeleted: BTreeSet<String>,
}

impl CheckReport {
    /// Whether no problem was found.
    pub fn is_sound(&self) -> bool {
        let Self {
            missing,
            damaged,
            orphans,
            undeleted,
            ..
        } = self;
        [missing, damaged, orphans, undeleted]
            .iter()
            .all(|names| names.is_empty())
    }
}

/// Compares the database with the stored objects. Collectors may be running. With `digests` every object is read.
///
/// # Errors
/// The database or the object storage failed.
pub async fn check(config: &Config, digests: bool) -> Result<CheckReport, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let check = async |storage: &Storage| storage.check(digests).await;
    Ok(storage.run_and_close(check).await?)
}

/// Deletes samples and their objects, and returns the ids of those that were never sent.
///
/// # Errors
/// The database or the object storage failed.
pub async fn delete_samples(config: &Config, samples: &[Id]) -> Result<Vec<Id>, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let delete = async |storage: &Storage| {
        let mut unknown = Vec::new();
        for sample in samples {
            let owner = storage.database.read().await?.owner(*sample).await?;
            match owner {
                // The owner was just looked up, so this cannot be refused.
                Some(owner) => drop(storage.delete(*sample, owner).await?),
                None => unknown.push(*sample),
            }
        }
        Ok::<_, StorageError>(unknown)
    };
    Ok(storage.run_and_close(delete).await?)
}

/// The result of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WithdrawalReport {
    /// Samples that had no purpose left and were deleted.
    pub deleted: u64,
    /// Samples that still have a purpose.
    pub narrowed: u64,
}

/// Withdraws purposes from a consent record; `None` if it was never registered. Objects of deleted samples are removed
/// when it returns. A device with the record learns of it at its next request.
///
/// # Errors
/// The database or the object storage failed.
pub async fn withdraw_record(
    config: &Config,
    record: Id,
    purposes: Purposes,
) -> Result<Option<WithdrawalReport>, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let withdraw = async |storage: &Storage| storage.withdraw(record, purposes.clone()).await;
    let summary = storage.run_and_close(withdraw).await?;
    Ok(summary.map(|summary| WithdrawalReport {
        deleted: summary.deleted,
        narrowed: summary.narrowed,
    }))
}

/// Begins a new epoch and returns it, for a database that was restored in a way that the collector cannot detect.
///
/// # Errors
/// Database or objects that cannot be used.
pub async fn renew_epoch(config: &Config) -> Result<Id, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let renew = async |storage: &Storage| {
        let renewed = storage.epoch.renew(&storage.database).await;
        renewed.map_err(StorageError::from)
    };
    Ok(storage.run_and_close(renew).await?)
}

impl Storage {
    async fn check(&self, digests: bool) -> Result<CheckReport, StorageError> {
        let mut report = CheckReport::default();
        let stored = self.check_objects(&mut report).await?;
        let mut after = 0;
        loop {
            let rows = self.database.sample_rows(after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.sequence;
            for row in rows {
                report.samples += 1;
                if stored.contains(&row.name) && !digests {
                    continue;
                }
                let found = self.blob_store.read(row.name).await?;
                let is_whole = found
                    .as_ref()
                    .map(|bytes| Sha256::digest(bytes) == row.sha256);
                if is_whole == Some(true) || !self.is_held(row.name).await? {
                    continue;
                }
                let names = match is_whole {
                    Some(_) => &mut report.damaged,
                    None => &mut report.missing,
                };
                names.insert(row.name.to_string());
            }
        }
        Ok(report)
    }

    /// Checks that every object has a row, and returns all objects.
    async fn check_objects(
        &self,
        report: &mut CheckReport,
    ) -> Result<HashSet<ObjectName>, StorageError> {
        let mut all = HashSet::new();
        let mut list = self.blob_store.list();
        while let Some(chunk) = list.recv().await {
            let chunk = chunk?;
            report.objects += chunk.len() as u64;
            let names: Vec<ObjectName> = chunk.iter().map(|object| object.name).collect();
            all.extend(names.iter().copied());
            let suspects = self.database.read().await?.without_row(&names).await?;
            if suspects.is_empty() {
                continue;
            }
            // While the lock is held, no object in a folder is between its renaming and the insertion of its row.
            let mut session = self.database.write().await?;
            for orphan in session.without_row(&suspects).await? {
                let is_young = chunk.iter().any(|object| {
                    object.name == orphan && object.age.is_some_and(|age| age < ORPHAN_REPORT_AGE)
                });
                let is_deleted = session.is_deleted(orphan.sample).await?;
                // The object may have been removed in the meantime.
                if self.blob_store.read(orphan).await?.is_none() {
                    continue;
                }
                match (is_young, is_deleted) {
                    (true, _) => report.waiting += 1,
                    (false, true) => drop(report.undeleted.insert(orphan.to_string())),
                    (false, false) => drop(report.orphans.insert(orphan.to_string())),
                }
            }
        }
        Ok(all)
    }

    async fn is_held(&self, name: ObjectName) -> Result<bool, StorageError> {
        let mut session = self.database.read().await?;
        Ok(session.without_row(&[name]).await?.is_empty())
    }
}
