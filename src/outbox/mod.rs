//! The outbox: sealed samples that wait to be sent, and the ledger of what became of each.
//!
//! * **In**: a [`SealedSample`], under a grant that still stands in the very transaction.
//! * **Out**: what is due to be sent, oldest first; the person's list of [`SampleEntry`].
//! * **Promises**: a queued sample survives a crash at any instant, and no half-written one does.
//!   When the quota is full the oldest goes, and each that goes is reported.
//! * **Never**: holds anything but ciphertext.

mod file;
mod ledger;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc};

use redb::WriteTransaction;

pub use ledger::{SampleEntry, SampleState};

use crate::{
    consent::{ConsentError, ConsentStore, Grants, Withdrawn},
    id::Id,
    plan::Plan,
    purpose::Purposes,
    sampler::budget::{self, BudgetError},
    seal::SealedSample,
    state::{self, State, StateError},
};

/// How much may wait at once. The oldest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Sealed samples.
    pub samples: usize,
    /// Bytes of sealed samples.
    pub bytes: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            samples: 200,
            bytes: 32 << 20,
        }
    }
}

/// Why a sample was not queued.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The person said no between the grant and this instant.
    #[error("consent was withdrawn")]
    Withdrawn,
    /// Today's samples or bytes are spent.
    #[error("today's budget is spent")]
    Budget,
    /// No sample of that id is known here.
    #[error("there is no sample {0} on this device")]
    Unknown(Id),
    /// Consent could not be read.
    #[error(transparent)]
    Consent(Box<ConsentError>),
    /// The state could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<ConsentError> for OutboxError {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::State(error) => Self::State(error),
            error => Self::Consent(Box::new(error)),
        }
    }
}

impl From<BudgetError> for OutboxError {
    fn from(error: BudgetError) -> Self {
        match error {
            BudgetError::Spent => Self::Budget,
            BudgetError::State(error) => Self::State(error),
        }
    }
}

/// The queue and the ledger of one state folder.
pub(crate) struct Outbox {
    state: Arc<State>,
    folder: PathBuf,
    quota: Quota,
}

/// What queueing a sample did.
pub(crate) struct Queued {
    pub(crate) sample: Id,
    /// Older samples that had to go for it.
    pub(crate) dropped: Vec<Id>,
}

impl Outbox {
    /// Opens the outbox and clears up what a crash left: files without an entry go, entries without
    /// a file are marked as lost. Returns the ids of the lost.
    pub(crate) fn open(state: Arc<State>, quota: Quota) -> Result<(Self, Vec<Id>), OutboxError> {
        let folder = state.folder().join("outbox");
        state::make_private_folder(&folder)?;
        let outbox = Self {
            state,
            folder,
            quota,
        };
        outbox
            .state
            .write(|transaction| ledger::Ledger(transaction).create())?;
        let lost = outbox.recover()?;
        Ok((outbox, lost))
    }

    /// Queues `sample` durably and charges the plan's budget, or leaves nothing behind.
    pub(crate) fn enqueue(
        &self,
        sample: SealedSample,
        grants: &Grants,
        plan: &Plan,
    ) -> Result<Queued, OutboxError> {
        if !grants.is_live() || grants.record() != sample.consent() {
            return Err(OutboxError::Withdrawn);
        }
        let path = self.path(sample.id());
        file::write_durably(&path, sample.bytes())?;
        let queued = self.enter(&sample, plan);
        match queued {
            Ok(dropped) => {
                self.shred(&dropped);
                Ok(Queued {
                    sample: sample.id(),
                    dropped,
                })
            }
            Err(error) => {
                file::shred(&path);
                Err(error)
            }
        }
    }

    fn enter(&self, sample: &SealedSample, plan: &Plan) -> Result<Vec<Id>, OutboxError> {
        let today = budget::today(&self.state);
        let bytes = sample.bytes().len() as u64;
        self.state.write(|transaction| {
            if !ConsentStore::still_grants(transaction, sample.consent(), sample.purposes())? {
                return Err(OutboxError::Withdrawn);
            }
            budget::charge(transaction, today, plan, bytes)?;
            let ledger = ledger::Ledger(transaction);
            ledger.add(SampleEntry::pending(sample))?;
            Ok(ledger.drop_beyond(self.quota)?)
        })
    }

    /// Samples that wait, oldest first.
    pub(crate) fn pending(&self) -> Result<Vec<SampleEntry>, StateError> {
        self.state.read(ledger::pending)
    }

    /// Every sample there ever was, oldest first.
    pub(crate) fn entries(&self) -> Result<Vec<SampleEntry>, StateError> {
        self.state.read(ledger::entries)
    }

    /// One sample.
    pub(crate) fn entry(&self, sample: Id) -> Result<SampleEntry, OutboxError> {
        self.state
            .read(|transaction| ledger::entry(transaction, sample))?
            .ok_or(OutboxError::Unknown(sample))
    }

    /// Where a pending sample's ciphertext lies.
    pub(crate) fn path(&self, sample: Id) -> PathBuf {
        self.folder.join(format!("{sample}.age"))
    }

    /// The sample is about to be sent: from now on its deletion must reach the collector. `None`
    /// where it does not wait any more, because the person has just deleted it, say.
    pub(crate) fn offer(&self, sample: Id) -> Result<Option<SampleEntry>, OutboxError> {
        let entry = self.change(sample, |entry| {
            entry.offered |= entry.state == SampleState::Pending;
        })?;
        Ok(Some(entry).filter(|entry| entry.state == SampleState::Pending))
    }

    /// The collector has it.
    pub(crate) fn sent(&self, sample: Id) -> Result<(), OutboxError> {
        self.change(sample, |entry| {
            // A deletion asked for while the sample was under way stands.
            if entry.state == SampleState::Pending {
                entry.state = SampleState::Sent;
            }
        })?;
        file::shred(&self.path(sample));
        Ok(())
    }

    /// The collector will never take it, for a reason that a retry does not mend.
    pub(crate) fn refused(&self, sample: Id) -> Result<(), OutboxError> {
        self.change(sample, |entry| {
            if entry.state == SampleState::Pending {
                entry.state = SampleState::Refused;
            }
        })?;
        file::shred(&self.path(sample));
        Ok(())
    }

    /// Deletes one sample: shredded here, and asked of the collector where it may have it.
    pub(crate) fn delete(&self, sample: Id) -> Result<SampleEntry, OutboxError> {
        let entry = self.change(sample, SampleEntry::ask_deletion)?;
        file::shred(&self.path(sample));
        Ok(entry)
    }

    /// The collector has deleted it, or never had it.
    pub(crate) fn deleted(&self, sample: Id) -> Result<(), OutboxError> {
        self.change(sample, |entry| entry.state = SampleState::Deleted)?;
        Ok(())
    }

    /// Carries a withdrawal of consent over to the samples made under it. Returns those to shred
    /// once the transaction stands.
    pub(crate) fn withdraw(
        &self,
        transaction: &WriteTransaction,
        withdrawn: &[Withdrawn],
    ) -> Result<Vec<Id>, StateError> {
        ledger::Ledger(transaction).withdraw(withdrawn)
    }

    /// Drops what waits under any other record than `current`. Returns what to shred once the
    /// transaction stands.
    pub(crate) fn drop_others(
        &self,
        transaction: &WriteTransaction,
        current: Id,
    ) -> Result<Vec<Id>, StateError> {
        ledger::Ledger(transaction).drop_pending(|entry| entry.consent != current)
    }

    /// Drops all that waits, since no consent covers it any more, and returns it.
    pub(crate) fn drop_all(&self) -> Result<Vec<Id>, StateError> {
        if self.pending()?.is_empty() {
            return Ok(Vec::new());
        }
        let dropped = self
            .state
            .write(|transaction| ledger::Ledger(transaction).drop_pending(|_| true))?;
        self.shred(&dropped);
        Ok(dropped)
    }

    /// Destroys the ciphertext of what may be used for nothing but `purposes`, whatever the ledger
    /// says.
    pub(crate) fn shred_covered(&self, purposes: &Purposes) -> Result<(), StateError> {
        let mut covered = self.pending()?;
        covered.retain(|entry| entry.purposes.is_subset(purposes));
        covered
            .iter()
            .for_each(|entry| file::shred(&self.path(entry.id)));
        Ok(())
    }

    /// Destroys the ciphertext of samples that are no longer pending.
    pub(crate) fn shred(&self, samples: &[Id]) {
        samples
            .iter()
            .for_each(|&sample| file::shred(&self.path(sample)));
    }

    /// The collector has acknowledged a withdrawal of `record`.
    pub(crate) fn record_deleted(
        &self,
        transaction: &WriteTransaction,
        record: Id,
    ) -> Result<(), StateError> {
        ledger::Ledger(transaction).record_deleted(record)
    }

    fn change(
        &self,
        sample: Id,
        change: impl FnOnce(&mut SampleEntry),
    ) -> Result<SampleEntry, OutboxError> {
        self.state.write(|transaction| {
            let ledger = ledger::Ledger(transaction);
            let mut entry = ledger.one(sample)?.ok_or(OutboxError::Unknown(sample))?;
            change(&mut entry);
            ledger.put(&entry)?;
            Ok(entry)
        })
    }

    fn recover(&self) -> Result<Vec<Id>, OutboxError> {
        let pending: BTreeSet<Id> = self.pending()?.iter().map(|entry| entry.id).collect();
        let mut found = BTreeSet::new();
        let listing = fs::read_dir(&self.folder).map_err(StateError::io("read", &self.folder))?;
        for file in listing {
            let path = file.map_err(StateError::io("read", &self.folder))?.path();
            match file::sample_of(&path).filter(|id| pending.contains(id)) {
                Some(id) => {
                    found.insert(id);
                }
                None => file::shred(&path),
            }
        }
        let is_lost = |entry: &SampleEntry| !found.contains(&entry.id);
        if pending.iter().all(|id| found.contains(id)) {
            return Ok(Vec::new());
        }
        Ok(self
            .state
            .write(|transaction| ledger::Ledger(transaction).drop_pending(is_lost))?)
    }
}
