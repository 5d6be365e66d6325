//! A monotonic clock that tests can control.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A monotonic clock. Clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// Measures the time since this instant.
    System(Instant),
    /// The nanoseconds by which it was advanced.
    Manual(Arc<AtomicU64>),
}

impl Default for Clock {
    /// The system's monotonic clock.
    fn default() -> Self {
        Self(Source::System(Instant::now()))
    }
}

impl Clock {
    /// A clock that changes only by [`Self::advance`], so that tests do not depend on their speed.
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::default()))
    }

    /// Advances a manual clock; has no effect on the system clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(moved) = &self.0 {
            moved.fetch_add(nanoseconds(by), Ordering::SeqCst);
        }
    }

    /// The time since it was created.
    pub(crate) fn now(&self) -> Duration {
        match &self.0 {
            Source::System(made) => made.elapsed(),
            Source::Manual(moved) => Duration::from_nanos(moved.load(Ordering::SeqCst)),
        }
    }

    /// The time since it was created, in nanoseconds.
    pub(crate) fn nanoseconds(&self) -> u64 {
        nanoseconds(self.now())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    // Saturates after 584 years.
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
