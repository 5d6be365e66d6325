//! The scheduler: withdrawals and deletions first, then the plan, the registration, and samples
//! oldest first.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{PLAN_FETCHED, Protocol, Scope, Urgency};
use crate::{
    consent::Grants,
    endpoint::Endpoint,
    id::Id,
    outbox::{SampleEntry, SampleState},
    upload::{Request, TaskKind, UploadError, UploadTask, request, retry::Backoffs, revocation},
};

/// The number of times an earlier collector is asked for a withdrawal that this device does not know of,
/// before samples no longer wait for it: over about two days. A collector that is gone permanently
/// must not block uploads; one that never acknowledged the record, for example because of a wrong
/// URL, is asked once.
const MAX_TRIES_KNOWN: u32 = 20;
const MAX_TRIES_UNKNOWN: u32 = 1;
/// The age of the plan at which it is fetched again.
const MAX_PLAN_AGE: SignedDuration = SignedDuration::from_hours(6);

impl Protocol {
    /// The next request that is due: withdrawals and deletions first, then the plan, the
    /// registration, samples oldest first, and last the epochs of collectors. Without a `scope`
    /// only the first and the last kind are due.
    pub(crate) fn next(
        &self,
        scope: Option<Scope<'_>>,
        urgency: Urgency<'_>,
    ) -> Result<Option<Request>, UploadError> {
        match self.next_urgent(urgency)? {
            Some(request) => Ok(Some(request)),
            None => self.next_deferrable(scope, urgency),
        }
    }

    /// The next withdrawal or deletion that is due.
    pub(crate) fn next_urgent(&self, urgency: Urgency<'_>) -> Result<Option<Request>, UploadError> {
        self.hand_out(urgency, |gate| self.urgent_due(gate))
    }

    /// The next request that is due and neither a withdrawal nor a deletion.
    pub(crate) fn next_deferrable(
        &self,
        scope: Option<Scope<'_>>,
        urgency: Urgency<'_>,
    ) -> Result<Option<Request>, UploadError> {
        self.hand_out(urgency, |gate| {
            let mut due = None;
            if let Some(scope) = scope {
                due = self.plan_due(gate, scope.plan_version())?;
                if due.is_none()
                    && let Scope::Samples { grants, .. } = scope
                {
                    due = self.granted_due(gate, grants)?;
                }
            }
            match due {
                Some(due) => Ok(Some(due)),
                None => self.epoch_due(gate),
            }
        })
    }

    /// Issues the request that `due` finds, which is in flight from now on.
    fn hand_out(
        &self,
        urgency: Urgency<'_>,
        due: impl FnOnce(&BackoffGate<'_>) -> Result<Option<Request>, UploadError>,
    ) -> Result<Option<Request>, UploadError> {
        let gate = BackoffGate {
            waits: Backoffs::load(&self.state)?,
            under_way: Self::lock(&self.in_flight).clone(),
            unreached: Self::lock(&self.unreachable).clone(),
            now: self.state.system_time(),
            urgency,
        };
        let due = due(&gate)?;
        if let Some(request) = &due {
            Self::lock(&self.in_flight).insert(request.task.clone());
        }
        Ok(due)
    }

    fn urgent_due(&self, gate: &BackoffGate<'_>) -> Result<Option<Request>, UploadError> {
        for due in self.consent.withdrawals_due()? {
            let kind = TaskKind::Withdraw {
                record: due.record,
                purposes: due.purposes.clone(),
            };
            if gate.permits(&kind.for_collector(&due.collector))
                && let Some(identity) = self.consent.identity(due.record)?
            {
                return Ok(Some(request::withdrawal(
                    &due.collector,
                    &identity,
                    due.purposes,
                )));
            }
        }
        for (record, revocation) in self.consent.revocations_due()? {
            match revocation::from_bytes(record, &revocation) {
                Ok(request) if gate.permits(&request.task) => return Ok(Some(request)),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a withdrawal is lost"),
            }
        }
        for entry in self.outbox.entries()? {
            for collector in &entry.deletion_due {
                if entry.state == SampleState::DeletionAsked
                    && gate.permits(&TaskKind::Delete { sample: entry.id }.for_collector(collector))
                    && let Some(identity) = self.consent.identity(entry.consent)?
                {
                    return Ok(Some(request::deletion(collector, &identity, entry.id)));
                }
            }
        }
        Ok(None)
    }

    fn plan_due(
        &self,
        gate: &BackoffGate<'_>,
        known_version: u64,
    ) -> Result<Option<Request>, UploadError> {
        let asked: Option<Timestamp> = self.state.value(PLAN_FETCHED)?;
        let is_old = |asked: Timestamp| {
            let age = gate.now.duration_since(asked);
            age >= MAX_PLAN_AGE || age < SignedDuration::ZERO
        };
        let due = asked.is_none_or(is_old);
        if !due || !gate.permits(&TaskKind::FetchPlan.for_collector(&self.endpoint)) {
            return Ok(None);
        }
        Ok(Some(request::plan(&self.endpoint, known_version)))
    }

    fn granted_due(
        &self,
        gate: &BackoffGate<'_>,
        grants: &Grants,
    ) -> Result<Option<Request>, UploadError> {
        let Some((revision, document)) = self.consent.document(grants)? else {
            return Ok(None);
        };
        let record = grants.record();
        let samples = self.granted_samples(grants)?;
        let is_registered = self
            .consent
            .is_registered(record, revision, &self.endpoint)?;
        if (!samples.is_empty() || !is_registered)
            && let Some(UploadTask { kind, collector }) =
                self.prerequisite(&gate.waits, record, revision, is_registered)?
        {
            let may_go = grants.is_live()
                && gate.permits(&kind.clone().for_collector(&collector))
                && self.consent.mark_offered(record, revision, &collector)?;
            return Ok(may_go.then(|| request::registration(&collector, grants, kind, document)));
        }
        for entry in samples {
            if gate.permits(&TaskKind::Send { sample: entry.id }.for_collector(&self.endpoint))
                && let Some(entry) = self.outbox.mark_offered(entry.id, &self.endpoint)?
            {
                let file = self.outbox.path(entry.id);
                // The grants may have been revoked since: then nothing is due.
                return Ok(request::sample(&self.endpoint, grants, &entry, file).ok());
            }
        }
        Ok(None)
    }

    /// The task that must succeed before a sample is sent: nothing is sent under a record that the
    /// collector does not know yet, nor under one that a collector knows as withdrawn while this
    /// device does not. `is_registered` says whether the current collector knows this revision.
    pub(super) fn prerequisite(
        &self,
        waits: &Backoffs,
        record: Id,
        revision: u32,
        is_registered: bool,
    ) -> Result<Option<UploadTask>, UploadError> {
        let confirm =
            |collector: &Endpoint| TaskKind::Confirm { record, revision }.for_collector(collector);
        for (earlier, has_acknowledged) in
            self.consent.earlier_collectors(record, &self.endpoint)?
        {
            let tries = if has_acknowledged {
                MAX_TRIES_KNOWN
            } else {
                MAX_TRIES_UNKNOWN
            };
            let task = confirm(&earlier);
            if !self.is_confirmed(record, &earlier) && waits.failures(&task) < tries {
                return Ok(Some(task));
            }
        }
        if !is_registered {
            return Ok(Some(
                TaskKind::Register { record, revision }.for_collector(&self.endpoint),
            ));
        }
        let is_confirmed = self.is_confirmed(record, &self.endpoint);
        Ok((!is_confirmed).then(|| confirm(&self.endpoint)))
    }

    /// The queued samples that `grants` cover, oldest first.
    pub(crate) fn granted_samples(&self, grants: &Grants) -> Result<Vec<SampleEntry>, UploadError> {
        let mut samples = self.outbox.pending()?;
        samples.retain(|entry| {
            entry.consent == grants.record() && entry.purposes.is_subset(&grants.purposes())
        });
        Ok(samples)
    }
}

/// Which tasks may be sent now.
pub(super) struct BackoffGate<'a> {
    waits: Backoffs,
    under_way: BTreeSet<UploadTask>,
    unreached: BTreeSet<Endpoint>,
    now: Timestamp,
    urgency: Urgency<'a>,
}

impl BackoffGate<'_> {
    pub(super) fn permits(&self, task: &UploadTask) -> bool {
        let due = match self.urgency {
            Urgency::Scheduled => self.waits.permits(task, self.now, false),
            Urgency::Now { tried } => {
                let is_away = self.unreached.contains(&task.collector)
                    && tried.iter().any(|other| other.collector == task.collector);
                !is_away && !tried.contains(task) && self.waits.permits(task, self.now, true)
            }
        };
        due && !self.under_way.contains(task)
    }
}
