//! What an operator does besides serving: compares database and objects, deletes on request.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use serde::Serialize;
use sordino::{Id, Purposes};

use crate::{
    config::Config,
    digest::Sha256,
    blob_store::ObjectName,
    storage::{ORPHAN_GRACE, Storage, StorageError},
};

/// How long an object in a bucket may be without a row before `check` reports it: a sweep's grace, the
/// hour until the next sweep, and as much again.
const ORPHAN_REPORT_AGE: Duration = ORPHAN_GRACE.saturating_mul(3);
/// How many rows are looked at together.
const PAGE: u32 = 500;

/// Why upkeep was not done.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct MaintenanceError(#[from] StorageError);

/// What a comparison of database and objects found. Names are those of the objects' files or keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Samples that the database holds.
    pub samples: u64,
    /// Objects that lie there.
    pub objects: u64,
    /// Objects whose row may still come.
    pub waiting: u64,
    /// Samples whose object is not there.
    pub missing: BTreeSet<String>,
    /// Samples whose object has other bytes; looked for only where digests were asked for.
    pub damaged: BTreeSet<String>,
    /// Objects that no row tells of.
    pub orphans: BTreeSet<String>,
    /// Objects of samples that were deleted.
    pub undeleted: BTreeSet<String>,
}

impl CheckReport {
    /// Whether nothing is wrong.
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

/// Compares database and objects, while collectors run or not. With `digests` every object is read.
///
/// # Errors
/// Database or objects that cannot be used.
pub async fn check(config: &Config, digests: bool) -> Result<CheckReport, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let check = async |storage: &Storage| storage.check(digests).await;
    Ok(storage.run_and_close(check).await?)
}

/// Deletes samples as their persons could, and returns those that were never sent. Their objects are
/// gone when it returns.
///
/// # Errors
/// Database or objects that cannot be used.
pub async fn delete_samples(config: &Config, samples: &[Id]) -> Result<Vec<Id>, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let delete = async |storage: &Storage| {
        let mut unknown = Vec::new();
        for sample in samples {
            let owner = storage.database.read().await?.owner(*sample).await?;
            match owner {
                // Only its own record can have been found.
                Some(owner) => drop(storage.delete(*sample, owner).await?),
                None => unknown.push(*sample),
            }
        }
        Ok::<_, StorageError>(unknown)
    };
    Ok(storage.run_and_close(delete).await?)
}

/// What a withdrawal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WithdrawalReport {
    /// Samples that had no purpose left, and were deleted.
    pub deleted: u64,
    /// Samples that have one left.
    pub narrowed: u64,
}

/// Withdraws purposes from a consent record, as its device could; `None` where it was never registered. What it deletes
/// is gone when it returns. A device that still has the record learns of it with its next request.
///
/// # Errors
/// Database or objects that cannot be used.
pub async fn withdraw_record(
    config: &Config,
    record: Id,
    purposes: Purposes,
) -> Result<Option<WithdrawalReport>, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let withdraw = async |storage: &Storage| storage.withdraw(record, purposes.clone()).await;
    let taken_back = storage.run_and_close(withdraw).await?;
    Ok(taken_back.map(|taken_back| WithdrawalReport {
        deleted: taken_back.deleted,
        narrowed: taken_back.narrowed,
    }))
}

impl Storage {
    async fn check(&self, digests: bool) -> Result<CheckReport, StorageError> {
        let mut report = CheckReport::default();
        let lying = self.check_objects(&mut report).await?;
        let mut after = 0;
        loop {
            let rows = self.database.sample_rows(after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.sequence;
            for row in rows {
                report.samples += 1;
                if lying.contains(&row.name) && !digests {
                    continue;
                }
                let found = self.blob_store.read(row.name).await?;
                let is_whole = found.as_ref().map(|bytes| Sha256::digest(bytes) == row.sha256);
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

    /// Looks for a row of every object, and returns all objects that there are.
    async fn check_objects(
        &self,
        report: &mut CheckReport,
    ) -> Result<HashSet<ObjectName>, StorageError> {
        let mut all = HashSet::new();
        let mut list = self.blob_store.list();
        while let Some(chunk) = list.recv().await {
            let chunk = chunk?;
            report.objects += chunk.len() as u64;
            let names: Vec<ObjectName> = chunk.iter().map(|lying| lying.name).collect();
            all.extend(names.iter().copied());
            let suspects = self.database.read().await?.without_row(&names).await?;
            if suspects.is_empty() {
                continue;
            }
            // With the lock held, no object of a folder is between its renaming and its row.
            let mut session = self.database.write().await?;
            for orphan in session.without_row(&suspects).await? {
                let is_young = chunk.iter().any(|lying| {
                    lying.name == orphan && lying.age.is_some_and(|age| age < ORPHAN_REPORT_AGE)
                });
                let is_deleted = session.is_deleted(orphan.sample).await?;
                // It may have been removed since it was listed.
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
