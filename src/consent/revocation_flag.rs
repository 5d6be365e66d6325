//! Leases: leave that ends in every thread at once.
//!
//! Built on `super::sync`, which is the standard library's; `races.rs` builds this same file on Loom's
//! and tries every order in which threads can meet.

use super::sync::{Arc, AtomicBool, Mutex, Ordering, lock};

/// Ends once, for everybody who holds it.
pub(super) struct RevocationFlag {
    revoked: AtomicBool,
}

impl RevocationFlag {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            revoked: AtomicBool::new(false),
        })
    }

    pub(super) fn revoke(&self) {
        self.revoked.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::SeqCst)
    }
}

/// The lease that grants made from now on share.
pub(super) struct CurrentFlag {
    current: Mutex<Arc<RevocationFlag>>,
}

impl CurrentFlag {
    pub(super) fn new() -> Self {
        Self {
            current: Mutex::new(RevocationFlag::new()),
        }
    }

    /// The present lease. It is to be taken *before* consent is looked up: a withdrawal in between ends
    /// it then.
    pub(super) fn get(&self) -> Arc<RevocationFlag> {
        Arc::clone(&lock(&self.current))
    }

    /// Ends the present lease and begins another.
    pub(super) fn revoke(&self) {
        let mut current = lock(&self.current);
        current.revoke();
        *current = RevocationFlag::new();
    }
}
