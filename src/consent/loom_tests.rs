//! Withdrawal racing with sealing and uploading, in every interleaving of threads.
//!
//! Loom (<https://docs.rs/loom>; after Norris and Demsky, "CDSChecker", 2013) runs each test once
//! for each order of the atomic operations and locks. The revocation flags are the real ones, built
//! on Loom's primitives. The store is modeled as a lock around what its transactions change, which
//! is all that redb's single writer guarantees here; the steps are those of the engine, of `seal`
//! and of the outbox.

use loom::thread;

use self::sync::{Arc, Mutex, lock};

mod sync {
    pub(super) use loom::sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    };

    pub(super) fn lock<T>(mutex: &Mutex<T>) -> loom::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap()
    }
}

// Intended: the same source on other primitives.
#[allow(clippy::duplicate_mod)]
#[path = "revocation_flag.rs"]
mod revocation_flag;

use revocation_flag::{CurrentFlag, RevocationFlag};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sample {
    Pending { offered: bool },
    DeletionAsked,
    Deleted,
}

struct Device {
    flag: CurrentFlag,
    store: Mutex<Store>,
}

struct Store {
    granted: bool,
    samples: Vec<Sample>,
}

impl Device {
    fn new(samples: Vec<Sample>) -> Arc<Self> {
        Arc::new(Self {
            flag: CurrentFlag::new(),
            store: Mutex::new(Store {
                granted: true,
                samples,
            }),
        })
    }

    /// `Sordino::withdraw`.
    fn withdraw(&self) {
        self.flag.revoke();
        {
            let mut store = lock(&self.store);
            store.granted = false;
            for sample in &mut store.samples {
                *sample = match *sample {
                    Sample::Pending { offered: true } => Sample::DeletionAsked,
                    Sample::Pending { offered: false } => Sample::Deleted,
                    ended => ended,
                };
            }
        }
        self.flag.revoke();
    }

    /// `ConsentStore::grants`: the flag first.
    fn grant(&self) -> Option<Arc<RevocationFlag>> {
        let flag = self.flag.get();
        lock(&self.store).granted.then_some(flag)
    }

    /// `seal::seal`, then `Outbox::enqueue`.
    fn sample(&self) {
        let Some(flag) = self.grant() else { return };
        // The last byte is sealed.
        if flag.is_revoked() {
            return;
        }
        let mut store = lock(&self.store);
        if store.granted {
            store.samples.push(Sample::Pending { offered: false });
        }
    }

    /// `Protocol::next`: whether the request for the first sample was made.
    fn upload(&self) -> bool {
        let Some(flag) = self.grant() else {
            return false;
        };
        let is_pending = {
            let mut store = lock(&self.store);
            match store.samples.first_mut() {
                Some(Sample::Pending { offered }) => {
                    *offered = true;
                    true
                }
                _ => false,
            }
        };
        is_pending && !flag.is_revoked()
    }
}

#[test]
fn no_interleaving_queues_a_sample_after_a_withdrawal() {
    loom::model(|| {
        let device = Device::new(Vec::new());
        let sealing = {
            let device = Arc::clone(&device);
            thread::spawn(move || device.sample())
        };
        device.withdraw();
        sealing.join().unwrap();
        let store = lock(&device.store);
        let waits = |sample: &Sample| matches!(sample, Sample::Pending { .. });
        assert!(!store.samples.iter().any(waits));
    });
}

#[test]
fn no_interleaving_sends_a_sample_without_requesting_deletion() {
    loom::model(|| {
        let device = Device::new(vec![Sample::Pending { offered: false }]);
        let uploading = {
            let device = Arc::clone(&device);
            thread::spawn(move || device.upload())
        };
        device.withdraw();
        let was_sent = uploading.join().unwrap();
        let sample = lock(&device.store).samples[0];
        match was_sent {
            true => assert_eq!(sample, Sample::DeletionAsked),
            false => assert!(!matches!(sample, Sample::Pending { .. })),
        }
        // Nothing is sent afterwards.
        assert!(!device.upload());
    });
}

#[test]
fn no_interleaving_lets_a_grant_outlive_a_withdrawal() {
    loom::model(|| {
        let device = Device::new(Vec::new());
        let asking = {
            let device = Arc::clone(&device);
            thread::spawn(move || device.grant())
        };
        device.withdraw();
        let granted = asking.join().unwrap();
        assert!(granted.is_none_or(|flag| flag.is_revoked()));
    });
}

/// Raising the flags a second time after writing is necessary.
#[test]
#[should_panic(expected = "outlived")]
fn revoking_only_before_writing_is_not_enough() {
    loom::model(|| {
        let device = Device::new(Vec::new());
        let asking = {
            let device = Arc::clone(&device);
            thread::spawn(move || device.grant())
        };
        device.flag.revoke();
        lock(&device.store).granted = false;
        let granted = asking.join().unwrap();
        assert!(granted.is_none_or(|flag| flag.is_revoked()), "outlived");
    });
}
