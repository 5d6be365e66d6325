//! What the collector has yet to hear of consent.

use super::{
    ConsentError, ConsentStore, Grants, RecordIdentity,
    rows::{self, Phase, Row, Rows},
};
use crate::{
    id::Id,
    purpose::Purposes,
    state::{Change, StateError},
};

impl ConsentStore {
    /// A record's key, for requests that say no in its name.
    pub(crate) fn identity(&self, record: Id) -> Result<Option<RecordIdentity>, StateError> {
        let row = self.row(record)?;
        row.map(|row| row.identity(record)).transpose()
    }

    /// Keeps the `request` that withdraws `record`, as a slip beside the store.
    pub(crate) fn keep_slip(
        &self,
        record: Id,
        offered: bool,
        request: &[u8],
    ) -> Result<(), StateError> {
        self.slips.keep(record, offered, request)
    }

    /// Registered records that the store knows no more, since it was lost, count as refused: nothing else
    /// could still say no to them.
    pub(crate) fn refuse_forgotten(&self) -> Result<(), StateError> {
        let rows = self.state.read(rows::all)?;
        self.slips
            .refuse(|record| match rows.contains_key(&record) {
                true => Purposes::default(),
                false => Purposes::all(),
            })
    }

    /// Records that can still be refused and have no slip, each with whether the collector may know it:
    /// an earlier version made them.
    pub(crate) fn without_slip(&self) -> Result<Vec<(RecordIdentity, bool)>, StateError> {
        let slips = self.slips.all()?;
        let rows = self.state.read(rows::all)?;
        let lacks = |record: &Id| slips.iter().all(|slip| slip.record != *record);
        rows.into_iter()
            .filter(|(record, row)| row.phase != Phase::Withdrawn && lacks(record))
            .map(|(record, row)| Ok((row.identity(record)?, row.offered)))
            .collect()
    }

    /// Whether a registration of `record` may still reach the collector: one was handed out and nothing is
    /// known of it, or, after a reset, nothing of the record is.
    pub(crate) fn may_yet_arrive(&self, record: Id) -> Result<bool, StateError> {
        let row = self.row(record)?;
        Ok(row.is_none_or(|row| !row.registering.is_empty()))
    }

    /// Withdrawals of records that only their slips remember, since the rest was reset.
    pub(crate) fn slips_due(&self) -> Result<Vec<(Id, Vec<u8>)>, StateError> {
        let mut due = Vec::new();
        for slip in self.slips.all()? {
            if slip.offered && slip.is_refused() && self.row(slip.record)?.is_none() {
                let request = self.slips.request(&slip)?;
                due.extend(request.map(|request| (slip.record, request)));
            }
        }
        Ok(due)
    }

    /// Forgets slips of records that the store does not know: those that the collector never heard of,
    /// and the one that was `heard`.
    pub(crate) fn forget_slips(&self, heard: Option<Id>) -> Result<(), StateError> {
        let rows = self.state.read(rows::all)?;
        self.slips.remove(|slip| {
            !rows.contains_key(&slip.record) && (!slip.offered || heard == Some(slip.record))
        })
    }

    /// Withdrawals that the collector has not acknowledged.
    pub(crate) fn withdrawals_due(&self) -> Result<Vec<(Id, Purposes)>, StateError> {
        let rows = self.state.read(rows::all)?;
        Ok(rows
            .into_iter()
            .filter(|(_, row)| !row.withdrawal_due.is_empty())
            .map(|(record, row)| (record, row.withdrawal_due))
            .collect())
    }

    /// The collector has heard that `purposes` of `record` are withdrawn. Says whether it has now
    /// heard all that was.
    pub(crate) fn withdrawal_done(
        &self,
        change: &Change<'_>,
        record: Id,
        purposes: &Purposes,
    ) -> Result<bool, ConsentError> {
        let rows = Rows(change);
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
        let revision = self.last_verified.of(&row)?.record.content().revision;
        if row.registered >= revision {
            return Ok(None);
        }
        Ok(Some((revision, row.document)))
    }

    /// The standing record is about to be registered: from now on its withdrawal must reach the
    /// collector. Says whether it still stands.
    pub(crate) fn mark_offered(&self, record: Id, revision: u32) -> Result<bool, ConsentError> {
        self.slips.offered(record)?;
        change(self, record, |row| {
            let stands = row.phase == Phase::Granted;
            if stands {
                row.offered = true;
                row.registering.insert(revision);
            }
            stands
        })
    }

    /// The collector has acknowledged `revision` of `record`.
    pub(crate) fn registered(&self, record: Id, revision: u32) -> Result<(), ConsentError> {
        change(self, record, |row| {
            row.registered = revision;
            row.registering.remove(&revision);
            row.ask_back_overtaken(revision);
            true
        })?;
        Ok(())
    }

    /// The request that registers `revision` of `record` has come to its end, and it is not known whether it
    /// arrived.
    pub(crate) fn maybe_registered(&self, record: Id, revision: u32) -> Result<(), ConsentError> {
        change(self, record, |row| {
            row.registering.remove(&revision);
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
