//! Clients that know what was acknowledged.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use sordino::Id;

use crate::{services::Nginx, support::*};

/// The deployment, as clients see it.
pub(super) struct Harness {
    pub(super) nginx: Nginx,
    pub(super) token: String,
    pub(super) is_over: AtomicBool,
    pub(super) repeated: AtomicUsize,
    /// Requests that were answered.
    pub(super) done: AtomicUsize,
    /// Stored samples, and samples that were deleted one by one.
    pub(super) held: AtomicUsize,
    pub(super) deleted: AtomicUsize,
}

impl Harness {
    /// Waits for the clients.
    pub(super) fn wait(&self, holds: impl Fn() -> bool) {
        eventually(|| {
            assert!(!self.is_over.load(Ordering::Relaxed), "a client gave up");
            holds()
        });
    }

    /// Repeats a request as the SDK does, only sooner, until the response is not that of a fault.
    pub(super) fn persist(&self, request: &Request) -> Response {
        self.persist_at(self.nginx.address(), request)
    }

    pub(super) fn persist_at(&self, address: SocketAddr, request: &Request) -> Response {
        let started = Instant::now();
        loop {
            match try_send(address, request) {
                Some(answer) if !matches!(answer.status, 429 | 500 | 502..=504) => return answer,
                other => {
                    let last = other.map(|answer| (answer.status, answer.body));
                    assert!(started.elapsed() < HANG, "no answer but {last:?}");
                    self.repeated.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }

    pub(super) fn read(&self, sample: Id) -> Request {
        Request::new("GET", format!("/v1/samples/{sample}?purpose={QA}"))
            .header("Authorization", format!("Bearer {}", self.token))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) id: Id,
    pub(super) seed: u64,
}

impl Sample {
    pub(super) fn file(&self) -> Vec<u8> {
        age_file(1, self.seed)
    }
}

/// Acknowledged requests.
#[derive(Default)]
pub(super) struct Stats {
    pub(super) kept: Vec<Sample>,
    pub(super) gone: Vec<Sample>,
    pub(super) read: usize,
}

impl Stats {
    pub(super) fn add(&mut self, other: Self) {
        self.kept.extend(other.kept);
        self.gone.extend(other.gone);
        self.read += other.read;
    }
}

/// A client that uploads, deletes, withdraws and reads, and records what was acknowledged.
pub(super) struct Client<'a> {
    pub(super) harness: &'a Harness,
    pub(super) device: Device,
    /// Samples of `device`, among `stats.kept` too.
    pub(super) of_device: usize,
    pub(super) seed: u64,
    pub(super) stats: Stats,
}

impl<'a> Client<'a> {
    pub(super) fn new(harness: &'a Harness, number: u64) -> Self {
        let mut client = Self {
            harness,
            device: Device::new(),
            of_device: 0,
            seed: number << 32,
            stats: Stats::default(),
        };
        client.register();
        client
    }

    pub(super) fn register(&mut self) {
        self.device = Device::new();
        self.of_device = 0;
        let answer = self.harness.persist(&self.device.register(1, QA));
        assert!(matches!(answer.status, 200 | 201), "{}", answer.head);
    }

    pub(super) fn act(&mut self) {
        self.seed += 1;
        match self.seed % 20 {
            4 | 9 | 14 if self.of_device > 0 => self.delete(),
            6 | 12 if !self.stats.kept.is_empty() => self.read(),
            17 if !self.stats.gone.is_empty() => self.upload_late(),
            19 if self.seed % 60 == 59 => self.withdraw(),
            _ => self.upload(),
        }
    }

    pub(super) fn upload(&mut self) {
        let (id, seed) = (sample(), self.seed);
        let kept = Sample { id, seed };
        let answer = self.harness.persist(&self.device.put(id, QA, &kept.file()));
        assert!(matches!(answer.status, 200 | 201), "{}", answer.head);
        self.stats.kept.push(kept);
        self.of_device += 1;
        self.harness.held.fetch_add(1, Ordering::Relaxed);
    }

    /// Deletes a sample, sometimes through both collectors at once.
    pub(super) fn delete(&mut self) {
        let place = self.stats.kept.len() - 1 - (self.seed as usize % self.of_device);
        let gone = self.stats.kept.remove(place);
        self.of_device -= 1;
        let request = self.device.delete(gone.id);
        thread::scope(|scope| {
            if self.seed.is_multiple_of(2) {
                scope.spawn(|| self.harness.persist(&request).expect(204));
            }
            self.harness.persist(&request).expect(204);
        });
        self.stats.gone.push(gone);
        self.harness.held.fetch_sub(1, Ordering::Relaxed);
        self.harness.deleted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&mut self) {
        let kept = self.stats.kept[self.seed as usize % self.stats.kept.len()];
        let answer = self
            .harness
            .persist(&self.harness.read(kept.id))
            .expect(200);
        assert!(answer.body == kept.file(), "an acknowledged sample changed");
        self.stats.read += 1;
    }

    /// An upload that the network delayed until after the deletion.
    pub(super) fn upload_late(&mut self) {
        let gone = self.stats.gone[self.seed as usize % self.stats.gone.len()];
        let answer = self
            .harness
            .persist(&self.device.put(gone.id, QA, &gone.file()));
        assert!(matches!(answer.status, 403 | 410), "{}", answer.head);
    }

    pub(super) fn withdraw(&mut self) {
        self.harness.persist(&self.device.withdraw(QA)).expect(200);
        let first = self.stats.kept.len() - self.of_device;
        self.harness
            .held
            .fetch_sub(self.of_device, Ordering::Relaxed);
        self.stats.gone.extend(self.stats.kept.drain(first..));
        self.register();
    }
}
