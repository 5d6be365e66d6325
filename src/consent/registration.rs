//! Registrations and withdrawals that each collector must still receive.

use super::{
    ConsentError, ConsentStore, Grants, RecordIdentity,
    revocations::{RevocationRecord, Stage},
    rows::{self, CollectorState, Phase, RecordRow, RecordTable},
};
use crate::{
    endpoint::Endpoint,
    id::Id,
    purpose::Purposes,
    state::{StateError, WriteTxn},
};

/// A withdrawal that a collector has not acknowledged.
pub(crate) struct WithdrawalDue {
    pub(crate) record: Id,
    pub(crate) collector: Endpoint,
    pub(crate) purposes: Purposes,
}

impl ConsentStore {
    /// A record's key, for signing withdrawals and deletions.
    pub(crate) fn identity(&self, record: Id) -> Result<Option<RecordIdentity>, StateError> {
        let row = self.row(record)?;
        row.map(|row| row.identity(record)).transpose()
    }

    /// Stores the signed `request` that withdraws `record` from `collector` as a revocation record,
    /// outside the store.
    pub(crate) fn keep_revocation(
        &self,
        record: Id,
        collector: &Endpoint,
        stage: Stage,
        request: &[u8],
    ) -> Result<(), StateError> {
        self.revocations.insert(record, collector, stage, request)
    }

    /// Revokes registered records that the store no longer knows because it was lost: nothing else
    /// could still withdraw them.
    pub(crate) fn revoke_unknown_records(&self) -> Result<(), StateError> {
        let rows = self.state.read(rows::all)?;
        self.revocations
            .revoke(|record| match rows.contains_key(&record) {
                true => Purposes::default(),
                false => Purposes::all(),
            })
    }

    /// Records that can still be withdrawn and have no revocation record for a collector that may
    /// know them, or for the `present` one: an earlier version made them, or the collector's URL
    /// has changed since.
    pub(crate) fn without_revocation(
        &self,
        present: &Endpoint,
    ) -> Result<Vec<(RecordIdentity, Endpoint, Stage)>, StateError> {
        let revocations = self.revocations.all()?;
        let rows = self.state.read(rows::all)?;
        let mut without = Vec::new();
        for (record, row) in &rows {
            if row.phase == Phase::Withdrawn {
                continue;
            }
            let known = row.collectors.keys().map(|known| (known, Stage::Offered));
            let new = (!row.collectors.contains_key(present)).then_some((present, Stage::Kept));
            for (collector, stage) in known.chain(new) {
                let is_its = |revocation: &RevocationRecord| {
                    revocation.record == *record && revocation.is_for(collector)
                };
                if !revocations.iter().any(is_its) {
                    without.push((row.identity(*record)?, collector.clone(), stage));
                }
            }
        }
        Ok(without)
    }

    /// Whether a registration of `record` may still reach `collector`: one was issued and its
    /// result is unknown, or the record itself is unknown after a reset.
    pub(crate) fn may_yet_arrive(
        &self,
        record: Id,
        collector: &Endpoint,
    ) -> Result<bool, StateError> {
        let row = self.row(record)?;
        Ok(row.is_none_or(|row| {
            let entry = row.collectors.get(collector);
            entry.is_some_and(|entry| !entry.registering.is_empty())
        }))
    }

    /// Withdrawals of records that only exist as revocation records, since the store was reset.
    pub(crate) fn revocations_due(&self) -> Result<Vec<(Id, Vec<u8>)>, StateError> {
        let mut due = Vec::new();
        for revocation in self.revocations.all()? {
            if revocation.stage == Stage::Offered
                && revocation.is_fully_revoked()
                && self.row(revocation.record)?.is_none()
            {
                let request = self.revocations.request(&revocation)?;
                due.extend(request.map(|request| (revocation.record, request)));
            }
        }
        Ok(due)
    }

    /// Removes the revocation records of consent records that neither the store nor any collector
    /// knows.
    pub(crate) fn remove_unused_revocations(&self) -> Result<(), StateError> {
        let rows = self.state.read(rows::all)?;
        self.revocations.remove(|revocation| {
            !rows.contains_key(&revocation.record) && revocation.stage == Stage::Kept
        })
    }

    /// `collector` has acknowledged the withdrawal of `record`. The revocation record is kept:
    /// should the collector's database be restored from a backup, the withdrawal is sent again.
    pub(crate) fn revocation_acknowledged(
        &self,
        record: Id,
        collector: &Endpoint,
    ) -> Result<(), StateError> {
        self.revocations.mark_acknowledged(record, collector)
    }

    /// Withdrawals that a collector has not acknowledged.
    pub(crate) fn withdrawals_due(&self) -> Result<Vec<WithdrawalDue>, StateError> {
        let mut due = Vec::new();
        for (record, row) in self.state.read(rows::all)? {
            for (collector, entry) in row.collectors {
                if !entry.withdrawal_due.is_empty() {
                    due.push(WithdrawalDue {
                        record,
                        collector,
                        purposes: entry.withdrawal_due,
                    });
                }
            }
        }
        Ok(due)
    }

    /// `collector` has acknowledged the withdrawal of `purposes` of `record`. Returns whether it
    /// has now acknowledged every withdrawal of the record.
    pub(crate) fn withdrawal_done(
        &self,
        txn: &WriteTxn<'_>,
        record: Id,
        collector: &Endpoint,
        purposes: &Purposes,
    ) -> Result<bool, ConsentError> {
        let rows = RecordTable(txn);
        let Some(mut row) = rows.get(record)? else {
            return Ok(false);
        };
        let Some(entry) = row.collectors.get_mut(collector) else {
            return Ok(false);
        };
        entry.withdrawal_due = entry.withdrawal_due.difference(purposes);
        let is_complete = entry.withdrawal_due.is_empty();
        rows.put(record, &row)?;
        Ok(is_complete)
    }

    /// `collector` may have lost what it acknowledged: each withdrawal ever sent to it is due
    /// again, and each active record is registered again.
    pub(crate) fn mark_unacknowledged(
        &self,
        txn: &WriteTxn<'_>,
        collector: &Endpoint,
    ) -> Result<(), ConsentError> {
        let rows = RecordTable(txn);
        for (record, mut row) in rows.all()? {
            let Some(entry) = row.collectors.get_mut(collector) else {
                continue;
            };
            entry.registered = 0;
            entry.withdrawal_due = row.withdrawn_purposes.clone();
            rows.put(record, &row)?;
        }
        Ok(self.revocations.mark_unacknowledged(collector)?)
    }

    /// The active record's revision and document.
    pub(crate) fn document(&self, grants: &Grants) -> Result<Option<(u32, String)>, ConsentError> {
        let Some(row) = self.row(grants.record())? else {
            return Ok(None);
        };
        let revision = self.last_verified.verify(&row)?.record.content().revision;
        Ok(Some((revision, row.document)))
    }

    /// The collectors other than `present` that may know `record`, and whether they ever
    /// acknowledged it.
    pub(crate) fn earlier_collectors(
        &self,
        record: Id,
        present: &Endpoint,
    ) -> Result<Vec<(Endpoint, bool)>, StateError> {
        let collectors = self.row(record)?.map(|row| row.collectors);
        let others = (collectors.into_iter().flatten()).filter(|(known, _)| known != present);
        Ok(others
            .map(|(collector, entry)| (collector, entry.registered > 0))
            .collect())
    }

    /// Whether `collector` has acknowledged `revision` of `record`.
    pub(crate) fn is_registered(
        &self,
        record: Id,
        revision: u32,
        collector: &Endpoint,
    ) -> Result<bool, StateError> {
        let row = self.row(record)?;
        let entry = row.as_ref().and_then(|row| row.collectors.get(collector));
        Ok(entry.is_some_and(|entry| entry.registered >= revision))
    }

    /// The active record is about to be registered with `collector`: from now on its withdrawal
    /// must reach that collector. Returns whether the record is still active.
    pub(crate) fn mark_offered(
        &self,
        record: Id,
        revision: u32,
        collector: &Endpoint,
    ) -> Result<bool, ConsentError> {
        self.revocations.mark_offered(record, collector)?;
        self.update_row(record, |row| {
            let is_active = row.phase == Phase::Granted;
            if is_active {
                row.collector_mut(collector).registering.insert(revision);
            }
            Ok(is_active)
        })
    }

    /// `collector` has acknowledged `revision` of `record`.
    pub(crate) fn registered(
        &self,
        record: Id,
        revision: u32,
        collector: &Endpoint,
    ) -> Result<(), ConsentError> {
        self.update_collector(record, collector, |entry| {
            entry.registered = revision;
            entry.registering.remove(&revision);
            Some(revision)
        })
    }

    /// The request that registers `revision` of `record` has ended, and it is unknown whether it
    /// arrived.
    pub(crate) fn maybe_registered(
        &self,
        record: Id,
        revision: u32,
        collector: &Endpoint,
    ) -> Result<(), ConsentError> {
        self.update_collector(record, collector, |entry| {
            entry.registering.remove(&revision);
            Some(revision)
        })
    }

    /// `collector` does not know `record`.
    pub(crate) fn not_registered(
        &self,
        record: Id,
        collector: &Endpoint,
    ) -> Result<(), ConsentError> {
        self.update_collector(record, collector, |entry| {
            entry.registered = 0;
            None
        })
    }

    /// `collector` knows a newer revision of `record` than this device, whose state was restored
    /// from a backup: the next revision is raised above it.
    pub(crate) fn raise_revision(&self, record: Id, known: u32) -> Result<(), ConsentError> {
        self.update_row(record, |row| {
            let is_behind =
                row.phase == Phase::Granted && row.record()?.content().revision <= known;
            if is_behind {
                row.revise(|record| record.revision = known.saturating_add(1))?;
            }
            Ok(is_behind)
        })?;
        Ok(())
    }

    /// Updates what `collector` knows about `record`. Where `change` returns a revision whose
    /// registration has ended and consent was withdrawn meanwhile, the withdrawal is due again.
    fn update_collector(
        &self,
        record: Id,
        collector: &Endpoint,
        change: impl FnOnce(&mut CollectorState) -> Option<u32>,
    ) -> Result<(), ConsentError> {
        self.update_row(record, |row| {
            // A device restored from a backup may not know that anything was sent to the collector.
            let ended = change(row.collector_mut(collector));
            if ended.is_some_and(|revision| row.is_superseded(revision)) {
                let withdrawn = row.withdrawn_purposes.clone();
                row.collector_mut(collector).withdrawal_due = withdrawn;
            }
            Ok(true)
        })?;
        Ok(())
    }

    /// Changes the row of `record`. Returns whether the row exists and `change` returned true.
    fn update_row(
        &self,
        record: Id,
        change: impl FnOnce(&mut RecordRow) -> Result<bool, ConsentError>,
    ) -> Result<bool, ConsentError> {
        self.state.write(|txn| {
            let rows = RecordTable(txn);
            let Some(mut row) = rows.get(record)? else {
                return Ok(false);
            };
            let is_changed = change(&mut row)?;
            if is_changed {
                rows.put(record, &row)?;
            }
            Ok(is_changed)
        })
    }
}

impl RecordRow {
    /// The state of `collector`, which from now on counts as one that may know the record.
    fn collector_mut(&mut self, collector: &Endpoint) -> &mut CollectorState {
        self.collectors.entry(collector.clone()).or_default()
    }

    /// Whether a registration of `revision` grants more than the person does by now. If it was in
    /// flight during a withdrawal, it may arrive later, at a collector that did not know the
    /// record.
    fn is_superseded(&self, revision: u32) -> bool {
        let newest = self.record().map(|record| record.content().revision);
        self.phase == Phase::Withdrawn || newest.map_or(true, |newest| revision < newest)
    }
}
