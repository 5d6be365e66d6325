//! What a "no" does: it ends grants first, and is written then.

use std::sync::{MutexGuard, PoisonError};

use redb::WriteTransaction;

use super::{
    ConsentError, ConsentStore,
    grant::Lease,
    rows::{Phase, Rows},
};
use crate::{
    id::Id,
    purpose::{Purpose, Purposes},
};

/// A record from which purposes were taken, and what is left of it.
pub(crate) struct Withdrawn {
    pub(crate) record: Id,
    pub(crate) left: Purposes,
}

impl ConsentStore {
    /// Ends every grant in every thread, before anything is written.
    pub(crate) fn end_grants(&self) {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        lease.end();
        *lease = Lease::new();
    }

    /// Grants `purposes` to nobody in this process any more, whether or not that can be written.
    pub(crate) fn refuse(&self, purposes: &Purposes) {
        let mut refused = self.lock_refused();
        *refused = refused.union(purposes);
    }

    /// What was taken back and could not be written yet.
    pub(crate) fn refused(&self) -> Purposes {
        self.lock_refused().clone()
    }

    /// The withdrawal of `purposes` is written.
    pub(crate) fn refusal_written(&self, purposes: &Purposes) {
        let mut refused = self.lock_refused();
        *refused = refused.difference(purposes);
    }

    fn lock_refused(&self) -> MutexGuard<'_, Purposes> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes `purposes` back from every record that is not withdrawn yet.
    pub(crate) fn withdraw(
        transaction: &WriteTransaction,
        purposes: &Purposes,
    ) -> Result<Vec<Withdrawn>, ConsentError> {
        let rows = Rows(transaction);
        let mut changed = Vec::new();
        for (id, mut row) in rows.all()? {
            // A record that was damaged grants nothing; a "no" to it must not fail for that.
            let readable = row.record().ok();
            let everything = Purposes::from_iter(Purpose::ALL);
            let held = readable
                .as_ref()
                .map_or(everything, |record| record.content().purposes.clone());
            let left = match readable {
                Some(_) => held.difference(purposes),
                None => Purposes::default(),
            };
            if row.phase == Phase::Withdrawn || left == held {
                continue;
            }
            let taken = held.difference(&left);
            if row.offered {
                row.withdrawal_due = row.withdrawal_due.union(&taken);
            }
            row.taken_back = row.taken_back.union(&taken);
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
