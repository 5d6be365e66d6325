//! A monotonic clock, to measure terms on a device whose clock can be set.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Clock, saturating_add};

/// The elapsed time that may be lost in a crash.
const PERSIST_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// The largest step of the system's clock that counts as elapsed time. A larger step corrects a
/// clock that was wrong, such as that of a phone that started in 1970.
const MAX_JUMP: SignedDuration = SignedDuration::from_hours(24 * 32);

/// Advances like the system's clock, but never goes back: if that is set back, it continues from
/// where it was. So no time is missed, as long as the clock is read once a month.
pub(super) struct MonotonicClock {
    system: Arc<dyn Clock>,
    now: Mutex<Now>,
}

struct Now {
    reading: Reading,
    kept: Timestamp,
}

/// Both clocks at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    steady: Timestamp,
    system: Timestamp,
}

impl MonotonicClock {
    /// Continues from `latest`, or begins with the system's time.
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
        // Read under the lock, so that the readings of two threads are in order.
        now.reading.advance(self.system.now());
        now.reading
    }

    /// `reading` is stored on disk.
    pub(super) fn mark_persisted(&self, reading: Reading) {
        let mut now = self.lock();
        now.kept = now.kept.max(reading.steady);
    }

    /// Whether a crash would lose less than [`PERSIST_INTERVAL`].
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
