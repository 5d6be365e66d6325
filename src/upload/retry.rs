//! Retries: exponential backoff with full jitter, as in Brooker, "Exponential Backoff And Jitter",
//! 2015, and never before the collector's `Retry-After`.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::UploadTask;
use crate::{
    rng,
    state::{self, State, StateError, Table, WriteTxn},
};

const RETRIES: Table<&str> = Table::new("retries");

/// The maximum delay after the first failure.
const INITIAL_BACKOFF: Duration = Duration::from_secs(30);
/// The maximum delay after many failures.
const MAX_BACKOFF: Duration = Duration::from_secs(6 * 3600);
/// The longest `Retry-After` that is honored: a wrong response must not block a device forever.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct BackoffRow {
    failures: u32,
    not_before: Timestamp,
    /// Whether the collector requested the delay; it then applies even to an upload that a person
    /// started.
    asked: bool,
    /// Why it failed.
    #[serde(default)]
    reason: String,
}

/// Until when a task is delayed, and why.
pub(crate) struct Backoff {
    pub(crate) until: Timestamp,
    pub(crate) reason: String,
}

/// The stored delays by task.
pub(super) struct Backoffs(BTreeMap<String, BackoffRow>);

impl Backoffs {
    pub(super) fn load(state: &State) -> Result<Self, StateError> {
        let waits = state.read(|txn| txn.all(RETRIES))?;
        Ok(Self(waits.into_iter().collect()))
    }

    /// The number of successive failures of `task`.
    pub(super) fn failures(&self, task: &UploadTask) -> u32 {
        let retry = self.0.get(&task.to_string());
        retry.map_or(0, |retry| retry.failures)
    }

    /// Whether `task` may be sent at `now`.
    pub(super) fn permits(&self, task: &UploadTask, now: Timestamp, hurried: bool) -> bool {
        self.waiting(task, now)
            .is_none_or(|retry| hurried && !retry.asked)
    }

    /// Until when `task` is delayed, and why, if it is.
    pub(super) fn wait(&self, task: &UploadTask, now: Timestamp) -> Option<Backoff> {
        self.waiting(task, now).map(|retry| Backoff {
            until: retry.not_before,
            reason: retry.reason.clone(),
        })
    }

    /// A delay that ends later than any that can be set comes from a clock that was set back since,
    /// and is ignored.
    fn waiting(&self, task: &UploadTask, now: Timestamp) -> Option<&BackoffRow> {
        let furthest = state::saturating_add(now, signed(MAX_RETRY_AFTER));
        let retry = self.0.get(&task.to_string())?;
        (retry.not_before > now && retry.not_before <= furthest).then_some(retry)
    }
}

/// Records a failure of `task` and when it is due again.
pub(super) fn failed(
    txn: &WriteTxn<'_>,
    task: &UploadTask,
    now: Timestamp,
    asked: Option<Duration>,
    reason: &str,
) -> Result<(), StateError> {
    let name = task.to_string();
    let earlier: Option<BackoffRow> = txn.get(RETRIES, name.as_str())?;
    let failures = earlier.map_or(0, |retry| retry.failures).saturating_add(1);
    let wait = asked.map_or_else(|| backoff(failures), |asked| asked.min(MAX_RETRY_AFTER));
    let retry = BackoffRow {
        failures,
        not_before: state::saturating_add(now, signed(wait)),
        asked: asked.is_some(),
        reason: reason.to_owned(),
    };
    txn.put(RETRIES, name.as_str(), &retry)
}

/// Clears the failures of `task`.
pub(super) fn clear(txn: &WriteTxn<'_>, task: &UploadTask) -> Result<(), StateError> {
    txn.remove(RETRIES, task.to_string().as_str())
}

fn signed(wait: Duration) -> SignedDuration {
    SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
}

fn backoff(failures: u32) -> Duration {
    let doubled = INITIAL_BACKOFF.saturating_mul(1u32 << failures.saturating_sub(1).min(20));
    // Without randomness the full delay applies: later is safe.
    doubled
        .min(MAX_BACKOFF)
        .mul_f64(rng::uniform().unwrap_or(1.0))
}
