//! What is due next: what says no first, then the plan, the registration, and samples oldest first.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{PLAN_ASKED, Protocol, Scope, Urgency};
use crate::{
    consent::Grants,
    outbox::SampleState,
    upload::{Request, Task, UploadError, request, retry::Waits, slip},
};

/// How long the plan is good before the collector is asked again.
const PLAN_AGE: SignedDuration = SignedDuration::from_hours(6);

impl Protocol {
    /// The next request that is due: what says no first, then the plan, the registration, and
    /// samples oldest first. Without a `scope` only the first kind is.
    pub(crate) fn next(
        &self,
        scope: Option<Scope<'_>>,
        urgency: Urgency<'_>,
    ) -> Result<Option<Request>, UploadError> {
        let now = self.state.system_time();
        let gate = Gate {
            waits: Waits::load(&self.state)?,
            under_way: self.lock().clone(),
            now,
            urgency,
        };
        let mut due = self.refusal_due(&gate)?;
        if due.is_none()
            && let Some(scope) = scope
        {
            due = self.plan_due(&gate, scope.plan_version())?;
            if due.is_none()
                && let Scope::Samples { grants, .. } = scope
            {
                due = self.granted_due(&gate, grants)?;
            }
        }
        if let Some(request) = &due {
            self.lock().insert(request.task.clone());
        }
        Ok(due)
    }

    fn refusal_due(&self, gate: &Gate<'_>) -> Result<Option<Request>, UploadError> {
        for (record, purposes) in self.consent.withdrawals_due()? {
            let task = Task::Withdraw {
                record,
                purposes: purposes.clone(),
            };
            if gate.permits(&task)
                && let Some(identity) = self.consent.identity(record)?
            {
                return Ok(Some(request::withdrawal(
                    &self.endpoint,
                    &identity,
                    purposes,
                )));
            }
        }
        for (record, slip) in self.consent.slips_due()? {
            match slip::read(record, &slip) {
                Ok(request) if gate.permits(&request.task) => return Ok(Some(request)),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a withdrawal is lost"),
            }
        }
        for entry in self.outbox.entries()? {
            if entry.state == SampleState::DeletionAsked
                && gate.permits(&Task::Delete { sample: entry.id })
                && let Some(identity) = self.consent.identity(entry.consent)?
            {
                return Ok(Some(request::deletion(&self.endpoint, &identity, entry.id)));
            }
        }
        Ok(None)
    }

    fn plan_due(
        &self,
        gate: &Gate<'_>,
        known_version: u64,
    ) -> Result<Option<Request>, UploadError> {
        let asked: Option<Timestamp> = self.state.value(PLAN_ASKED)?;
        let is_old = |asked: Timestamp| {
            let age = gate.now.duration_since(asked);
            age >= PLAN_AGE || age < SignedDuration::ZERO
        };
        let due = asked.is_none_or(is_old);
        if !due || !gate.permits(&Task::FetchPlan) {
            return Ok(None);
        }
        Ok(Some(request::plan(&self.endpoint, known_version)))
    }

    fn granted_due(
        &self,
        gate: &Gate<'_>,
        grants: &Grants,
    ) -> Result<Option<Request>, UploadError> {
        if let Some((revision, document)) = self.consent.registration_due(grants)? {
            let task = Task::Register {
                record: grants.record(),
                revision,
            };
            // Nothing is sent under a record that the collector does not know yet.
            let may_go = grants.is_live()
                && gate.permits(&task)
                && self.consent.mark_offered(grants.record(), revision)?;
            return Ok(
                may_go.then(|| request::registration(&self.endpoint, grants, revision, document))
            );
        }
        for entry in self.outbox.pending()? {
            let granted =
                entry.consent == grants.record() && entry.purposes.is_subset(&grants.purposes());
            if granted
                && gate.permits(&Task::Send { sample: entry.id })
                && let Some(entry) = self.outbox.offer(entry.id)?
            {
                let file = self.outbox.path(entry.id);
                // The grants may have died since: then nothing is due.
                return Ok(request::sample(&self.endpoint, grants, &entry, file).ok());
            }
        }
        Ok(None)
    }
}

/// Which tasks may go out now.
struct Gate<'a> {
    waits: Waits,
    under_way: BTreeSet<Task>,
    now: Timestamp,
    urgency: Urgency<'a>,
}

impl Gate<'_> {
    fn permits(&self, task: &Task) -> bool {
        let due = match self.urgency {
            Urgency::Scheduled => self.waits.permit(task, self.now, false),
            Urgency::Now { tried } => {
                !tried.contains(task) && self.waits.permit(task, self.now, true)
            }
        };
        due && !self.under_way.contains(task)
    }
}
