//! The protocol's state: what may go out, and what is on its way.

mod due;
mod epoch;
mod outcome;
mod waiting;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[cfg(test)]
pub(crate) use outcome::Settled;
pub use waiting::{Waiting, WaitingKind};

use super::{Endpoint, UploadTask, slip};
use crate::{
    consent::{ConsentStore, Grants, RecordIdentity, Stage},
    id::Id,
    outbox::Outbox,
    state::{State, StateError},
};

/// When the collector was last asked for the plan.
const PLAN_ASKED: &str = "plan-asked";

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
    under_way: Mutex<BTreeSet<UploadTask>>,
    /// Collectors whose last request had no answer.
    unreached: Mutex<BTreeSet<Endpoint>>,
    /// Records that a collector has registered, or acknowledged anew, since this process began.
    confirmed: Mutex<BTreeSet<(Id, Endpoint)>>,
    /// Records whose revision was raised above the collector's since this process began: once each, since a
    /// collector could name a higher one with each answer.
    overtaken: Mutex<BTreeSet<Id>>,
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
            unreached: Mutex::default(),
            confirmed: Mutex::default(),
            overtaken: Mutex::default(),
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Keeps the slip of a record, by which it can be withdrawn from `collector` without the store.
    pub(crate) fn keep_slip(
        &self,
        identity: &RecordIdentity,
        collector: &Endpoint,
        stage: Stage,
    ) -> Result<(), StateError> {
        let request = slip::write(collector, identity);
        self.consent
            .keep_slip(identity.record, collector, stage, &request)
    }

    /// A task that was handed out counts as not handed out.
    #[cfg(test)]
    pub(super) fn put_back(&self, task: &UploadTask) {
        Self::lock(&self.under_way).remove(task);
    }

    /// The next plan request is due at once.
    pub(crate) fn forget_plan_age(&self) -> Result<(), StateError> {
        self.state.write(|change| change.clear_value(PLAN_ASKED))
    }

    fn is_confirmed(&self, record: Id, collector: &Endpoint) -> bool {
        Self::lock(&self.confirmed).contains(&(record, collector.clone()))
    }

    fn lock<T>(set: &Mutex<BTreeSet<T>>) -> MutexGuard<'_, BTreeSet<T>> {
        set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
