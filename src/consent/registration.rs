//! What the collector has yet to hear of consent.

use redb::{ReadableTable as _, WriteTransaction};

use super::{
    ConsentError, ConsentStore, Grants, RecordIdentity,
    rows::{RECORDS, Row, Rows, parse_id},
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

    /// The collector has heard that `purposes` of `record` are withdrawn.
    pub(crate) fn withdrawal_done(
        &self,
        transaction: &WriteTransaction,
        record: Id,
        purposes: &Purposes,
    ) -> Result<(), ConsentError> {
        let rows = Rows(transaction);
        let Some(mut row) = rows.one(record)? else {
            return Ok(());
        };
        row.withdrawal_due = row.withdrawal_due.difference(purposes);
        rows.put(record, &row)
    }

    /// The standing record's document, where the collector has not acknowledged this revision.
    /// Marks it as offered: from now on a withdrawal must reach the collector.
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
        if !row.offered {
            change(self, record, |row| row.offered = true)?;
        }
        Ok(Some((revision, row.document)))
    }

    /// The collector has acknowledged `revision` of `record`; 0 where it turned out not to know it.
    pub(crate) fn registered(&self, record: Id, revision: u32) -> Result<(), ConsentError> {
        change(self, record, |row| row.registered = revision)
    }
}

fn change(
    store: &ConsentStore,
    record: Id,
    change: impl FnOnce(&mut Row),
) -> Result<(), ConsentError> {
    store.state.write(|transaction| {
        let rows = Rows(transaction);
        let Some(mut row) = rows.one(record)? else {
            return Ok(());
        };
        change(&mut row);
        rows.put(record, &row)
    })
}
