//! The ledger: one entry per sample, from the queue to its deletion.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};

use super::Quota;
use crate::{
    consent::Withdrawn,
    endpoint::Endpoint,
    hex,
    id::Id,
    purpose::Purposes,
    sampler::Selection,
    seal::SealedSample,
    state::{ReadTxn, StateError, Table, WriteTxn},
    week::Week,
};

/// Entries by the order in which they were queued.
const ENTRIES: Table<u64> = Table::new("samples");
/// The position of an id's entry in [`ENTRIES`].
const PLACES: Table<&str> = Table::new("sample-places");

/// The state of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleState {
    /// It is queued on this device.
    Pending,
    /// The collector has stored it.
    Sent,
    /// Its deletion is requested from each collector that may have it; not all have acknowledged it
    /// yet.
    DeletionAsked,
    /// It is deleted, here and at every collector.
    Deleted,
    /// It was dropped because the queue was full, its file was lost, or consent ended; the
    /// collector never had it.
    Dropped,
    /// The collector refused it permanently.
    Refused,
}

/// A sample, as shown to the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleEntry {
    /// The sample.
    pub id: Id,
    /// Its state.
    pub state: SampleState,
    /// When it was made.
    pub week: Week,
    /// Why it was selected, and with what probability.
    pub selection: Selection,
    /// Its length.
    pub seconds: f64,
    /// Size of the sealed file.
    pub bytes: u64,
    /// The purposes that it may be used for.
    pub purposes: Purposes,
    /// The consent record that covers it.
    pub consent: Id,
    /// SHA-256 of the sealed file, base64.
    pub(crate) sha256: String,
    /// The collectors that may have it: each is added before the sample is first sent there.
    #[serde(default)]
    pub(crate) collectors: BTreeSet<Endpoint>,
    /// The collectors that have yet to acknowledge its deletion.
    #[serde(default)]
    pub(crate) deletion_due: BTreeSet<Endpoint>,
    /// Digest of its recipients, as stated in the request.
    pub(crate) recipients: String,
}

impl SampleEntry {
    pub(super) fn pending(sample: &SealedSample) -> Self {
        Self {
            id: sample.id(),
            state: SampleState::Pending,
            week: sample.week(),
            selection: sample.selection(),
            seconds: sample.seconds(),
            bytes: sample.bytes().len() as u64,
            purposes: sample.purposes().clone(),
            consent: sample.consent(),
            sha256: BASE64.encode(sample.sha256()),
            collectors: BTreeSet::new(),
            deletion_due: BTreeSet::new(),
            recipients: hex::encode(sample.recipients_sha256()),
        }
    }

    /// Requests the deletion of the sample.
    pub(super) fn ask_deletion(&mut self) {
        // A refused sample may have been stored before, if that response was lost.
        if matches!(
            self.state,
            SampleState::Pending | SampleState::Sent | SampleState::Refused
        ) {
            self.ask_deletion_of(self.collectors.clone());
        }
    }

    /// `collector` may have lost the deletion of the sample.
    fn ask_deletion_again(&mut self, collector: &Endpoint) {
        // A withdrawn sample is deleted with its record, which is withdrawn again.
        let was_deleted = matches!(
            self.state,
            SampleState::Deleted | SampleState::DeletionAsked
        ) && !self.purposes.is_empty();
        if was_deleted && self.collectors.contains(collector) {
            let mut due = self.deletion_due.clone();
            due.insert(collector.clone());
            self.ask_deletion_of(due);
        }
    }

    /// `collector` no longer has the sample and will not accept it.
    pub(super) fn deleted_at(&mut self, collector: &Endpoint) {
        let mut due = match self.state {
            SampleState::DeletionAsked => self.deletion_due.clone(),
            // It was deleted there before this device knew: delete it everywhere else too.
            SampleState::Pending | SampleState::Sent | SampleState::Refused => {
                self.collectors.clone()
            }
            SampleState::Deleted | SampleState::Dropped => return,
        };
        due.remove(collector);
        self.ask_deletion_of(due);
    }

    fn ask_deletion_of(&mut self, due: BTreeSet<Endpoint>) {
        self.state = match due.is_empty() {
            true => SampleState::Deleted,
            false => SampleState::DeletionAsked,
        };
        self.deletion_due = due;
    }
}

/// Queued samples, oldest first.
pub(super) fn pending(txn: &ReadTxn<'_>) -> Result<Vec<SampleEntry>, StateError> {
    let mut entries = entries(txn)?;
    entries.retain(|entry| entry.state == SampleState::Pending);
    Ok(entries)
}

/// Every entry, oldest first.
pub(super) fn entries(txn: &ReadTxn<'_>) -> Result<Vec<SampleEntry>, StateError> {
    Ok(values(txn.all(ENTRIES)?))
}

/// One entry.
pub(super) fn entry(txn: &ReadTxn<'_>, sample: Id) -> Result<Option<SampleEntry>, StateError> {
    match txn.get(PLACES, sample.to_string().as_str())? {
        Some(place) => txn.get(ENTRIES, place),
        None => Ok(None),
    }
}

fn values(rows: Vec<(u64, SampleEntry)>) -> Vec<SampleEntry> {
    rows.into_iter().map(|(_, entry)| entry).collect()
}

/// The tables in a write transaction.
pub(super) struct Ledger<'a>(pub(super) &'a WriteTxn<'a>);

impl Ledger<'_> {
    pub(super) fn one(&self, sample: Id) -> Result<Option<SampleEntry>, StateError> {
        match self.place(sample)? {
            Some(place) => self.0.get(ENTRIES, place),
            None => Ok(None),
        }
    }

    /// Adds a new entry at the end.
    pub(super) fn add(&self, entry: &SampleEntry) -> Result<(), StateError> {
        let place = self.0.last_key(ENTRIES)?.map_or(0, |last| last + 1);
        self.0.put(PLACES, entry.id.to_string().as_str(), &place)?;
        self.0.put(ENTRIES, place, entry)
    }

    /// Updates an existing entry.
    pub(super) fn put(&self, entry: &SampleEntry) -> Result<(), StateError> {
        let lost = || StateError::Damaged("a sample has no place".to_owned());
        let place = self.place(entry.id)?.ok_or_else(lost)?;
        self.0.put(ENTRIES, place, entry)
    }

    fn place(&self, sample: Id) -> Result<Option<u64>, StateError> {
        self.0.get(PLACES, sample.to_string().as_str())
    }

    /// Drops the oldest pending samples until the rest is within `quota`.
    pub(super) fn drop_beyond(&self, quota: Quota) -> Result<Vec<Id>, StateError> {
        let mut pending = self.all()?;
        pending.retain(|(_, entry)| entry.state == SampleState::Pending);
        let mut samples = pending.len();
        let mut bytes: u64 = pending.iter().map(|(_, entry)| entry.bytes).sum();
        let mut dropped = Vec::new();
        for (place, entry) in pending {
            if samples <= quota.samples && bytes <= quota.bytes {
                break;
            }
            samples -= 1;
            bytes -= entry.bytes;
            dropped.push(self.drop(place, entry)?);
        }
        Ok(dropped)
    }

    /// Withdraws purposes from the samples of withdrawn records. Returns the samples whose
    /// ciphertext must be destroyed.
    pub(super) fn withdraw(&self, withdrawn: &[Withdrawn]) -> Result<Vec<Id>, StateError> {
        let mut dropped = Vec::new();
        for (place, mut entry) in self.all()? {
            let Some(withdrawal) = withdrawn
                .iter()
                .find(|withdrawal| withdrawal.record == entry.consent)
            else {
                continue;
            };
            let left = entry.purposes.intersection(&withdrawal.left);
            if left == entry.purposes {
                continue;
            }
            if left.is_empty() {
                if entry.state == SampleState::Pending {
                    dropped.push(entry.id);
                }
                entry.ask_deletion();
            }
            entry.purposes = left;
            self.0.put(ENTRIES, place, &entry)?;
        }
        Ok(dropped)
    }

    /// Requests the deletion of every sample that may still exist. Returns the samples whose
    /// ciphertext must be destroyed.
    pub(super) fn delete_all(&self) -> Result<Vec<Id>, StateError> {
        let mut dropped = Vec::new();
        for (place, mut entry) in self.all()? {
            let before = entry.state;
            entry.ask_deletion();
            if entry.state != before {
                if before == SampleState::Pending {
                    dropped.push(entry.id);
                }
                self.0.put(ENTRIES, place, &entry)?;
            }
        }
        Ok(dropped)
    }

    /// `collector` has deleted the samples of `record` that have no purpose left.
    pub(super) fn record_deleted(
        &self,
        record: Id,
        collector: &Endpoint,
    ) -> Result<(), StateError> {
        for (place, mut entry) in self.all()? {
            let covered = entry.consent == record && entry.purposes.is_empty();
            if covered && entry.state == SampleState::DeletionAsked {
                entry.deleted_at(collector);
                self.0.put(ENTRIES, place, &entry)?;
            }
        }
        Ok(())
    }

    /// `collector` may have lost which samples it had to delete.
    pub(super) fn mark_unacknowledged(&self, collector: &Endpoint) -> Result<(), StateError> {
        for (place, mut entry) in self.all()? {
            let before = entry.clone();
            entry.ask_deletion_again(collector);
            if entry != before {
                self.0.put(ENTRIES, place, &entry)?;
            }
        }
        Ok(())
    }

    /// Drops the queued samples for which `selects` returns true.
    pub(super) fn drop_pending(
        &self,
        selects: impl Fn(&SampleEntry) -> bool,
    ) -> Result<Vec<Id>, StateError> {
        let mut dropped = Vec::new();
        for (place, entry) in self.all()? {
            if entry.state == SampleState::Pending && selects(&entry) {
                dropped.push(self.drop(place, entry)?);
            }
        }
        Ok(dropped)
    }

    fn drop(&self, place: u64, mut entry: SampleEntry) -> Result<Id, StateError> {
        // A sample that may have reached a collector must be deleted there too.
        match entry.collectors.is_empty() {
            true => entry.state = SampleState::Dropped,
            false => entry.ask_deletion(),
        }
        self.0.put(ENTRIES, place, &entry)?;
        Ok(entry.id)
    }

    fn all(&self) -> Result<Vec<(u64, SampleEntry)>, StateError> {
        self.0.all(ENTRIES)
    }
}
