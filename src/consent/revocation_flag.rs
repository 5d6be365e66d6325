//! Revocation flags: one atomic flag invalidates the grants of all threads at once.
//!
//! Built on `super::sync`, which is the standard library's; `loom_tests.rs` compiles this file with
//! Loom's primitives and tries every interleaving of threads.

use super::sync::{Arc, AtomicBool, Mutex, Ordering, lock};

/// Raised once, seen by every holder.
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

/// The flag that new grants share.
pub(super) struct CurrentFlag {
    current: Mutex<Arc<RevocationFlag>>,
}

impl CurrentFlag {
    pub(super) fn new() -> Self {
        Self {
            current: Mutex::new(RevocationFlag::new()),
        }
    }

    /// The current flag. Take it *before* looking up consent, so that a withdrawal in between
    /// raises it.
    pub(super) fn get(&self) -> Arc<RevocationFlag> {
        Arc::clone(&lock(&self.current))
    }

    /// Raises the current flag and replaces it by a new one.
    pub(super) fn revoke(&self) {
        let mut current = lock(&self.current);
        current.revoke();
        *current = RevocationFlag::new();
    }
}
