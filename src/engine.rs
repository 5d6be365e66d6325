//! [`Sordino`], the engine: connects the stages and owns the threads.

mod accesses;
mod capture_session;
mod config;
mod consent;
mod event;
mod export;
mod plan;
mod reset;
mod review;
mod sampling;
#[cfg(test)]
mod tests;
mod upload;
mod worker;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;

pub use capture_session::CaptureSession;
use capture_session::SharedSampler;
pub use config::Config;
use config::{DeviceSettings, SETTINGS};
pub use consent::Withdrawal;
pub use event::Event;
use event::Listener;
use plan::{FRESHNESS, installed_plan};
use review::ReviewQueue;
pub use review::{Preview, PreviewSound};
pub use sampling::{SubmitOutcome, WithheldReason};
pub use upload::UploadSummary;

use crate::{
    Error,
    anonymize::Anonymizer,
    consent::{ConsentState, ConsentStore},
    id::Id,
    outbox::{Outbox, SampleEntry, SampleState},
    plan::{Review, SignedPlan, freshness::Newest},
    process::{Forked, ProcessOwned},
    purpose::Purposes,
    signed::PublicKey,
    state::{State, SystemClock},
    upload::{Endpoint, Protocol, Waiting},
};

/// The engine of one device. It can be shared between threads; clones are the same engine.
///
/// It belongs to the process that opened it. In a forked process every call fails with
/// [`Error::Forked`], and neither calling nor dropping it touches the state, a thread or a file.
#[derive(Clone)]
pub struct Sordino {
    inner: ProcessOwned<Arc<Inner>>,
}

/// The device's current state.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The state of consent.
    pub consent: ConsentState,
    /// The purposes that the person consented to.
    pub purposes: Purposes,
    /// Samples queued on this device.
    pub pending: usize,
    /// Total size of the queued samples.
    pub pending_bytes: u64,
    /// Samples that the collector has stored.
    pub sent: usize,
    /// Deletions and withdrawals that a collector has not acknowledged yet.
    pub deletions_pending: usize,
    /// Tasks that no collector has acknowledged yet, why they wait, and until when.
    pub waiting: Vec<Waiting>,
}

struct Inner {
    state: Arc<State>,
    consent: Arc<ConsentStore>,
    outbox: Arc<Outbox>,
    protocol: Protocol,
    organization: PublicKey,
    plan: RwLock<Option<SignedPlan>>,
    newest: Mutex<Option<Newest>>,
    anonymizer: Mutex<Option<Anonymizer>>,
    sampler: SharedSampler,
    review: Review,
    reviews: ReviewQueue,
    /// Events that happened before a listener was registered.
    pending_events: Mutex<Vec<Event>>,
    /// Incremented by everything that may change whether sampling is allowed.
    epoch: AtomicU64,
    listener: RwLock<Option<Listener>>,
}

impl Sordino {
    /// Opens the engine on its state folder and creates the folder if needed.
    ///
    /// # Errors
    /// The folder cannot be used, is in use, or was written by a newer version.
    pub fn open(config: Config) -> Result<Self, Error> {
        let state = Arc::new(State::open(&config.folder, Arc::clone(&config.clock))?);
        let host = DeviceSettings {
            organization: config.organization,
            collector: config.collector.clone(),
        };
        let known: Option<DeviceSettings> = state.value(SETTINGS)?;
        if known.as_ref() != Some(&host) {
            state.write(|txn| txn.set_value(SETTINGS, &host))?;
        }
        let before = known.map(|known| known.collector);
        Self::from_state(state, config, before)
    }

    /// Opens the engine on an existing folder with its stored settings.
    ///
    /// # Errors
    /// As [`Self::open`], and [`Error::NoState`] if the folder holds no engine.
    pub fn open_existing(folder: &Path) -> Result<Self, Error> {
        if !State::exists(folder) {
            return Err(Error::NoState(folder.to_owned()));
        }
        let state = Arc::new(State::open(folder, Arc::new(SystemClock))?);
        let host: DeviceSettings = state
            .value(SETTINGS)?
            .ok_or_else(|| Error::NoState(folder.to_owned()))?;
        let config = Config::new(folder, host.organization, host.collector);
        Self::from_state(state, config, None)
    }

    /// `before` is the collector that the folder was opened with last.
    fn from_state(
        state: Arc<State>,
        config: Config,
        before: Option<Endpoint>,
    ) -> Result<Self, Error> {
        let consent = Arc::new(ConsentStore::open(Arc::clone(&state))?);
        let (outbox, lost) = Outbox::open(Arc::clone(&state), config.quota)?;
        let outbox = Arc::new(outbox);
        let mut pending_events: Vec<Event> = lost.iter().copied().map(Event::Dropped).collect();
        if let Some(from) = before.filter(|before| *before != config.collector) {
            let to = config.collector.clone();
            pending_events.push(Event::CollectorChanged { from, to });
        }
        let protocol = Protocol::new(
            Arc::clone(&state),
            Arc::clone(&consent),
            Arc::clone(&outbox),
            config.collector,
        );
        let plan = installed_plan(&state, &config.organization)?;
        let newest = state.value(FRESHNESS)?;
        if !lost.is_empty() {
            tracing::warn!(count = lost.len(), "the files of queued samples are gone");
        }
        let engine = Self {
            inner: ProcessOwned::new(Arc::new(Inner {
                state,
                consent,
                outbox,
                protocol,
                organization: config.organization,
                plan: RwLock::new(plan),
                newest: Mutex::new(newest),
                anonymizer: Mutex::new(None),
                sampler: SharedSampler::default(),
                review: config.review,
                reviews: ReviewQueue::default(),
                pending_events: Mutex::new(pending_events),
                epoch: AtomicU64::new(0),
                listener: RwLock::new(None),
            })),
        };
        engine.inner()?.recover_revocations()?;
        Ok(engine)
    }

    /// The device's current state.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn status(&self) -> Result<Status, Error> {
        let consent = self.consent()?;
        let inner = self.inner()?;
        let entries = inner.outbox.entries()?;
        let count = |state| entries.iter().filter(|entry| entry.state == state).count();
        let pending = entries
            .iter()
            .filter(|entry| entry.state == SampleState::Pending);
        Ok(Status {
            consent: consent.state,
            purposes: consent.purposes,
            pending: count(SampleState::Pending),
            pending_bytes: pending.map(|entry| entry.bytes).sum(),
            sent: count(SampleState::Sent),
            deletions_pending: count(SampleState::DeletionAsked)
                + inner.consent.revocations_due()?.len(),
            waiting: inner.waiting()?,
        })
    }

    /// Every sample ever made, with its state.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn samples(&self) -> Result<Vec<SampleEntry>, Error> {
        Ok(self.inner()?.outbox.entries()?)
    }

    /// Deletes one sample, here and at the collector.
    ///
    /// # Errors
    /// There is no sample with that id.
    pub fn delete(&self, sample: Id) -> Result<SampleEntry, Error> {
        Ok(self.inner()?.outbox.delete(sample)?)
    }

    /// Deletes every sample, here and at the collector. Consent is not changed.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn delete_all(&self) -> Result<(), Error> {
        Ok(self.inner()?.outbox.delete_all()?)
    }

    /// Why sampling is blocked right now; `None` if it is allowed. Check it before you start to
    /// listen.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn sampling_blocked(&self) -> Result<Option<WithheldReason>, Error> {
        Ok(self.inner()?.sampling_permit()?.err())
    }

    /// # Errors
    /// The engine was opened by the process that this one was forked from.
    fn inner(&self) -> Result<&Arc<Inner>, Forked> {
        self.inner.get()
    }
}

impl Inner {
    /// Invalidates cached decisions on whether sampling is allowed.
    fn bump_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }
}
