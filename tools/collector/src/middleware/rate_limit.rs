//! Rate limits: token buckets in bounded memory.
//!
//! Each network prefix and each consent record has its own bucket. A bucket is one number, the time at which it is full
//! again: the generic cell rate algorithm of ITU-T I.371. Addresses and records are not stored: a bucket is found by a
//! hash with keys that are random for each process.
//!
//! The table has a fixed number of slots. When a set is full, the fullest bucket is replaced. A flood from a million
//! networks is therefore not limited, but it neither exhausts the memory nor blocks other clients.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    clock::Clock,
    config::{Rate, RateLimits},
    errors::{Problem, ProblemType},
};

/// The cost of a failed authentication, in addition to the request itself.
const FAILED_AUTH_COST: u32 = 19;

/// The maximum number of withdrawals and deletions beyond their network's limit that are verified concurrently.
const MAX_ERASURES_OVER_LIMIT: usize = 4;

/// The buckets of all networks and records.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    networks: Buckets,
    records: Buckets,
    erasure_permits: Semaphore,
}

impl RateLimiter {
    pub(crate) fn new(rates: RateLimits, clock: &Clock) -> Self {
        Self {
            networks: Buckets::new(rates.network, clock.clone()),
            records: Buckets::new(rates.record, clock.clone()),
            erasure_permits: Semaphore::new(MAX_ERASURES_OVER_LIMIT),
        }
    }

    /// Counts a request against its network.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub(crate) fn check_network(&self, key: BucketKey) -> Result<(), Problem> {
        self.networks.take(key).map_err(|wait| {
            ProblemType::TooManyRequests
                .with_retry_after(wait, "too many requests from this network; retry later")
        })
    }

    /// Waits to verify a withdrawal or deletion beyond its network's limit, in order of arrival.
    pub(crate) async fn erasure_permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.erasure_permits.acquire().await.ok()
    }

    /// Refunds a request with a valid token: pulls are not rate-limited.
    pub(crate) fn refund(&self, key: BucketKey) {
        self.networks.refund(key);
    }

    /// Charges a network for a request with an invalid token or signature.
    pub(crate) fn penalize(&self, key: BucketKey) {
        self.networks.penalize(key, FAILED_AUTH_COST);
    }

    /// Counts a request against the record that signed it.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub(crate) fn check_record(&self, record: sordino::Id) -> Result<(), Problem> {
        self.records.take(self.records.key(record)).map_err(|wait| {
            ProblemType::TooManyRequests
                .with_retry_after(wait, "too many requests for this record; retry later")
        })
    }

    /// The key of a network's bucket.
    pub(crate) fn network_key(&self, network: impl Hash) -> BucketKey {
        self.networks.key(network)
    }
}

/// A hash with the process's random keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BucketKey(u64);

/// The rate-limit bucket of a request's network; absent for requests from this machine.
#[derive(Clone, Copy)]
pub(crate) struct NetworkKey(pub(crate) BucketKey);

/// The number of sets, a power of two.
const SETS: usize = 1 << 13;
/// Slots per set: 65 536 in total, which take one megabyte.
const SLOTS_PER_SET: usize = 8;

#[derive(Debug)]
struct Buckets {
    keys: RandomState,
    clock: Clock,
    /// Nanoseconds per request.
    interval: u64,
    /// `interval` times the burst; 0 for no limit.
    capacity: u64,
    /// Each set has its own lock, to reduce contention.
    sets: Box<[Mutex<[Bucket; SLOTS_PER_SET]>]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    key: u64,
    /// The time at which the bucket is full again, in nanoseconds of the clock. A full bucket is equivalent to none.
    full_at: u64,
}

impl Buckets {
    fn new(rate: Rate, clock: Clock) -> Self {
        let interval = 1_000_000_000 / u64::from(rate.per_second.max(1));
        Self {
            keys: RandomState::new(),
            clock,
            interval,
            capacity: interval * u64::from(rate.burst),
            sets: (0..SETS).map(|_| Mutex::default()).collect(),
        }
    }

    fn key(&self, of: impl Hash) -> BucketKey {
        BucketKey(self.keys.hash_one(of))
    }

    /// Takes one request, or returns the time until one fits.
    fn take(&self, key: BucketKey) -> Result<(), Duration> {
        self.take_at(key, self.clock.nanoseconds())
    }

    fn take_at(&self, key: BucketKey, now: u64) -> Result<(), Duration> {
        if self.capacity == 0 {
            return Ok(());
        }
        let mut set = self.set(key);
        let bucket = slot(&mut set, key);
        let used = bucket.full_at.saturating_sub(now) + self.interval;
        if used > self.capacity {
            return Err(Duration::from_nanos(used - self.capacity));
        }
        bucket.full_at = now + used;
        Ok(())
    }

    fn refund(&self, key: BucketKey) {
        let mut set = self.set(key);
        let bucket = slot(&mut set, key);
        bucket.full_at = bucket.full_at.saturating_sub(self.interval);
    }

    /// Takes `many` requests, or all that are left.
    fn penalize(&self, key: BucketKey, many: u32) {
        let now = self.clock.nanoseconds();
        let mut set = self.set(key);
        let bucket = slot(&mut set, key);
        let used = bucket.full_at.saturating_sub(now) + self.interval * u64::from(many);
        bucket.full_at = now + used.min(self.capacity);
    }

    fn set(&self, key: BucketKey) -> MutexGuard<'_, [Bucket; SLOTS_PER_SET]> {
        let set = &self.sets[key.0 as usize % SETS];
        // A bucket is always consistent, so a poisoned lock is safe to use.
        set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bucket of `key`, which replaces the fullest one if it is new.
fn slot(set: &mut [Bucket; SLOTS_PER_SET], key: BucketKey) -> &mut Bucket {
    let fullest = |set: &[Bucket; SLOTS_PER_SET]| {
        let slots = set.iter().enumerate();
        slots
            .min_by_key(|(_, bucket)| bucket.full_at)
            .map_or(0, |(slot, _)| slot)
    };
    let known = set.iter().position(|bucket| bucket.key == key.0);
    let slot = known.unwrap_or_else(|| fullest(set));
    let bucket = &mut set[slot];
    if known.is_none() {
        *bucket = Bucket {
            key: key.0,
            full_at: 0,
        };
    }
    bucket
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn buckets(burst: u32, per_second: u32) -> Buckets {
        Buckets::new(Rate { burst, per_second }, Clock::manual())
    }

    #[test]
    fn a_burst_is_accepted_then_the_sustained_rate() {
        let buckets = buckets(10, 2);
        let key = buckets.key("somebody");
        let taken = |now: u64| {
            (0..100)
                .filter(|_| buckets.take_at(key, now).is_ok())
                .count()
        };
        assert_eq!(taken(0), 10);
        assert_eq!(buckets.take_at(key, 0), Err(Duration::from_millis(500)));
        assert_eq!(taken(SECOND), 2);
        assert_eq!(taken(4 * SECOND), 6);
        // However long nobody came, a bucket holds no more than a burst.
        assert_eq!(taken(1000 * SECOND), 10);
        assert_eq!(taken(1000 * SECOND), 0);
        assert!(buckets.take_at(buckets.key("another"), 0).is_ok());
    }

    /// Against a plain count of what came in each window.
    #[test]
    fn no_window_exceeds_burst_and_rate() {
        let buckets = buckets(7, 3);
        let key = buckets.key(1);
        let mut taken: Vec<u64> = Vec::new();
        let mut now = 0;
        for step in 0..5000u64 {
            // Any times will do; these are spread by a full-period generator.
            now += (step.wrapping_mul(2_862_933_555_777_941_757) >> 33) % (SECOND / 2);
            if buckets.take_at(key, now).is_ok() {
                taken.push(now);
            }
        }
        assert!(taken.len() > 1000);
        for (first, begin) in taken.iter().enumerate() {
            for (last, end) in taken.iter().enumerate().skip(first) {
                let most = 7 + 3 * (end - begin) / SECOND + 1;
                assert!((last - first + 1) as u64 <= most);
                if last - first > 50 {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_million_networks_use_bounded_memory() {
        let buckets = buckets(5, 1);
        let slots = buckets.sets.len() * SLOTS_PER_SET;
        let heavy = buckets.key("heavy");
        for _ in 0..5 {
            assert!(buckets.take_at(heavy, 0).is_ok());
        }
        for network in 0..1_000_000u32 {
            assert!(buckets.take_at(buckets.key(network), 0).is_ok());
        }
        assert_eq!(buckets.sets.len() * SLOTS_PER_SET, slots);
        assert!(size_of_val(&*buckets.sets) <= 2 << 20);
        // The one that used most keeps its slot: lighter ones made room for each other.
        assert!(buckets.take_at(heavy, 0).is_err());
    }

    #[test]
    fn bucket_keys_differ_between_processes() {
        assert_ne!(
            buckets(1, 1).key([192, 0, 2]),
            buckets(1, 1).key([192, 0, 2])
        );
    }

    #[test]
    fn refunds_and_penalties_are_applied() {
        let buckets = buckets(40, 1);
        let key = buckets.key(1);
        for _ in 0..1000 {
            assert!(buckets.take(key).is_ok());
            buckets.refund(key);
        }
        let mut guesses = 0;
        while buckets.take(key).is_ok() {
            buckets.penalize(key, FAILED_AUTH_COST);
            guesses += 1;
        }
        assert_eq!(guesses, 2);
    }

    #[test]
    fn a_burst_of_zero_disables_the_limit() {
        let buckets = buckets(0, 1);
        let key = buckets.key(1);
        assert!((0..10_000).all(|_| buckets.take(key).is_ok()));
    }
}
