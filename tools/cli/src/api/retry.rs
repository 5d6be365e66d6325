//! Retries of requests with transient failures.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// The first delay; each later one is twice as long.
const INITIAL_DELAY: Duration = Duration::from_millis(250);
/// The number of retries: 16 s in total, enough for a service to restart.
const MAX_RETRIES: u32 = 6;
/// The number of retries before a collector has responded for the first time: 2 s in total.
const MAX_RETRIES_BEFORE_CONTACT: u32 = 3;
/// The maximum delay that a server may ask for.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// The interval at which a delay checks whether retries were stopped.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The remaining retries of one request.
pub(super) struct RetryPolicy {
    next: Duration,
    tries: u32,
}

impl RetryPolicy {
    pub(super) fn new(has_answered: bool) -> Self {
        Self {
            next: INITIAL_DELAY,
            tries: match has_answered {
                true => MAX_RETRIES,
                false => MAX_RETRIES_BEFORE_CONTACT,
            },
        }
    }

    /// Waits for the next delay, or for `asked` if that is longer. Returns whether to retry.
    pub(super) fn wait(&mut self, asked: Option<Duration>, is_hurried: &AtomicBool) -> bool {
        if self.tries == 0 || self.exceeds_max_delay(asked) {
            return false;
        }
        self.tries -= 1;
        let mut left = asked.unwrap_or_default().max(self.next);
        self.next *= 2;
        while !left.is_zero() && !is_hurried.load(Ordering::Relaxed) {
            let glance = left.min(POLL_INTERVAL);
            thread::sleep(glance);
            left -= glance;
        }
        !is_hurried.load(Ordering::Relaxed)
    }

    /// Whether the server asks for a longer delay than [`MAX_DELAY`].
    pub(super) fn exceeds_max_delay(&self, asked: Option<Duration>) -> bool {
        asked.is_some_and(|asked| asked > MAX_DELAY)
    }
}
