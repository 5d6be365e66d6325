//! What is due next, and what an outcome changes.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Answer, Endpoint, Finished, Outcome, PROTOCOL_HEADER, Request, Task, UploadError,
    problem::problem,
    request,
    retry::{self, Waits},
};
use crate::{
    consent::{ConsentError, ConsentStore, Grants},
    id::Id,
    outbox::{Outbox, SampleState},
    state::{self, State, StateError},
};

/// How long the plan is good before the collector is asked again.
const PLAN_AGE: SignedDuration = SignedDuration::from_hours(6);
/// The wait before a refused registration is tried again.
const AFTER_REFUSAL: Duration = Duration::from_secs(24 * 3600);
/// When the collector was last asked for the plan.
const PLAN_ASKED: &str = "plan-asked";

/// Whether waits after failures are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Urgency<'a> {
    /// They are.
    Scheduled,
    /// A person asked for it now: only waits that the collector asked for are kept.
    Now {
        /// What was tried already since the person asked.
        tried: &'a BTreeSet<Task>,
    },
}

/// What may go out beside what says no.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// Consent stands, but the plan is paused or has expired: only a newer one is asked for.
    Plan {
        /// The version in force.
        version: u64,
    },
    /// Registrations and samples too.
    Samples {
        /// The grants that allow it.
        grants: &'a Grants,
        /// The version in force.
        plan_version: u64,
    },
}

impl Scope<'_> {
    fn plan_version(self) -> u64 {
        match self {
            Self::Plan { version }
            | Self::Samples {
                plan_version: version,
                ..
            } => version,
        }
    }
}

/// The protocol's state machine. It does no I/O but on the device's own state.
pub(crate) struct Protocol {
    state: Arc<State>,
    consent: Arc<ConsentStore>,
    outbox: Arc<Outbox>,
    endpoint: Endpoint,
    /// Handed out and not finished. Forgotten at a restart, when each is due again.
    under_way: Mutex<BTreeSet<Task>>,
}

impl Protocol {
    pub(crate) fn new(
        state: Arc<State>,
        consent: Arc<ConsentStore>,
        outbox: Arc<Outbox>,
        endpoint: Endpoint,
    ) -> Self {
        Self {
            state,
            consent,
            outbox,
            endpoint,
            under_way: Mutex::default(),
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

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
                && self.consent.mark_offered(grants.record())?;
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

    /// The next plan request is due at once.
    pub(crate) fn forget_plan_age(&self) -> Result<(), StateError> {
        self.state
            .write(|transaction| state::clear_value(transaction, PLAN_ASKED))
    }

    /// Takes in what came of `task`. A plan that came is handed to `take_plan`.
    pub(crate) fn finish(
        &self,
        task: &Task,
        outcome: Outcome,
        take_plan: impl FnOnce(&[u8]) -> Result<(), UploadError>,
    ) -> Result<Finished, UploadError> {
        self.lock().remove(task);
        let answer = match outcome {
            Outcome::Unreachable(reason) => return self.later(task, None, reason),
            Outcome::Answered(answer) => answer,
        };
        if answer.header(PROTOCOL_HEADER).is_none() {
            let reason = format!(
                "status {} from something that is no collector",
                answer.status
            );
            return self.later(task, None, reason);
        }
        match answer.status {
            200..=299 => self.acknowledged(task, &answer, take_plan),
            304 if *task == Task::FetchPlan => self.acknowledged(task, &answer, take_plan),
            408 | 425 | 429 => self.later(task, answer.retry_after(), problem(&answer)),
            400..=499 => self.refused(task, &answer),
            _ => self.later(task, answer.retry_after(), problem(&answer)),
        }
    }

    fn acknowledged(
        &self,
        task: &Task,
        answer: &Answer,
        take_plan: impl FnOnce(&[u8]) -> Result<(), UploadError>,
    ) -> Result<Finished, UploadError> {
        let done = self.done(task, answer, take_plan);
        self.settle(task)?;
        match done {
            // The device keeps the plan that it has; only the app can be told.
            Err(UploadError::Plan(error)) => Ok(Finished::Refused {
                status: answer.status,
                reason: error.to_string(),
            }),
            done => done.map(|()| Finished::Done),
        }
    }

    fn done(
        &self,
        task: &Task,
        answer: &Answer,
        take_plan: impl FnOnce(&[u8]) -> Result<(), UploadError>,
    ) -> Result<(), UploadError> {
        match task {
            Task::FetchPlan => {
                self.plan_asked()?;
                if answer.status == 200 {
                    take_plan(&answer.body)?;
                }
                Ok(())
            }
            Task::Register { record, revision } => {
                Ok(self.consent.registered(*record, *revision)?)
            }
            Task::Withdraw { record, purposes } => self.withdrawal_done(*record, purposes),
            Task::Delete { sample } => Ok(self.outbox.deleted(*sample)?),
            Task::Send { sample } => Ok(self.outbox.sent(*sample)?),
            Task::ReadAccesses { .. } => Ok(()),
        }
    }

    fn withdrawal_done(&self, record: Id, purposes: &crate::Purposes) -> Result<(), UploadError> {
        Ok(self.state.write(|transaction| {
            let heard_all = self
                .consent
                .withdrawal_done(transaction, record, purposes)?;
            // While more is to be taken back, it is not known which samples are gone there.
            if heard_all {
                self.outbox.record_deleted(transaction, record)?;
            }
            Ok::<(), ConsentError>(())
        })?)
    }

    fn withdrawn_elsewhere(&self, record: Id) -> Result<(), UploadError> {
        self.consent.end_grants();
        let gone = self.state.write(|transaction| -> Result<_, ConsentError> {
            let withdrawn = ConsentStore::withdrawn_elsewhere(transaction, record)?;
            Ok(self.outbox.withdraw(transaction, withdrawn.as_slice())?)
        });
        self.consent.end_grants();
        self.outbox.shred(&gone?);
        Ok(())
    }

    fn refused(&self, task: &Task, answer: &Answer) -> Result<Finished, UploadError> {
        match (task, answer.status) {
            // What the collector does not know is not held there: a "no" has its effect.
            (Task::Withdraw { record, purposes }, 404) => {
                self.withdrawal_done(*record, purposes)?;
            }
            (Task::Delete { sample }, 404 | 410) => self.outbox.deleted(*sample)?,
            // A "no" is repeated until it is acknowledged, whatever the collector says.
            (Task::Withdraw { .. } | Task::Delete { .. }, _) => {
                return self.later(task, None, problem(answer));
            }
            // The collector lost its records, or the registration: it comes first again.
            (Task::Send { sample }, 404) => {
                let entry = self.outbox.entry(*sample)?;
                self.consent.not_registered(entry.consent)?;
                return self.later(task, None, problem(answer));
            }
            (Task::FetchPlan, 404) => self.plan_asked()?,
            (task, status) => {
                match task {
                    Task::Send { sample } => self.outbox.refused(*sample)?,
                    Task::FetchPlan => self.plan_asked()?,
                    Task::Register { record, .. } if status == 410 => {
                        self.withdrawn_elsewhere(*record)?;
                    }
                    // What the record depends on may change with an update of either side.
                    _ => drop(self.later(task, Some(AFTER_REFUSAL), String::new())?),
                }
                return Ok(Finished::Refused {
                    status,
                    reason: problem(answer),
                });
            }
        }
        self.settle(task)?;
        Ok(Finished::Done)
    }

    fn later(
        &self,
        task: &Task,
        asked: Option<Duration>,
        reason: String,
    ) -> Result<Finished, UploadError> {
        if let Task::Register { record, revision } = task {
            self.consent.maybe_registered(*record, *revision)?;
        }
        let now = self.state.system_time();
        self.state
            .write(|transaction| retry::failed(transaction, task, now, asked))?;
        Ok(Finished::Later { reason })
    }

    fn settle(&self, task: &Task) -> Result<(), StateError> {
        self.state
            .write(|transaction| retry::settled(transaction, task))
    }

    fn plan_asked(&self) -> Result<(), StateError> {
        let now = self.state.system_time();
        self.state
            .write(|transaction| state::set_value(transaction, PLAN_ASKED, &now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Task>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
