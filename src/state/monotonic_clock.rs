//! A time by which terms can be measured on a device whose clock anybody may set.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Clock, saturating_add};

/// How much of the time that passed may be lost in a crash.
const PERSIST_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// What the system's clock may go forward by from one look to the next and still count as time that
/// passed. By more a clock that was wrong (a phone that woke up in 1970) is set right.
const MAX_JUMP: SignedDuration = SignedDuration::from_hours(24 * 32);

/// Passes like the system's clock, but never goes back: where that is set back, it goes on from where
/// it was. So no time passes uncounted, as long as somebody looks once a month.
pub(super) struct MonotonicClock {
    system: Arc<dyn Clock>,
    now: Mutex<Now>,
}

struct Now {
    reading: Reading,
    kept: Timestamp,
}

/// What the clocks said at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    steady: Timestamp,
    system: Timestamp,
}

impl MonotonicClock {
    /// Goes on from `latest`, or begins with the system's time.
    pub(super) fn resume(system: Arc<dyn Clock>, latest: Option<Reading>) -> Self {
        let reading = latest.unwrap_or_else(|| {
            let now = system.now();
            Reading {
                steady: now,
                system: now,
            }
        });
        let kept = reading.steady;
        Self {
            system,
            now: Mutex::new(Now { reading, kept }),
        }
    }

    pub(super) fn read(&self) -> Reading {
        let mut now = self.lock();
        // Read under the lock: two threads' readings must not overtake each other.
        now.reading.advance(self.system.now());
        now.reading
    }

    /// `reading` is safe on disk.
    pub(super) fn mark_persisted(&self, reading: Reading) {
        let mut now = self.lock();
        now.kept = now.kept.max(reading.steady);
    }

    /// Whether little enough is lost in a crash.
    pub(super) fn is_persisted(&self) -> bool {
        let steady = self.read().steady;
        steady.duration_since(self.lock().kept) < PERSIST_INTERVAL
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Timestamp {
        self.read().steady
    }
}

impl Reading {
    fn advance(&mut self, system: Timestamp) {
        let passed = system.duration_since(self.system).max(SignedDuration::ZERO);
        self.steady = match passed <= MAX_JUMP {
            true => saturating_add(self.steady, passed),
            false => self.steady.max(system),
        };
        self.system = system;
    }
}
