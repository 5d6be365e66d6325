//! Enforces the daily budgets of the current plan per record. Devices respect them on their own; this is for modified
//! ones.
//!
//! The counts are in memory only and are reset at midnight (UTC) and on restart, because a day is finer than any stored
//! time. The weekly counts of the database limit all processes together: see [`crate::database::UploadContext::week`].

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, civil::Date, tz::Offset};
use sordino::Id;

use crate::{
    database::{DailyLimits, Usage},
    errors::{Problem, ProblemType},
};

/// The maximum number of records that are counted. For others only the weekly limit applies.
const MAX_RECORDS: usize = 1 << 16;
/// Days in a week: the weekly limit is the daily budget times this.
const DAYS: u64 = 7;

/// The daily counts of all records.
#[derive(Clone, Debug)]
pub(crate) struct Budgets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keys: RandomState,
    today: Mutex<Day>,
}

#[derive(Debug, Default)]
struct Day {
    date: Date,
    usage: HashMap<u64, Usage>,
}

/// A sample that is counted against a budget. Unless [committed](Self::commit), it is refunded on drop.
#[derive(Debug)]
pub(crate) struct Charge {
    budgets: Budgets,
    key: u64,
    date: Date,
    bytes: u64,
    is_committed: bool,
}

impl Budgets {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            keys: RandomState::new(),
            today: Mutex::default(),
        }))
    }

    /// Counts a sample of `bytes` against `record`, whose total this week so far is `week`.
    ///
    /// # Errors
    /// `over-budget`.
    pub(crate) fn charge(
        &self,
        record: Id,
        bytes: u64,
        limits: DailyLimits,
        week: Usage,
        now: Timestamp,
    ) -> Result<Charge, Problem> {
        let is_within = |usage: Usage, days: u64| {
            usage.samples < limits.samples.saturating_mul(days)
                && usage.bytes.saturating_add(bytes) <= limits.bytes.saturating_mul(days)
        };
        let over = || {
            ProblemType::OverBudget.with_retry_after(
                until_tomorrow(now),
                "this record has reached the plan's daily limit; retry tomorrow",
            )
        };
        if !is_within(week, DAYS) {
            return Err(over());
        }
        let date = Offset::UTC.to_datetime(now).date();
        let key = self.0.keys.hash_one(record);
        let mut today = self.lock();
        if today.date != date {
            *today = Day {
                date,
                usage: HashMap::new(),
            };
        }
        let is_full = today.usage.len() >= MAX_RECORDS && !today.usage.contains_key(&key);
        if !is_full {
            let usage = today.usage.entry(key).or_default();
            if !is_within(*usage, 1) {
                return Err(over());
            }
            usage.samples += 1;
            usage.bytes += bytes;
        }
        drop(today);
        Ok(Charge {
            budgets: self.clone(),
            key,
            date,
            bytes,
            is_committed: is_full,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Day> {
        self.0.today.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Charge {
    /// Keeps the charge because the sample was stored.
    pub(crate) fn commit(mut self) {
        self.is_committed = true;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut today = self.budgets.lock();
        if self.is_committed || today.date != self.date {
            return;
        }
        if let Some(usage) = today.usage.get_mut(&self.key) {
            usage.samples = usage.samples.saturating_sub(1);
            usage.bytes = usage.bytes.saturating_sub(self.bytes);
        }
    }
}

/// The time until midnight UTC.
fn until_tomorrow(now: Timestamp) -> Duration {
    const DAY: i64 = 24 * 3600;
    let left = DAY - now.as_second().rem_euclid(DAY);
    Duration::from_secs(left.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const LIMITS: DailyLimits = DailyLimits {
        samples: 3,
        bytes: 1000,
    };

    fn noon() -> Timestamp {
        "2026-12-01T12:00:00Z".parse().unwrap()
    }

    fn record() -> Id {
        Id::random().unwrap()
    }

    #[test]
    fn the_daily_budget_is_enforced_per_record() {
        let budgets = Budgets::new();
        let (one, another) = (record(), record());
        let send = |record, bytes, now| {
            let charged = budgets.charge(record, bytes, LIMITS, Usage::default(), now);
            charged.map(Charge::commit).is_ok()
        };
        assert!((0..3).all(|_| send(one, 100, noon())));
        assert!(!send(one, 1, noon()));
        assert!(send(another, 900, noon()));
        assert!(!send(another, 101, noon()));
        assert!(send(another, 100, noon()));
        let tomorrow = noon() + SignedDuration::from_hours(12);
        assert!(!send(one, 1, tomorrow - SignedDuration::from_secs(1)));
        assert!(send(one, 1, tomorrow));
    }

    #[test]
    fn an_uncommitted_charge_is_refunded() {
        let budgets = Budgets::new();
        let one = record();
        for _ in 0..100 {
            drop(
                budgets
                    .charge(one, 1000, LIMITS, Usage::default(), noon())
                    .unwrap(),
            );
        }
        // Concurrent uploads count before they are complete.
        let under_way: Vec<_> = (0..3)
            .map(|_| {
                budgets
                    .charge(one, 1, LIMITS, Usage::default(), noon())
                    .unwrap()
            })
            .collect();
        assert!(
            budgets
                .charge(one, 1, LIMITS, Usage::default(), noon())
                .is_err()
        );
        drop(under_way);
        assert!(
            budgets
                .charge(one, 1, LIMITS, Usage::default(), noon())
                .is_ok()
        );
    }

    #[test]
    fn the_weekly_limit_includes_other_processes() {
        let budgets = Budgets::new();
        let week = |samples, bytes| Usage { samples, bytes };
        let charge = |week| budgets.charge(record(), 10, LIMITS, week, noon()).is_ok();
        assert!(charge(week(20, 6990)));
        assert!(!charge(week(21, 0)));
        assert!(!charge(week(0, 6991)));
    }

    #[test]
    fn the_retry_time_is_the_next_midnight() {
        assert_eq!(until_tomorrow(noon()), Duration::from_secs(12 * 3600));
        let midnight = "2026-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(until_tomorrow(midnight), Duration::from_secs(24 * 3600));
    }
}
