//! The clock of what is in memory only: the system's, or one that a test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A clock that never goes back. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// Counts from this instant.
    System(Instant),
    /// Nanoseconds that it was moved by.
    Manual(Arc<AtomicU64>),
}

impl Default for Clock {
    /// The system's.
    fn default() -> Self {
        Self(Source::System(Instant::now()))
    }
}

impl Clock {
    /// One that stands still until [`Self::advance`] moves it, so that what a test finds does not depend on how long
    /// its steps take.
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::default()))
    }

    /// Moves a clock that stands still; the system's is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(moved) = &self.0 {
            moved.fetch_add(nanoseconds(by), Ordering::SeqCst);
        }
    }

    /// The time since it was made.
    pub(crate) fn now(&self) -> Duration {
        match &self.0 {
            Source::System(made) => made.elapsed(),
            Source::Manual(moved) => Duration::from_nanos(moved.load(Ordering::SeqCst)),
        }
    }

    /// The same in nanoseconds.
    pub(crate) fn nanoseconds(&self) -> u64 {
        nanoseconds(self.now())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    // 584 years.
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
