//! How long a request is tried again that may go through a moment later.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// The first wait; each one after it is twice as long.
const INITIAL_DELAY: Duration = Duration::from_millis(250);
/// How often a request is tried again: 16 s in all, in which a service is started anew …
const MAX_RETRIES: u32 = 6;
/// … and where no collector has answered yet, since then nobody knows that there is one: 2 s.
const MAX_RETRIES_BEFORE_CONTACT: u32 = 3;
/// The longest wait that is kept when it is asked for.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// How soon a wait notices that it is for nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What is left of it for one request.
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

    /// Waits, as long as `asked` for if it is longer. Whether to try again.
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

    /// Whether the wait asked for is longer than anybody sits and waits.
    pub(super) fn exceeds_max_delay(&self, asked: Option<Duration>) -> bool {
        asked.is_some_and(|asked| asked > MAX_DELAY)
    }
}
