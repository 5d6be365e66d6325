//! The protocol's state: what may go out, and what is on its way.

mod epoch;
mod results;
mod scheduler;
mod waiting;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[cfg(test)]
pub(crate) use results::ProcessedResult;
pub use waiting::{Waiting, WaitingKind};

use super::{Endpoint, UploadTask, revocation};
use crate::{
    consent::{ConsentStore, Grants, RecordIdentity, Stage},
    id::Id,
    outbox::Outbox,
    state::{State, StateError},
};

/// When the collector was last asked for the plan.
const PLAN_FETCHED: &str = "plan-asked";

/// Whether waits after failures are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Urgency<'a> {
    /// They are.
    Scheduled,
    /// A person asked for it now: only waits that the collector asked for are kept.
    Now {
        /// What was tried already since the person asked. A collector that one of them did not reach is not tried again.
        tried: &'a BTreeSet<UploadTask>,
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
    /// Where what is new is sent. What was sent elsewhere is taken back there.
    endpoint: Endpoint,
    /// Handed out and not finished. Forgotten at a restart, when each is due again.
    in_flight: Mutex<BTreeSet<UploadTask>>,
    /// Collectors whose last request had no answer.
    unreachable: Mutex<BTreeSet<Endpoint>>,
    /// Records that a collector has registered, or acknowledged anew, since this process began.
    confirmed: Mutex<BTreeSet<(Id, Endpoint)>>,
    /// Records whose revision was raised above the collector's since this process began: once each, since a
    /// collector could name a higher one with each answer.
    raised: Mutex<BTreeSet<Id>>,
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
            in_flight: Mutex::default(),
            unreachable: Mutex::default(),
            confirmed: Mutex::default(),
            raised: Mutex::default(),
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Keeps the slip of a record, by which it can be withdrawn from `collector` without the store.
    pub(crate) fn keep_revocation(
        &self,
        identity: &RecordIdentity,
        collector: &Endpoint,
        stage: Stage,
    ) -> Result<(), StateError> {
        let request = revocation::to_bytes(collector, identity);
        self.consent
            .keep_revocation(identity.record, collector, stage, &request)
    }

    /// A task that was handed out counts as not handed out.
    #[cfg(test)]
    pub(super) fn undo_hand_out(&self, task: &UploadTask) {
        Self::lock(&self.in_flight).remove(task);
    }

    /// The next plan request is due at once.
    pub(crate) fn mark_plan_stale(&self) -> Result<(), StateError> {
        self.state.write(|change| change.clear_value(PLAN_FETCHED))
    }

    fn is_confirmed(&self, record: Id, collector: &Endpoint) -> bool {
        Self::lock(&self.confirmed).contains(&(record, collector.clone()))
    }

    fn lock<T>(set: &Mutex<BTreeSet<T>>) -> MutexGuard<'_, BTreeSet<T>> {
        set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
