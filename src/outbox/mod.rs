//! The outbox: a durable queue of sealed samples, and the ledger of their states.
//!
//! * **Input**: a [`SealedSample`], under a grant that is still valid in the same transaction.
//! * **Output**: the queued samples, oldest first; a [`SampleEntry`] for each sample ever made.
//! * **Guarantees**: a queued sample survives a crash at any instant, a partially written one never
//!   does. When the quota is full the oldest sample is dropped and reported.
//! * **Never**: holds anything but ciphertext.

mod ledger;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use ledger::{SampleEntry, SampleState};

use crate::{
    consent::{ConsentError, ConsentStore, Grants, Withdrawn},
    endpoint::Endpoint,
    files,
    id::Id,
    plan::Plan,
    purpose::Purposes,
    sampler::budget::{self, BudgetError},
    seal::SealedSample,
    state::{self, State, StateError, WriteTxn},
};

/// The files' folder in the state folder.
const FOLDER: &str = "outbox";

/// The limits of the queue. The oldest sample is dropped first.
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
    /// Consent was withdrawn after the grant was made.
    #[error("consent was withdrawn")]
    Withdrawn,
    /// Today's budget of samples or bytes is used up.
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
            BudgetError::Exhausted => Self::Budget,
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

/// The result of queueing a sample.
pub(crate) struct Queued {
    pub(crate) sample: Id,
    /// Older samples that were dropped for it.
    pub(crate) dropped: Vec<Id>,
}

impl Outbox {
    /// Opens the outbox and recovers from a crash: files without an entry are removed, entries
    /// without a file are marked as lost. Returns the lost samples.
    pub(crate) fn open(state: Arc<State>, quota: Quota) -> Result<(Self, Vec<Id>), OutboxError> {
        let folder = state.folder().join(FOLDER);
        state::make_private_folder(&folder)?;
        let outbox = Self {
            state,
            folder,
            quota,
        };
        let lost = outbox.recover()?;
        Ok((outbox, lost))
    }

    /// Destroys every queued sample in a state folder that no engine has open.
    pub(crate) fn destroy(state_folder: &Path) -> Result<(), StateError> {
        let folder = state_folder.join(FOLDER);
        state::make_private_folder(&folder)?;
        let mut waiting = Vec::new();
        for file in fs::read_dir(&folder).map_err(StateError::io("read", &folder))? {
            waiting.push(file.map_err(StateError::io("read", &folder))?.path());
        }
        waiting
            .iter()
            .try_for_each(|path| files::destroy(path).map_err(StateError::io("remove", path)))
    }

    /// Queues `sample` durably and charges the plan's budget, or changes nothing.
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
        files::write_durably(&path, sample.bytes()).map_err(StateError::io("write", &path))?;
        let queued = self.insert(&sample, plan);
        match queued {
            Ok(dropped) => {
                self.shred(&dropped);
                Ok(Queued {
                    sample: sample.id(),
                    dropped,
                })
            }
            Err(error) => {
                files::shred(&path);
                Err(error)
            }
        }
    }

    fn insert(&self, sample: &SealedSample, plan: &Plan) -> Result<Vec<Id>, OutboxError> {
        let today = self.state.today();
        let bytes = sample.bytes().len() as u64;
        self.state.write(|txn| {
            if !ConsentStore::still_grants(txn, sample.consent(), sample.purposes())? {
                return Err(OutboxError::Withdrawn);
            }
            budget::charge(txn, today, plan, bytes)?;
            let ledger = ledger::Ledger(txn);
            ledger.add(&SampleEntry::pending(sample))?;
            Ok(ledger.drop_beyond(self.quota)?)
        })
    }

    /// Queued samples, oldest first.
    pub(crate) fn pending(&self) -> Result<Vec<SampleEntry>, StateError> {
        self.state.read(ledger::pending)
    }

    /// Every sample ever made, oldest first.
    pub(crate) fn entries(&self) -> Result<Vec<SampleEntry>, StateError> {
        self.state.read(ledger::entries)
    }

    /// One sample.
    pub(crate) fn entry(&self, sample: Id) -> Result<SampleEntry, OutboxError> {
        self.state
            .read(|txn| ledger::entry(txn, sample))?
            .ok_or(OutboxError::Unknown(sample))
    }

    /// The path of a queued sample's ciphertext.
    pub(crate) fn path(&self, sample: Id) -> PathBuf {
        self.folder.join(format!("{sample}.age"))
    }

    /// The sample is about to be sent to `collector`: from now on its deletion must reach that
    /// collector. `None` if it is no longer queued, for example because the person has just deleted
    /// it.
    pub(crate) fn mark_offered(
        &self,
        sample: Id,
        collector: &Endpoint,
    ) -> Result<Option<SampleEntry>, OutboxError> {
        let entry = self.update(sample, |entry| {
            if entry.state == SampleState::Pending {
                entry.collectors.insert(collector.clone());
            }
        })?;
        Ok(Some(entry).filter(|entry| entry.state == SampleState::Pending))
    }

    /// The collector has stored it.
    pub(crate) fn sent(&self, sample: Id) -> Result<(), OutboxError> {
        self.update(sample, |entry| {
            // A deletion requested while the sample was in flight is kept.
            if entry.state == SampleState::Pending {
                entry.state = SampleState::Sent;
            }
        })?;
        files::shred(&self.path(sample));
        Ok(())
    }

    /// The collector refused it permanently.
    pub(crate) fn refused(&self, sample: Id) -> Result<(), OutboxError> {
        self.update(sample, |entry| {
            if entry.state == SampleState::Pending {
                entry.state = SampleState::Refused;
            }
        })?;
        files::shred(&self.path(sample));
        Ok(())
    }

    /// Deletes one sample: shreds it here, and requests its deletion from each collector that may
    /// have it.
    pub(crate) fn delete(&self, sample: Id) -> Result<SampleEntry, OutboxError> {
        let delete = || self.update(sample, SampleEntry::ask_deletion);
        let entry = delete().or_else(|error| match error {
            // The disk may be full: shredding samples that are to be deleted anyway frees space.
            OutboxError::State(_) => {
                files::shred(&self.path(sample));
                delete()
            }
            error => Err(error),
        })?;
        files::shred(&self.path(sample));
        Ok(entry)
    }

    /// Deletes every sample, as [`Self::delete`] does one.
    pub(crate) fn delete_all(&self) -> Result<(), StateError> {
        let delete = || self.state.write(|txn| ledger::Ledger(txn).delete_all());
        let deleted = delete().or_else(|_| {
            self.shred_pending(|_| true)?;
            delete()
        })?;
        self.shred(&deleted);
        Ok(())
    }

    /// `collector` has deleted the sample, or never had it.
    pub(crate) fn deleted(&self, sample: Id, collector: &Endpoint) -> Result<(), OutboxError> {
        self.update(sample, |entry| entry.deleted_at(collector))?;
        files::shred(&self.path(sample));
        Ok(())
    }

    /// `collector` may have lost which samples it had to delete.
    pub(crate) fn mark_unacknowledged(
        &self,
        txn: &WriteTxn<'_>,
        collector: &Endpoint,
    ) -> Result<(), StateError> {
        ledger::Ledger(txn).mark_unacknowledged(collector)
    }

    /// Applies a withdrawal of consent to its samples. Returns those to shred after the commit.
    pub(crate) fn withdraw(
        &self,
        txn: &WriteTxn<'_>,
        withdrawn: &[Withdrawn],
    ) -> Result<Vec<Id>, StateError> {
        ledger::Ledger(txn).withdraw(withdrawn)
    }

    /// Drops queued samples of any record other than `current`. Returns those to shred after the
    /// commit.
    pub(crate) fn drop_others(
        &self,
        txn: &WriteTxn<'_>,
        current: Id,
    ) -> Result<Vec<Id>, StateError> {
        ledger::Ledger(txn).drop_pending(|entry| entry.consent != current)
    }

    /// Drops all queued samples, since consent no longer covers them, and returns them.
    pub(crate) fn drop_all(&self) -> Result<Vec<Id>, StateError> {
        if self.pending()?.is_empty() {
            return Ok(Vec::new());
        }
        let dropped = self
            .state
            .write(|txn| ledger::Ledger(txn).drop_pending(|_| true))?;
        self.shred(&dropped);
        Ok(dropped)
    }

    /// Destroys the ciphertext of samples whose purposes are all in `purposes`, regardless of the
    /// ledger. Returns the number of files.
    pub(crate) fn shred_covered(&self, purposes: &Purposes) -> Result<usize, StateError> {
        self.shred_pending(|entry| entry.purposes.is_subset(purposes))
    }

    fn shred_pending(&self, selects: impl Fn(&SampleEntry) -> bool) -> Result<usize, StateError> {
        let mut pending = self.pending()?;
        pending.retain(selects);
        files::shred_all(pending.iter().map(|entry| self.path(entry.id)));
        Ok(pending.len())
    }

    /// Destroys the ciphertext of samples that are no longer pending.
    pub(crate) fn shred(&self, samples: &[Id]) {
        files::shred_all(samples.iter().map(|&sample| self.path(sample)));
    }

    /// `collector` has acknowledged a withdrawal of `record`.
    pub(crate) fn record_deleted(
        &self,
        txn: &WriteTxn<'_>,
        record: Id,
        collector: &Endpoint,
    ) -> Result<(), StateError> {
        ledger::Ledger(txn).record_deleted(record, collector)
    }

    /// Adds samples whose files a test has written.
    #[cfg(test)]
    pub(crate) fn enter_for_test(&self, samples: &[SealedSample]) {
        let entered = self.state.write(|txn| {
            let ledger = ledger::Ledger(txn);
            samples
                .iter()
                .try_for_each(|sample| ledger.add(&SampleEntry::pending(sample)))
        });
        entered.unwrap();
    }

    fn update(
        &self,
        sample: Id,
        change: impl FnOnce(&mut SampleEntry),
    ) -> Result<SampleEntry, OutboxError> {
        self.state.write(|txn| {
            let ledger = ledger::Ledger(txn);
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
            match parse_file_name(&path).filter(|id| pending.contains(id)) {
                Some(id) => {
                    found.insert(id);
                }
                None => files::shred(&path),
            }
        }
        let is_lost = |entry: &SampleEntry| !found.contains(&entry.id);
        if pending.iter().all(|id| found.contains(id)) {
            return Ok(Vec::new());
        }
        Ok(self
            .state
            .write(|txn| ledger::Ledger(txn).drop_pending(is_lost))?)
    }
}

/// The sample of a complete file.
fn parse_file_name(path: &Path) -> Option<Id> {
    if path.extension()? != "age" {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}
