//! How many requests are taken: token buckets, in memory only and in bounded memory.
//!
//! Each network prefix and each consent record has a bucket of its own. A bucket is one number, the
//! time at which it is full again: the generic cell rate algorithm of ITU-T I.371. Nobody's address or
//! record stands in memory: a bucket is found by a hash under keys that are drawn anew in each process.
//!
//! The table has a fixed number of places. Where many prefixes come at once, the fullest bucket of a
//! set makes room: then a newcomer gets a full one, so a flood from a million networks is not held
//! off here, but neither fills the memory nor shuts anybody else out.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    clock::Clock,
    errors::{ProblemType, Problem},
};

/// How many requests may come at once, and how many for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once; 0 takes any number, always.
    pub burst: u32,
    /// How many a second for long; at least 1.
    pub per_second: u32,
}

/// The limits of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// For each network: 256 addresses of IPv4 (/24), a site's of IPv6 (/48).
    pub network: Rate,
    /// For each consent record.
    pub record: Rate,
}

impl Default for RateLimits {
    /// A class of 30 tablets behind one address, each back from holidays with 50 requests to make,
    /// takes 1500; one record sends a few dozen samples a day.
    fn default() -> Self {
        Self {
            network: Rate {
                burst: 3000,
                per_second: 50,
            },
            record: Rate {
                burst: 1000,
                per_second: 5,
            },
        }
    }
}

/// What a refused token or signature takes from a network's bucket beside the request itself.
const FAILED_AUTH_COST: u32 = 19;

/// How many requests beyond their network's limit are looked at together, for whether they are a "no".
const MAX_ERASURES_OVER_LIMIT: usize = 4;

/// The buckets of a collector.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    networks: Buckets,
    records: Buckets,
    turns: Semaphore,
}

impl RateLimiter {
    pub(crate) fn new(rates: RateLimits, clock: &Clock) -> Self {
        Self {
            networks: Buckets::new(rates.network, clock.clone()),
            records: Buckets::new(rates.record, clock.clone()),
            turns: Semaphore::new(MAX_ERASURES_OVER_LIMIT),
        }
    }

    /// Takes a request from its network's bucket.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub(crate) fn check_network(&self, key: BucketKey) -> Result<(), Problem> {
        self.networks.take(key).map_err(|wait| {
            ProblemType::TooManyRequests.with_retry_after(wait, "too many requests from this network; come again")
        })
    }

    /// A turn for a request beyond its network's limit that may be a "no"; first come, first served.
    pub(crate) async fn erasure_permit(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.turns.acquire().await.ok()
    }

    /// A request was made with a good token: whoever has one may pull as fast as the line is.
    pub(crate) fn refund(&self, key: BucketKey) {
        self.networks.refund(key);
    }

    /// A request was made with a token or a signature that is none.
    pub(crate) fn penalize(&self, key: BucketKey) {
        self.networks.penalize(key, FAILED_AUTH_COST);
    }

    /// Takes a request from the bucket of the record whose signature it bears; nobody else gets at it.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub(crate) fn check_record(&self, record: sordino::Id) -> Result<(), Problem> {
        self.records.take(self.records.key(record)).map_err(|wait| {
            ProblemType::TooManyRequests.with_retry_after(wait, "too many requests of this record; come again")
        })
    }

    /// By what a network's bucket is found.
    pub(crate) fn network_key(&self, network: impl Hash) -> BucketKey {
        self.networks.key(network)
    }
}

/// A hash under this process's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BucketKey(u64);

/// Sets of places, a power of two.
const SETS: usize = 1 << 13;
/// Places in each: 65 536 in all, a megabyte.
const SLOTS_PER_SET: usize = 8;

#[derive(Debug)]
struct Buckets {
    keys: RandomState,
    clock: Clock,
    /// Nanoseconds until one more request fits.
    interval: u64,
    /// `interval` times the burst; 0 without a limit.
    capacity: u64,
    /// Locked one by one, so that requests do not wait for each other.
    sets: Box<[Mutex<[Bucket; SLOTS_PER_SET]>]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    key: u64,
    /// Nanoseconds by the clock. Past for a full bucket, which is like none at all.
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

    /// Takes one, or says how long until there is one.
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

    /// Takes so many, or all that are left.
    fn penalize(&self, key: BucketKey, many: u32) {
        let now = self.clock.nanoseconds();
        let mut set = self.set(key);
        let bucket = slot(&mut set, key);
        let used = bucket.full_at.saturating_sub(now) + self.interval * u64::from(many);
        bucket.full_at = now + used.min(self.capacity);
    }

    fn set(&self, key: BucketKey) -> MutexGuard<'_, [Bucket; SLOTS_PER_SET]> {
        let set = &self.sets[key.0 as usize % SETS];
        // A bucket is whole at any time.
        set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bucket of `key`, or the fullest one made over to it.
fn slot(set: &mut [Bucket; SLOTS_PER_SET], key: BucketKey) -> &mut Bucket {
    let fullest = |set: &[Bucket; SLOTS_PER_SET]| {
        let places = set.iter().enumerate();
        places
            .min_by_key(|(_, bucket)| bucket.full_at)
            .map_or(0, |(place, _)| place)
    };
    let known = set.iter().position(|bucket| bucket.key == key.0);
    let place = known.unwrap_or_else(|| fullest(set));
    let bucket = &mut set[place];
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
    fn a_burst_is_taken_then_as_many_a_second_as_the_rate_says() {
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
    fn no_window_takes_more_than_a_burst_and_the_rate() {
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
    fn a_million_networks_take_no_more_memory_and_shut_nobody_out() {
        let buckets = buckets(5, 1);
        let places = buckets.sets.len() * SLOTS_PER_SET;
        let heavy = buckets.key("heavy");
        for _ in 0..5 {
            assert!(buckets.take_at(heavy, 0).is_ok());
        }
        for network in 0..1_000_000u32 {
            assert!(buckets.take_at(buckets.key(network), 0).is_ok());
        }
        assert_eq!(buckets.sets.len() * SLOTS_PER_SET, places);
        assert!(size_of_val(&*buckets.sets) <= 2 << 20);
        // The one that used most keeps its place: lighter ones made room for each other.
        assert!(buckets.take_at(heavy, 0).is_err());
    }

    #[test]
    fn keys_differ_from_process_to_process() {
        assert_ne!(
            buckets(1, 1).key([192, 0, 2]),
            buckets(1, 1).key([192, 0, 2])
        );
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_guesses_cost_more() {
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
    fn a_burst_of_nothing_is_no_limit() {
        let buckets = buckets(0, 1);
        let key = buckets.key(1);
        assert!((0..10_000).all(|_| buckets.take(key).is_ok()));
    }
}
