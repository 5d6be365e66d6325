//! [`Sordino`], the engine: connects the stages and owns the threads.

mod accesses;
mod capture_session;
mod consent;
mod export;
mod reset;
mod review;
mod sampling;
#[cfg(test)]
mod tests;
mod upload;
mod worker;

use std::{
    mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::{civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};

pub use capture_session::CaptureSession;
use capture_session::SharedSampler;
pub use consent::Withdrawal;
use review::ReviewQueue;
pub use review::{Preview, PreviewSound};
pub use sampling::{SubmitOutcome, WithheldReason};
pub use upload::UploadSummary;

use crate::{
    Error,
    anonymize::Anonymizer,
    consent::{ConsentState, ConsentStore},
    id::Id,
    outbox::{Outbox, Quota, SampleEntry, SampleState},
    plan::{Freshness, Plan, PlanError, Review, SignedPlan, freshness::Newest},
    process::{Forked, ProcessOwned},
    purpose::Purposes,
    signed::PublicKey,
    state::{Clock, State, StateError, SystemClock, WriteTxn},
    upload::{Endpoint, Protocol, TaskStatus, UploadError, UploadTask, Waiting},
};

const PLAN: &str = "plan";
/// The newest freshness statement of the plan.
const FRESHNESS: &str = "plan-freshness";
const SETTINGS: &str = "host";

/// What the host passes when it opens an engine.
#[derive(Clone)]
pub struct Config {
    /// The state folder; only the engine writes there.
    pub folder: PathBuf,
    /// The organization's public key, pinned in the app; only plans signed by it are accepted.
    pub organization: PublicKey,
    /// The collector that samples are sent to.
    pub collector: Endpoint,
    /// How much may be queued.
    pub quota: Quota,
    /// Whether the person reviews each sample before it is sealed; the plan can require it too.
    pub review: Review,
    /// The system clock, or a test's.
    pub clock: Arc<dyn Clock>,
}

impl Config {
    /// A configuration with the default [`Quota`], no review, and the system's clock.
    pub fn new(folder: impl Into<PathBuf>, organization: PublicKey, collector: Endpoint) -> Self {
        Self {
            folder: folder.into(),
            organization,
            collector,
            quota: Quota::default(),
            review: Review::None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// The part of [`Config`] that is stored, for [`Sordino::open_existing`].
#[derive(PartialEq, Serialize, Deserialize)]
struct DeviceSettings {
    #[serde(alias = "organisation")] // words: ignore
    organization: PublicKey,
    collector: Endpoint,
}

/// What happened in the engine, reported to the host as it happens. It never carries audio.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A sample was sealed and queued.
    Queued(Id),
    /// A clip awaits the person's review under this id: see [`Sordino::previews`].
    AwaitsReview(Id),
    /// A moment was not sampled.
    Withheld(WithheldReason),
    /// A sample was dropped before it was sent: the queue was full, or its file was lost.
    Dropped(Id),
    /// A clip was dropped because the two before it were still being processed.
    ClipDropped,
    /// The state of consent changed.
    Consent(ConsentState),
    /// A plan was installed; its version.
    Plan(u64),
    /// The engine was opened with another collector than before. Withdrawals and deletions of
    /// earlier samples still go to the earlier collector.
    CollectorChanged {
        /// The earlier collector.
        from: Endpoint,
        /// The current collector.
        to: Endpoint,
    },
    /// The result of an upload.
    Uploaded {
        /// The task.
        task: UploadTask,
        /// Its status.
        status: TaskStatus,
    },
    /// The audio source was opened, lost, reopened or overrun.
    Capture(crate::capture::CaptureEvent),
    /// A stage failed; the engine continues.
    Failed(String),
}

type Listener = Box<dyn Fn(&Event) + Send + Sync>;

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
    /// What has not reached a collector yet, why, and until when it waits.
    pub waiting: Vec<Waiting>,
}

/// The engine of one device. It can be shared between threads; clones are the same engine.
///
/// It belongs to the process that opened it. In a forked process every call fails with
/// [`Error::Forked`], and neither calling nor dropping it touches the state, a thread or a file.
#[derive(Clone)]
pub struct Sordino {
    inner: ProcessOwned<Arc<Inner>>,
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
    /// As [`Self::open`], and [`Error::NoDevice`] if the folder holds no engine.
    pub fn open_existing(folder: &Path) -> Result<Self, Error> {
        if !State::exists(folder) {
            return Err(Error::NoDevice(folder.to_owned()));
        }
        let state = Arc::new(State::open(folder, Arc::new(SystemClock))?);
        let host: DeviceSettings = state
            .value(SETTINGS)?
            .ok_or_else(|| Error::NoDevice(folder.to_owned()))?;
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
        let mut untold: Vec<Event> = lost.iter().copied().map(Event::Dropped).collect();
        if let Some(from) = before.filter(|before| *before != config.collector) {
            let to = config.collector.clone();
            untold.push(Event::CollectorChanged { from, to });
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
                pending_events: Mutex::new(untold),
                epoch: AtomicU64::new(0),
                listener: RwLock::new(None),
            })),
        };
        engine.inner()?.recover_revocations()?;
        Ok(engine)
    }

    /// Registers a listener for events, called on the thread on which the event happens. The first
    /// listener immediately receives what was found when the engine was opened: samples whose files
    /// were lost, another collector than before.
    pub fn on_event(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        let Ok(inner) = self.inner() else { return };
        *inner
            .listener
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Box::new(listener));
        let untold = mem::take(
            &mut *inner
                .pending_events
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for event in &untold {
            inner.emit(event);
        }
    }

    /// Installs a plan. A plan with [`Plan::fresh_days`] is fresh for that many days after it was
    /// signed, and longer as long as the collector passes on newer statements of the organization.
    ///
    /// # Errors
    /// The plan is not signed by the organization, out of bounds, expired, or older than the
    /// installed plan.
    pub fn install_plan(&self, json: &[u8]) -> Result<(), Error> {
        Ok(self.inner()?.install_plan(json)?)
    }

    /// The installed plan, whether or not it has expired.
    pub fn plan(&self) -> Option<Plan> {
        self.inner().ok()?.plan()
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
    fn plan(&self) -> Option<Plan> {
        let plan = self.plan.read().unwrap_or_else(PoisonError::into_inner);
        plan.as_ref().map(|signed| signed.content().clone())
    }

    fn signed_plan(&self) -> Option<SignedPlan> {
        let plan = self.plan.read().unwrap_or_else(PoisonError::into_inner);
        plan.clone()
    }

    fn install_plan(&self, json: &[u8]) -> Result<(), UploadError> {
        let offered = Plan::verify(json, &self.organization)?;
        offered
            .content()
            .check_in_force(self.state.monotonic_time())?;
        let mut in_force = self.plan.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(in_force) = in_force.as_ref() {
            let (offered, in_force) = (offered.content(), in_force.content());
            if offered.version < in_force.version {
                let (offered, in_force) = (offered.version, in_force.version);
                return Err(PlanError::Older { offered, in_force }.into());
            }
            if offered.version == in_force.version && offered != in_force {
                return Err(PlanError::SameVersion(offered.version).into());
            }
        }
        let version = offered.content().version;
        let as_signed = offered.content().freshness_as_signed();
        self.keep_newer(as_signed, |txn| txn.set_value(PLAN, &offered.to_json()))?;
        *in_force = Some(offered);
        drop(in_force);
        self.bump_epoch();
        self.emit(&Event::Plan(version));
        Ok(())
    }

    /// Accepts the organization's statement of which plan is the newest, if the installed plan
    /// requires one.
    fn accept_freshness(&self, header: &str) -> Result<(), UploadError> {
        if self.plan().is_none_or(|plan| plan.fresh_days.is_none()) {
            return Ok(());
        }
        let statement =
            Freshness::from_header(header, &self.organization).map_err(PlanError::from)?;
        if self.keep_newer(Some(*statement.content()), |_| Ok(()))? {
            self.bump_epoch();
        }
        Ok(())
    }

    /// Stores `statement` if it is newer than the current one, in one transaction with `also`.
    /// Returns whether it is newer.
    fn keep_newer(
        &self,
        statement: Option<Freshness>,
        also: impl FnOnce(&WriteTxn<'_>) -> Result<(), StateError>,
    ) -> Result<bool, StateError> {
        let mut held = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let today = self.today();
        let newer = statement
            .and_then(|statement| Newest::after(*held, statement, self.organization, today));
        self.state.write(|txn| {
            if let Some(newer) = &newer {
                txn.set_value(FRESHNESS, newer)?;
            }
            also(txn)
        })?;
        *held = newer.or(*held);
        Ok(newer.is_some())
    }

    /// Whether `plan` is fresh or does not have to be.
    fn is_fresh(&self, plan: &Plan) -> bool {
        if plan.fresh_days.is_none() {
            return true;
        }
        // A plan that is not fresh now must not become fresh after a restart with the clock set
        // back.
        self.state.persist_time();
        let newest = *self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        plan.is_fresh(newest.as_ref(), &self.organization, self.today())
    }

    /// The day (UTC) by the monotonic clock: setting a device's clock back makes no plan fresh.
    fn today(&self) -> Date {
        Offset::UTC.to_datetime(self.state.monotonic_time()).date()
    }

    fn emit(&self, event: &Event) {
        if let Some(listener) = self
            .listener
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            listener(event);
        }
    }

    /// Invalidates cached decisions on whether sampling is allowed.
    fn bump_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }
}

/// The plan that was installed last, unless it is not signed by `organization`.
fn installed_plan(
    state: &State,
    organization: &PublicKey,
) -> Result<Option<SignedPlan>, StateError> {
    let json: Option<String> = state.value(PLAN)?;
    Ok(json.and_then(|json| Plan::verify(json.as_bytes(), organization).ok()))
}
