//! The protocol's state: what may go out, and what is on its way.

mod due;
mod outcome;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Endpoint, Task, slip};
use crate::{
    consent::{ConsentStore, Grants, RecordIdentity},
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

    /// Keeps the slip of a record, by which it can be withdrawn without the store.
    pub(crate) fn keep_slip(
        &self,
        identity: &RecordIdentity,
        offered: bool,
    ) -> Result<(), StateError> {
        let request = slip::write(&self.endpoint, identity);
        self.consent.keep_slip(identity.record, offered, &request)
    }

    /// The next plan request is due at once.
    pub(crate) fn forget_plan_age(&self) -> Result<(), StateError> {
        self.state.write(|change| change.clear_value(PLAN_ASKED))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Task>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
