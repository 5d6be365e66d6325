//! What a "no" does: it ends grants first, and is written then.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use super::{
    ConsentError, ConsentStore,
    rows::{self, Phase, Rows},
};
use crate::{
    id::Id,
    purpose::Purposes,
    state::{Change, StateError},
};

/// A record from which purposes were taken, and what is left of it.
pub(crate) struct Withdrawn {
    pub(crate) record: Id,
    pub(crate) left: Purposes,
}

impl ConsentStore {
    /// Ends every grant in every thread, before anything is written.
    pub(crate) fn end_grants(&self) {
        self.leases.end();
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

    /// Notes durably, on every slip, that the person says no to what `refused` names of each record: from
    /// here on no crash, no full disk and no damaged store brings it back.
    pub(crate) fn mark_refused(&self, refused: impl Fn(Id) -> Purposes) -> Result<(), StateError> {
        let rows = self.state.read(rows::all).unwrap_or_default();
        self.slips.refuse(|record| match rows.get(&record) {
            Some(row) => row.held().intersection(&refused(record)),
            None => refused(record),
        })
    }

    /// What slips say no to and the store does not know of yet: the process died, or the disk was full.
    pub(crate) fn refused_on_slips(&self) -> Result<BTreeMap<Id, Purposes>, StateError> {
        let rows = self.state.read(rows::all)?;
        let mut refused = BTreeMap::new();
        for slip in self.slips.all()? {
            if let Some(row) = rows.get(&slip.record)
                && row.phase != Phase::Withdrawn
                && !row.held().intersection(&slip.refused).is_empty()
            {
                refused.insert(slip.record, slip.refused);
            }
        }
        Ok(refused)
    }

    /// Takes back from each record what `refused` names of it.
    pub(crate) fn withdraw(
        change: &Change<'_>,
        refused: impl Fn(Id) -> Purposes,
    ) -> Result<Vec<Withdrawn>, ConsentError> {
        let rows = Rows(change);
        let mut changed = Vec::new();
        for (id, mut row) in rows.all()? {
            if row.phase == Phase::Withdrawn {
                continue;
            }
            // A record that was damaged grants nothing: all of it goes.
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
            row.ask_back(&taken);
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
