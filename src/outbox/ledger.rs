//! One entry a sample, from the queue to its deletion.

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
/// Where the entry of an id stands in [`ENTRIES`].
const PLACES: Table<&str> = Table::new("sample-places");

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleState {
    /// It waits on this device.
    Pending,
    /// The collector has it.
    Sent,
    /// Its deletion is asked of each collector that may have it; not all have acknowledged it yet.
    DeletionAsked,
    /// It is gone, here and at every collector.
    Deleted,
    /// It went for want of room, or its file was lost; the collector never had it.
    Dropped,
    /// The collector would not take it.
    Refused,
}

/// A sample as the person may see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleEntry {
    /// The sample.
    pub id: Id,
    /// What became of it.
    pub state: SampleState,
    /// When it was made.
    pub week: Week,
    /// Why, and how likely that was.
    pub selection: Selection,
    /// Its length.
    pub seconds: f64,
    /// Its size, sealed.
    pub bytes: u64,
    /// What it may be used for.
    pub purposes: Purposes,
    /// The consent record under which it was made.
    pub consent: Id,
    /// SHA-256 of the sealed file, base64.
    pub(crate) sha256: String,
    /// The collectors that may have it: each is entered before it is first sent there.
    #[serde(default)]
    pub(crate) collectors: BTreeSet<Endpoint>,
    /// Those of them that have yet to acknowledge its deletion.
    #[serde(default)]
    pub(crate) deletion_due: BTreeSet<Endpoint>,
    /// Whose keys open it, as the request names them.
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

    /// The person wants it gone.
    pub(super) fn ask_deletion(&mut self) {
        // One that was refused may have been taken before, if that answer was lost.
        if matches!(
            self.state,
            SampleState::Pending | SampleState::Sent | SampleState::Refused
        ) {
            self.ask_deletion_of(self.collectors.clone());
        }
    }

    /// `collector` may have forgotten that it was to delete the sample.
    fn ask_deletion_again(&mut self, collector: &Endpoint) {
        // One that was withdrawn goes with its record, which is withdrawn again.
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

    /// `collector` holds it no more, and will not take it.
    pub(super) fn deleted_at(&mut self, collector: &Endpoint) {
        let mut due = match self.state {
            SampleState::DeletionAsked => self.deletion_due.clone(),
            // It was deleted there before this device knew: it is wanted nowhere else either.
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

/// Samples that wait, oldest first.
pub(super) fn pending(view: &ReadTxn<'_>) -> Result<Vec<SampleEntry>, StateError> {
    let mut entries = entries(view)?;
    entries.retain(|entry| entry.state == SampleState::Pending);
    Ok(entries)
}

/// Every entry, oldest first.
pub(super) fn entries(view: &ReadTxn<'_>) -> Result<Vec<SampleEntry>, StateError> {
    Ok(values(view.all(ENTRIES)?))
}

/// One entry.
pub(super) fn entry(view: &ReadTxn<'_>, sample: Id) -> Result<Option<SampleEntry>, StateError> {
    match view.get(PLACES, sample.to_string().as_str())? {
        Some(place) => view.get(ENTRIES, place),
        None => Ok(None),
    }
}

fn values(rows: Vec<(u64, SampleEntry)>) -> Vec<SampleEntry> {
    rows.into_iter().map(|(_, entry)| entry).collect()
}

/// The tables, inside one transaction.
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

    /// Writes a known entry.
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

    /// Takes purposes from the samples of records that lost them. Returns those whose ciphertext is
    /// to be destroyed.
    pub(super) fn withdraw(&self, withdrawn: &[Withdrawn]) -> Result<Vec<Id>, StateError> {
        let mut gone = Vec::new();
        for (place, mut entry) in self.all()? {
            let Some(change) = withdrawn
                .iter()
                .find(|change| change.record == entry.consent)
            else {
                continue;
            };
            let left = entry.purposes.intersection(&change.left);
            if left == entry.purposes {
                continue;
            }
            if left.is_empty() {
                if entry.state == SampleState::Pending {
                    gone.push(entry.id);
                }
                entry.ask_deletion();
            }
            entry.purposes = left;
            self.0.put(ENTRIES, place, &entry)?;
        }
        Ok(gone)
    }

    /// Asks for the deletion of every sample that there may still be a copy of. Returns those whose
    /// ciphertext is to be destroyed.
    pub(super) fn delete_all(&self) -> Result<Vec<Id>, StateError> {
        let mut gone = Vec::new();
        for (place, mut entry) in self.all()? {
            let before = entry.state;
            entry.ask_deletion();
            if entry.state != before {
                if before == SampleState::Pending {
                    gone.push(entry.id);
                }
                self.0.put(ENTRIES, place, &entry)?;
            }
        }
        Ok(gone)
    }

    /// `collector` has deleted those samples of `record` that no purpose is left for.
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

    /// `collector` may have forgotten which samples it was to delete.
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

    /// Drops what waits and `goes`.
    pub(super) fn drop_pending(
        &self,
        goes: impl Fn(&SampleEntry) -> bool,
    ) -> Result<Vec<Id>, StateError> {
        let mut dropped = Vec::new();
        for (place, entry) in self.all()? {
            if entry.state == SampleState::Pending && goes(&entry) {
                dropped.push(self.drop(place, entry)?);
            }
        }
        Ok(dropped)
    }

    fn drop(&self, place: u64, mut entry: SampleEntry) -> Result<Id, StateError> {
        // One that may have reached a collector is no longer wanted there either.
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
