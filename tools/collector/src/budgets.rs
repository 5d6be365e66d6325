//! What each record has sent today, against the budgets of the plan in force. Devices keep them by themselves; this holds
//! those to it that do not.
//!
//! In memory only, and forgotten at midnight (UTC) and with the process: a day is a finer time than is kept anywhere.
//! What the database holds of the week bounds the rest, for all processes together: see
//! [`crate::database::Known::week`].

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, civil::Date, tz::Offset};
use sordino::Id;

use crate::{
    database::DailyLimits,
    errors::{ProblemType, Problem},
};

/// How many records are counted at most. Those beyond are bound by the week alone.
const MAX_RECORDS: usize = 1 << 16;
/// Days in a week, whose budgets together bound what the database may hold of it.
const DAYS: u64 = 7;

/// The budgets of all records.
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
    spent: HashMap<u64, Usage>,
}

/// Samples and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) samples: u64,
    pub(crate) bytes: u64,
}

/// One sample's part of a budget. Dropped before it was [`kept`](Self::keep), it is given back.
#[derive(Debug)]
pub(crate) struct Charge {
    budgets: Budgets,
    key: u64,
    date: Date,
    bytes: u64,
    is_kept: bool,
}

impl Budgets {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            keys: RandomState::new(),
            today: Mutex::default(),
        }))
    }

    /// Charges a sample of `bytes` to `record`, which has sent `week` so far this week.
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
        let is_within = |spent: Usage, days: u64| {
            spent.samples < limits.samples.saturating_mul(days)
                && spent.bytes.saturating_add(bytes) <= limits.bytes.saturating_mul(days)
        };
        let over = || {
            ProblemType::OverBudget.with_retry_after(
                until_tomorrow(now),
                "this record has sent what the plan allows it in a day; send the rest tomorrow",
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
                spent: HashMap::new(),
            };
        }
        let is_full = today.spent.len() >= MAX_RECORDS && !today.spent.contains_key(&key);
        if !is_full {
            let spent = today.spent.entry(key).or_default();
            if !is_within(*spent, 1) {
                return Err(over());
            }
            spent.samples += 1;
            spent.bytes += bytes;
        }
        drop(today);
        Ok(Charge {
            budgets: self.clone(),
            key,
            date,
            bytes,
            is_kept: is_full,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Day> {
        self.0.today.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Charge {
    /// The sample was taken.
    pub(crate) fn commit(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut today = self.budgets.lock();
        if self.is_kept || today.date != self.date {
            return;
        }
        if let Some(spent) = today.spent.get_mut(&self.key) {
            spent.samples = spent.samples.saturating_sub(1);
            spent.bytes = spent.bytes.saturating_sub(self.bytes);
        }
    }
}

/// How long it is until the next day begins in UTC.
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
    fn a_record_sends_as_much_as_the_plan_allows_in_a_day_and_no_more() {
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
    fn what_was_not_taken_is_given_back() {
        let budgets = Budgets::new();
        let one = record();
        for _ in 0..100 {
            drop(
                budgets
                    .charge(one, 1000, LIMITS, Usage::default(), noon())
                    .unwrap(),
            );
        }
        // Uploads at the same time count before they have arrived.
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
    fn the_week_bounds_what_other_processes_took() {
        let budgets = Budgets::new();
        let week = |samples, bytes| Usage { samples, bytes };
        let charge = |week| budgets.charge(record(), 10, LIMITS, week, noon()).is_ok();
        assert!(charge(week(20, 6990)));
        assert!(!charge(week(21, 0)));
        assert!(!charge(week(0, 6991)));
    }

    #[test]
    fn the_wait_ends_with_the_day() {
        assert_eq!(until_tomorrow(noon()), Duration::from_secs(12 * 3600));
        let midnight = "2026-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(until_tomorrow(midnight), Duration::from_secs(24 * 3600));
    }
}
