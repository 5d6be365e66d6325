//! Leave to seal and to send, for as long as the person's yes stands.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use ring::signature::Ed25519KeyPair;

use crate::{id::Id, purpose::Purpose, purpose::Purposes, state::Clock};

/// Ends with a withdrawal, in every thread at once.
pub(super) struct Lease {
    ended: AtomicBool,
}

impl Lease {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            ended: AtomicBool::new(false),
        })
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// The person's yes to one purpose. Only the consent store makes one; it cannot be cloned, stored or
/// made by hand, and it dies with a withdrawal even while another thread holds it.
pub struct Grant {
    purpose: Purpose,
    lease: Arc<Lease>,
    ends: Timestamp,
    clock: Arc<dyn Clock>,
}

impl Grant {
    /// What was granted.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Whether the yes still stands: not withdrawn, not run out.
    pub fn is_live(&self) -> bool {
        !self.lease.ended.load(Ordering::SeqCst) && self.clock.now() < self.ends
    }
}

/// Every grant of one consent record, at least one, with the record's own key.
pub struct Grants {
    grants: Vec<Grant>,
    identity: RecordIdentity,
    notice_version: u32,
}

impl Grants {
    /// `purposes` must hold at least one; the consent store sees to it.
    pub(super) fn new(
        purposes: &Purposes,
        identity: RecordIdentity,
        notice_version: u32,
        lease: &Arc<Lease>,
        ends: Timestamp,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let grant = |purpose| Grant {
            purpose,
            lease: Arc::clone(lease),
            ends,
            clock: Arc::clone(clock),
        };
        Self {
            grants: purposes.iter().map(grant).collect(),
            identity,
            notice_version,
        }
    }

    /// Each purpose's grant.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter()
    }

    /// What was granted.
    pub fn purposes(&self) -> Purposes {
        self.grants.iter().map(Grant::purpose).collect()
    }

    /// The consent record that says so.
    pub fn record(&self) -> Id {
        self.identity.record
    }

    /// The version of the notice that was agreed to.
    pub fn notice_version(&self) -> u32 {
        self.notice_version
    }

    /// Whether every one of them still stands.
    pub fn is_live(&self) -> bool {
        self.grants.iter().all(Grant::is_live)
    }

    pub(crate) fn identity(&self) -> &RecordIdentity {
        &self.identity
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grants({})", self.purposes())
    }
}

/// A record's id and key: enough to say no in its name, never enough to send a sample.
#[derive(Clone)]
pub(crate) struct RecordIdentity {
    pub(crate) record: Id,
    pub(crate) key: Arc<Ed25519KeyPair>,
}

#[cfg(test)]
impl Grants {
    /// Grants of a record that no store holds, for tests of the stages after consent; they live as
    /// long as `live` says so.
    pub(crate) fn for_test(record: Id, purposes: Purposes, live: &Arc<TestLease>) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&crate::entropy::system()).expect("random");
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
        let identity = RecordIdentity {
            record,
            key: Arc::new(key),
        };
        let clock: Arc<dyn Clock> = Arc::new(crate::state::SystemClock);
        Self::new(&purposes, identity, 3, &live.0, Timestamp::MAX, &clock)
    }
}

/// A lease that a test ends.
#[cfg(test)]
pub(crate) struct TestLease(Arc<Lease>);

#[cfg(test)]
impl TestLease {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Lease::new()))
    }

    pub(crate) fn end(&self) {
        self.0.end();
    }
}
