//! Withdrawal: revokes all grants first, then becomes durable.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use super::{
    ConsentError, ConsentStore,
    rows::{self, Phase, RecordTable},
};
use crate::{
    id::Id,
    purpose::Purposes,
    state::{StateError, WriteTxn},
};

/// A record from which purposes were withdrawn, and the purposes that are left.
pub(crate) struct Withdrawn {
    pub(crate) record: Id,
    pub(crate) left: Purposes,
}

impl ConsentStore {
    /// Revokes every grant in every thread, before anything is written.
    pub(crate) fn revoke_grants(&self) {
        self.revocation_flag.revoke();
    }

    /// Stops granting `purposes` in this process, whether or not the withdrawal can be written.
    pub(crate) fn revoke_in_memory(&self, purposes: &Purposes) {
        let mut refused = self.lock_unwritten();
        *refused = refused.union(purposes);
    }

    /// Purposes whose withdrawal could not be written yet.
    pub(crate) fn unwritten_revocations(&self) -> Purposes {
        self.lock_unwritten().clone()
    }

    /// The withdrawal of `purposes` is written.
    pub(crate) fn revocation_written(&self, purposes: &Purposes) {
        let mut refused = self.lock_unwritten();
        *refused = refused.difference(purposes);
    }

    fn lock_unwritten(&self) -> MutexGuard<'_, Purposes> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the purposes that `refused` returns for each record as withdrawn, durably, on every
    /// revocation record: from here on no crash, full disk or damaged store can undo the
    /// withdrawal.
    pub(crate) fn mark_revoked(&self, refused: impl Fn(Id) -> Purposes) -> Result<(), StateError> {
        let rows = self.state.read(rows::all).unwrap_or_default();
        self.revocations.revoke(|record| match rows.get(&record) {
            Some(row) => row.held().intersection(&refused(record)),
            None => refused(record),
        })
    }

    /// Withdrawals that are marked on revocation records and not yet in the store: the process
    /// died, or the disk was full.
    pub(crate) fn revocations_to_apply(&self) -> Result<BTreeMap<Id, Purposes>, StateError> {
        let rows = self.state.read(rows::all)?;
        let mut refused = BTreeMap::new();
        for revocation in self.revocations.all()? {
            if let Some(row) = rows.get(&revocation.record)
                && row.phase != Phase::Withdrawn
                && !row.held().intersection(&revocation.revoked).is_empty()
            {
                refused.insert(revocation.record, revocation.revoked);
            }
        }
        Ok(refused)
    }

    /// Withdraws from each record the purposes that `refused` returns for it.
    pub(crate) fn withdraw(
        txn: &WriteTxn<'_>,
        refused: impl Fn(Id) -> Purposes,
    ) -> Result<Vec<Withdrawn>, ConsentError> {
        let rows = RecordTable(txn);
        let mut changed = Vec::new();
        for (id, mut row) in rows.all()? {
            if row.phase == Phase::Withdrawn {
                continue;
            }
            // A damaged record grants nothing: it is withdrawn as a whole.
            let (held, left) = match row.record() {
                Ok(record) => {
                    let held = record.content().purposes.clone();
                    let left = held.difference(&refused(id));
                    (held, left)
                }
                Err(_) => (Purposes::all(), Purposes::default()),
            };
            if left == held {
                continue;
            }
            let taken = held.difference(&left);
            row.queue_withdrawal(&taken);
            row.withdrawn_purposes = row.withdrawn_purposes.union(&taken);
            if left.is_empty() {
                row.phase = Phase::Withdrawn;
            } else {
                row.revise(|record| record.purposes = left.clone())?;
            }
            rows.put(id, &row)?;
            changed.push(Withdrawn { record: id, left });
        }
        Ok(changed)
    }
}
