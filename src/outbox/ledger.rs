//! One entry a sample, from the queue to its deletion.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::Quota;
use crate::{
    consent::Withdrawn,
    hex,
    id::Id,
    purpose::Purposes,
    sampler::Selection,
    seal::SealedSample,
    state::{self, StateError},
    week::Week,
};

/// Entries by the order in which they were queued.
const ENTRIES: TableDefinition<u64, &[u8]> = TableDefinition::new("samples");
/// Where the entry of an id stands.
const ORDER: TableDefinition<&str, u64> = TableDefinition::new("samples-order");

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleState {
    /// It waits on this device.
    Pending,
    /// The collector has it.
    Sent,
    /// Its deletion is asked of the collector, which has not acknowledged it yet.
    DeletionAsked,
    /// It is gone, here and at the collector.
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
    /// Whether the collector may have it: set before it is first sent.
    pub(crate) offered: bool,
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
            offered: false,
            recipients: hex::encode(sample.recipients_sha256()),
        }
    }

    /// The person wants it gone.
    pub(super) fn ask_deletion(&mut self) {
        self.state = match self.state {
            SampleState::Pending if !self.offered => SampleState::Deleted,
            // One that was refused may have been taken before, if that answer was lost.
            SampleState::Pending | SampleState::Sent | SampleState::Refused => {
                SampleState::DeletionAsked
            }
            ended => ended,
        };
    }
}

/// Samples that wait, oldest first.
pub(super) fn pending(transaction: &ReadTransaction) -> Result<Vec<SampleEntry>, StateError> {
    let mut entries = entries(transaction)?;
    entries.retain(|entry| entry.state == SampleState::Pending);
    Ok(entries)
}

/// Every entry, oldest first.
pub(super) fn entries(transaction: &ReadTransaction) -> Result<Vec<SampleEntry>, StateError> {
    all(&transaction.open_table(ENTRIES)?)
}

/// One entry.
pub(super) fn entry(
    transaction: &ReadTransaction,
    sample: Id,
) -> Result<Option<SampleEntry>, StateError> {
    let order = transaction.open_table(ORDER)?;
    find(&order, &transaction.open_table(ENTRIES)?, sample)
}

/// The tables, inside one transaction.
pub(super) struct Ledger<'a>(pub(super) &'a WriteTransaction);

impl Ledger<'_> {
    pub(super) fn create(&self) -> Result<(), StateError> {
        self.0.open_table(ENTRIES)?;
        self.0.open_table(ORDER)?;
        Ok(())
    }

    pub(super) fn one(&self, sample: Id) -> Result<Option<SampleEntry>, StateError> {
        find(
            &self.0.open_table(ORDER)?,
            &self.0.open_table(ENTRIES)?,
            sample,
        )
    }

    /// Adds a new entry at the end.
    pub(super) fn add(&self, entry: SampleEntry) -> Result<(), StateError> {
        let place = match self.0.open_table(ENTRIES)?.last()? {
            Some((place, _)) => place.value() + 1,
            None => 0,
        };
        self.0
            .open_table(ORDER)?
            .insert(entry.id.to_string().as_str(), place)?;
        self.put(&entry)
    }

    /// Writes a known entry.
    pub(super) fn put(&self, entry: &SampleEntry) -> Result<(), StateError> {
        let order = self.0.open_table(ORDER)?;
        let place = order
            .get(entry.id.to_string().as_str())?
            .map(|place| place.value());
        let place = place.ok_or_else(|| StateError::Damaged("a sample has no place".to_owned()))?;
        self.0
            .open_table(ENTRIES)?
            .insert(place, state::to_row(entry)?.as_slice())?;
        Ok(())
    }

    /// Drops the oldest pending samples until the rest is within `quota`.
    pub(super) fn drop_beyond(&self, quota: Quota) -> Result<Vec<Id>, StateError> {
        let mut pending = self.all()?;
        pending.retain(|entry| entry.state == SampleState::Pending);
        let mut samples = pending.len();
        let mut bytes: u64 = pending.iter().map(|entry| entry.bytes).sum();
        let mut dropped = Vec::new();
        for entry in pending {
            if samples <= quota.samples && bytes <= quota.bytes {
                break;
            }
            samples -= 1;
            bytes -= entry.bytes;
            dropped.push(self.drop(entry)?);
        }
        Ok(dropped)
    }

    /// Takes purposes from the samples of records that lost them. Returns those whose ciphertext is
    /// to be destroyed.
    pub(super) fn withdraw(&self, withdrawn: &[Withdrawn]) -> Result<Vec<Id>, StateError> {
        let mut gone = Vec::new();
        for mut entry in self.all()? {
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
            self.put(&entry)?;
        }
        Ok(gone)
    }

    /// The collector has deleted those samples of `record` that no purpose is left for.
    pub(super) fn record_deleted(&self, record: Id) -> Result<(), StateError> {
        for mut entry in self.all()? {
            let covered = entry.consent == record && entry.purposes.is_empty();
            if covered && entry.state == SampleState::DeletionAsked {
                entry.state = SampleState::Deleted;
                self.put(&entry)?;
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
        for entry in self.all()? {
            if entry.state == SampleState::Pending && goes(&entry) {
                dropped.push(self.drop(entry)?);
            }
        }
        Ok(dropped)
    }

    fn drop(&self, mut entry: SampleEntry) -> Result<Id, StateError> {
        // One that may have reached the collector is no longer wanted there either.
        entry.state = match entry.offered {
            true => SampleState::DeletionAsked,
            false => SampleState::Dropped,
        };
        self.put(&entry)?;
        Ok(entry.id)
    }

    fn all(&self) -> Result<Vec<SampleEntry>, StateError> {
        all(&self.0.open_table(ENTRIES)?)
    }
}

fn all(entries: &impl ReadableTable<u64, &'static [u8]>) -> Result<Vec<SampleEntry>, StateError> {
    let mut all = Vec::new();
    for entry in entries.iter()? {
        all.push(state::from_row(entry?.1.value())?);
    }
    Ok(all)
}

fn find(
    order: &impl ReadableTable<&'static str, u64>,
    entries: &impl ReadableTable<u64, &'static [u8]>,
    sample: Id,
) -> Result<Option<SampleEntry>, StateError> {
    let Some(place) = order.get(sample.to_string().as_str())? else {
        return Ok(None);
    };
    let entry = entries.get(place.value())?;
    entry
        .map(|entry| state::from_row(entry.value()))
        .transpose()
}
