//! What the collector has yet to hear of consent.

use redb::{ReadableTable as _, WriteTransaction};

use super::{
    ConsentError, ConsentStore, Grants, RecordIdentity,
    rows::{Phase, RECORDS, Row, Rows, parse_id},
};
use crate::{
    id::Id,
    purpose::Purposes,
    state::{self, StateError},
};

impl ConsentStore {
    /// A record's key, for requests that say no in its name.
    pub(crate) fn identity(&self, record: Id) -> Result<Option<RecordIdentity>, StateError> {
        let row = self.row(record)?;
        row.map(|row| {
            Ok(RecordIdentity {
                record,
                key: row.key()?,
            })
        })
        .transpose()
    }

    /// Withdrawals that the collector has not acknowledged.
    pub(crate) fn withdrawals_due(&self) -> Result<Vec<(Id, Purposes)>, StateError> {
        self.state.read(|transaction| {
            let table = transaction.open_table(RECORDS)?;
            let mut due = Vec::new();
            for entry in table.iter()? {
                let (id, row) = entry?;
                let row: Row = state::from_row(row.value())?;
                if !row.withdrawal_due.is_empty() {
                    due.push((parse_id(id.value())?, row.withdrawal_due));
                }
            }
            Ok(due)
        })
    }

    /// The collector has heard that `purposes` of `record` are withdrawn. Says whether it has now
    /// heard all that was.
    pub(crate) fn withdrawal_done(
        &self,
        transaction: &WriteTransaction,
        record: Id,
        purposes: &Purposes,
    ) -> Result<bool, ConsentError> {
        let rows = Rows(transaction);
        let Some(mut row) = rows.one(record)? else {
            return Ok(false);
        };
        row.withdrawal_due = row.withdrawal_due.difference(purposes);
        rows.put(record, &row)?;
        Ok(row.withdrawal_due.is_empty())
    }

    /// The standing record's document, where the collector has not acknowledged this revision.
    pub(crate) fn registration_due(
        &self,
        grants: &Grants,
    ) -> Result<Option<(u32, String)>, ConsentError> {
        let record = grants.record();
        let Some(row) = self.row(record)? else {
            return Ok(None);
        };
        let revision = row.record()?.content().revision;
        if row.registered >= revision {
            return Ok(None);
        }
        Ok(Some((revision, row.document)))
    }

    /// The standing record is about to be registered: from now on its withdrawal must reach the
    /// collector. Says whether it still stands.
    pub(crate) fn mark_offered(&self, record: Id) -> Result<bool, ConsentError> {
        change(self, record, |row| {
            let stands = row.phase == Phase::Granted;
            row.offered |= stands;
            stands
        })
    }

    /// The collector has acknowledged `revision` of `record`.
    pub(crate) fn registered(&self, record: Id, revision: u32) -> Result<(), ConsentError> {
        change(self, record, |row| {
            row.registered = revision;
            row.ask_back_overtaken(revision);
            true
        })?;
        Ok(())
    }

    /// Nothing is known of what came of `revision` of `record`: it may have arrived.
    pub(crate) fn maybe_registered(&self, record: Id, revision: u32) -> Result<(), ConsentError> {
        change(self, record, |row| {
            row.ask_back_overtaken(revision);
            true
        })?;
        Ok(())
    }

    /// The collector turned out not to know `record`.
    pub(crate) fn not_registered(&self, record: Id) -> Result<(), ConsentError> {
        change(self, record, |row| {
            row.registered = 0;
            true
        })?;
        Ok(())
    }
}

impl Row {
    /// A registration that was on its way while the person said no may arrive after that, at a
    /// collector that had not known the record: it is told once more.
    fn ask_back_overtaken(&mut self, revision: u32) {
        let newest = self.record().map(|record| record.content().revision);
        let is_overtaken = newest.map_or(true, |newest| revision < newest);
        if self.phase == Phase::Withdrawn || is_overtaken {
            self.withdrawal_due = self.taken_back.clone();
        }
    }
}

/// Says what `change` says; `false` where there is no such record.
fn change(
    store: &ConsentStore,
    record: Id,
    change: impl FnOnce(&mut Row) -> bool,
) -> Result<bool, ConsentError> {
    store.state.write(|transaction| {
        let rows = Rows(transaction);
        let Some(mut row) = rows.one(record)? else {
            return Ok(false);
        };
        let said = change(&mut row);
        rows.put(record, &row)?;
        Ok(said)
    })
}
