//! Leases: leave that ends in every thread at once.
//!
//! Built on `super::sync`, which is the standard library's; `races.rs` builds this same file on Loom's
//! and tries every order in which threads can meet.

use super::sync::{Arc, AtomicBool, Mutex, Ordering, lock};

/// Ends once, for everybody who holds it.
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

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

/// The lease that grants made from now on share.
pub(super) struct Leases {
    current: Mutex<Arc<Lease>>,
}

impl Leases {
    pub(super) fn new() -> Self {
        Self {
            current: Mutex::new(Lease::new()),
        }
    }

    /// The present lease. It is to be taken *before* consent is looked up: a withdrawal in between ends
    /// it then.
    pub(super) fn take(&self) -> Arc<Lease> {
        Arc::clone(&lock(&self.current))
    }

    /// Ends the present lease and begins another.
    pub(super) fn end(&self) {
        let mut current = lock(&self.current);
        current.end();
        *current = Lease::new();
    }
}
