//! The upload protocol without I/O: which requests may be sent, and which are in flight.

mod epoch;
mod refusals;
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

/// The name of the time at which the plan was last fetched.
const PLAN_FETCHED: &str = "plan-asked";

/// Whether backoff after failures applies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Urgency<'a> {
    /// It applies.
    Scheduled,
    /// A person started the upload: only delays that the collector requested apply.
    Now {
        /// The tasks that were tried since then. A collector that one of them did not reach is not
        /// contacted again.
        tried: &'a BTreeSet<UploadTask>,
    },
}

/// The tasks that may be sent besides withdrawals and deletions.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// Consent is valid, but the plan is paused or has expired: only a newer plan is fetched.
    Plan {
        /// The version of the installed plan.
        version: u64,
    },
    /// Registrations and samples too.
    Samples {
        /// The grants.
        grants: &'a Grants,
        /// The version of the installed plan.
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

/// The protocol's state machine. Its only I/O is on the device's own state.
pub(crate) struct Protocol {
    state: Arc<State>,
    consent: Arc<ConsentStore>,
    outbox: Arc<Outbox>,
    /// The collector of new records and samples. Withdrawals and deletions go to the collector that
    /// has them.
    endpoint: Endpoint,
    /// Tasks that were issued and have no result yet. Lost at a restart, when each is due
    /// again.
    in_flight: Mutex<BTreeSet<UploadTask>>,
    /// Collectors whose last request had no response.
    unreachable: Mutex<BTreeSet<Endpoint>>,
    /// Records that a collector has registered or confirmed since this process began.
    confirmed: Mutex<BTreeSet<(Id, Endpoint)>>,
    /// Records whose revision was raised above the collector's since this process began: once each,
    /// since a collector could send a higher one with each response.
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

    /// Stores the revocation record of a consent record, by which it can be withdrawn from
    /// `collector` without the store.
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

    /// Reverts the hand-out of a task.
    #[cfg(test)]
    pub(super) fn undo_hand_out(&self, task: &UploadTask) {
        Self::lock(&self.in_flight).remove(task);
    }

    /// Makes the next plan request due at once.
    pub(crate) fn mark_plan_stale(&self) -> Result<(), StateError> {
        self.state.write(|txn| txn.clear_value(PLAN_FETCHED))
    }

    fn is_confirmed(&self, record: Id, collector: &Endpoint) -> bool {
        Self::lock(&self.confirmed).contains(&(record, collector.clone()))
    }

    fn lock<T>(set: &Mutex<BTreeSet<T>>) -> MutexGuard<'_, BTreeSet<T>> {
        set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
