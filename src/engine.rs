//! [`Sordino`]: wires the stages together and owns the threads.

mod listening;
mod sampling;
#[cfg(test)]
mod tests;
mod uploading;

use std::{
    mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};

pub use listening::Listening;
use listening::SharedSampler;
pub use sampling::{Offer, Withheld};
pub use uploading::UploadSummary;

use crate::{
    Error,
    anonymize::Anonymizer,
    consent::{
        Answer, ConsentError, ConsentState, ConsentStatus, ConsentStore, Grants, GuardianMethod,
        SignedRecord, Terms,
    },
    id::Id,
    outbox::{Outbox, Quota, SampleEntry, SampleState},
    plan::{Plan, PlanError, SignedPlan},
    purpose::{Purpose, Purposes},
    signed::PublicKey,
    state::{self, Clock, State, StateError, SystemClock},
    upload::{Endpoint, Finished, Protocol, Task, UploadError},
};

const PLAN: &str = "plan";
const HOST: &str = "host";

/// What the host says of itself when it opens an engine.
pub struct Config {
    /// Where the state lives; nobody else writes there.
    pub folder: PathBuf,
    /// The organisation's key, pinned in the app; only its plans count.
    pub organisation: PublicKey,
    /// Where samples go.
    pub collector: Endpoint,
    /// How much may wait to be sent.
    pub quota: Quota,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Config {
    /// The usual: the default [`Quota`] and the system's clock.
    pub fn new(folder: impl Into<PathBuf>, organisation: PublicKey, collector: Endpoint) -> Self {
        Self {
            folder: folder.into(),
            organisation,
            collector,
            quota: Quota::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// The part of [`Config`] that a headless device remembers.
#[derive(Serialize, Deserialize)]
struct Host {
    organisation: PublicKey,
    collector: String,
}

/// What happened inside, told to the host as it happens. It never carries sound.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A sample was sealed and queued.
    Queued(Id),
    /// A moment was not sampled.
    Withheld(Withheld),
    /// A sample went before it was sent: for want of room, or because its file was lost.
    Dropped(Id),
    /// A moment was let go because the two before it were still being worked on.
    Busy,
    /// Consent changed.
    Consent(ConsentState),
    /// A newer plan is in force.
    Plan(u64),
    /// What became of an upload.
    Uploaded {
        /// What it was about.
        task: Task,
        /// What became of it.
        finished: Finished,
    },
    /// The source was opened, lost, reopened or overrun.
    Capture(crate::capture::CaptureEvent),
    /// A stage failed; the engine goes on.
    Failed(String),
}

type Listener = Box<dyn Fn(&Event) + Send + Sync>;

/// Where the device stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Where consent stands.
    pub consent: ConsentState,
    /// What it covers.
    pub purposes: Purposes,
    /// Samples that wait here.
    pub pending: usize,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Samples that the collector has.
    pub sent: usize,
    /// Deletions that the collector has not acknowledged yet.
    pub deletions_pending: usize,
}

/// What a withdrawal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawal {
    /// Pending samples that were shredded.
    pub shredded: usize,
    /// Sent samples whose deletion is queued.
    pub deletions_pending: usize,
}

/// The engine of one device. It can be shared between threads; clones are the same engine.
#[derive(Clone)]
pub struct Sordino {
    inner: Arc<Inner>,
}

struct Inner {
    state: Arc<State>,
    consent: Arc<ConsentStore>,
    outbox: Arc<Outbox>,
    protocol: Protocol,
    organisation: PublicKey,
    plan: RwLock<Option<SignedPlan>>,
    anonymizer: Mutex<Option<Anonymizer>>,
    sampler: SharedSampler,
    /// Samples that were lost before anybody could be told.
    lost: Mutex<Vec<Id>>,
    /// Raised by whatever may change whether sampling is allowed.
    version: AtomicU64,
    listener: RwLock<Option<Listener>>,
}

impl Sordino {
    /// Opens the engine on its state folder, making it where it is new.
    ///
    /// # Errors
    /// The folder cannot be used, is open elsewhere, or was written by a newer version.
    pub fn open(config: Config) -> Result<Self, Error> {
        let state = Arc::new(State::open(&config.folder, Arc::clone(&config.clock))?);
        let host = Host {
            organisation: config.organisation,
            collector: config.collector.to_string(),
        };
        let known: Option<Host> = state.value(HOST)?;
        let is_known = known.is_some_and(|known| {
            known.organisation == host.organisation && known.collector == host.collector
        });
        if !is_known {
            state.write(|transaction| state::set_value(transaction, HOST, &host))?;
        }
        Self::on(state, config)
    }

    /// Opens the engine on the folder of a headless device, with what it was made with.
    ///
    /// # Errors
    /// As [`Self::open`], and [`Error::NoDevice`].
    pub fn open_existing(folder: &Path) -> Result<Self, Error> {
        if !State::exists(folder) {
            return Err(Error::NoDevice(folder.to_owned()));
        }
        let state = Arc::new(State::open(folder, Arc::new(SystemClock))?);
        let host: Host = state
            .value(HOST)?
            .ok_or_else(|| Error::NoDevice(folder.to_owned()))?;
        let collector = host.collector.parse().map_err(|_| {
            StateError::Damaged("the collector's URL in it does not parse".to_owned())
        })?;
        Self::on(state, Config::new(folder, host.organisation, collector))
    }

    fn on(state: Arc<State>, config: Config) -> Result<Self, Error> {
        let consent = Arc::new(ConsentStore::open(Arc::clone(&state))?);
        let (outbox, lost) = Outbox::open(Arc::clone(&state), config.quota)?;
        let outbox = Arc::new(outbox);
        let protocol = Protocol::new(
            Arc::clone(&state),
            Arc::clone(&consent),
            Arc::clone(&outbox),
            config.collector,
        );
        let plan = plan_in_force(&state, &config.organisation)?;
        if !lost.is_empty() {
            tracing::warn!(count = lost.len(), "the files of queued samples are gone");
        }
        Ok(Self {
            inner: Arc::new(Inner {
                state,
                consent,
                outbox,
                protocol,
                organisation: config.organisation,
                plan: RwLock::new(plan),
                anonymizer: Mutex::new(None),
                sampler: SharedSampler::default(),
                lost: Mutex::new(lost),
                version: AtomicU64::new(0),
                listener: RwLock::new(None),
            }),
        })
    }

    /// Has `listener` told of each [`Event`], on the thread on which it happens. The first is told
    /// at once of samples whose files were found lost when the engine was opened.
    pub fn on_event(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        *self
            .inner
            .listener
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Box::new(listener));
        let lost = mem::take(
            &mut *self
                .inner
                .lost
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for sample in lost {
            self.inner.tell(&Event::Dropped(sample));
        }
    }

    /// Puts a plan into force.
    ///
    /// # Errors
    /// It is not the organisation's, out of bounds, expired, or older than the one in force.
    pub fn install_plan(&self, json: &[u8]) -> Result<(), Error> {
        Ok(self.inner.install_plan(json)?)
    }

    /// The plan in force, whether or not it has expired.
    pub fn plan(&self) -> Option<Plan> {
        self.inner.plan()
    }

    /// Where consent stands.
    ///
    /// # Errors
    /// The state cannot be read, or a record in it was changed.
    pub fn consent(&self) -> Result<ConsentStatus, Error> {
        Ok(self.inner.consent.status(self.inner.terms().as_ref())?)
    }

    /// Records a person's yes. Returns the receipt that the person gets.
    ///
    /// # Errors
    /// No plan is in force, it does not ask for that, or another notice was shown than it names.
    pub fn give_consent(&self, answer: &Answer<'_>) -> Result<SignedRecord, Error> {
        let terms = self.inner.terms().ok_or(ConsentError::NoPlan)?;
        let inner = &self.inner;
        inner.write_refused()?;
        let (record, dropped) = inner
            .state
            .write(|transaction| -> Result<_, ConsentError> {
                let record = inner.consent.record(transaction, answer, &terms)?;
                let dropped = inner.outbox.drop_others(transaction, record.content().id)?;
                Ok((record, dropped))
            })?;
        // They may be of a record that no longer stands.
        inner.consent.end_grants();
        inner.outbox.shred(&dropped);
        for sample in dropped {
            inner.tell(&Event::Dropped(sample));
        }
        inner.tell_consent()?;
        Ok(record)
    }

    /// Records that the guardian approves of what the child said yes to.
    ///
    /// # Errors
    /// Nobody is waiting for it.
    pub fn approve(&self, method: GuardianMethod) -> Result<SignedRecord, Error> {
        let terms = self.inner.terms().ok_or(ConsentError::NoPlan)?;
        self.inner.write_refused()?;
        let record = self.inner.consent.approve(method, &terms)?;
        self.inner.tell_consent()?;
        Ok(record)
    }

    /// Takes the yes back: for one purpose, or for all with `None`. Grants end at once, pending
    /// samples are shredded, and what was sent is asked back until the collector acknowledges it.
    ///
    /// # Errors
    /// The state cannot be written. Even then no grant is left in this process, pending samples are
    /// shredded, and the withdrawal is written with the next change of consent.
    pub fn withdraw(&self, purpose: Option<Purpose>) -> Result<Withdrawal, Error> {
        let inner = &self.inner;
        let purposes = purpose.map_or_else(|| Purposes::from_iter(Purpose::ALL), Purposes::from);
        inner.consent.refuse(&purposes);
        inner.consent.end_grants();
        inner.changed();
        inner.forget_sound();
        let shredded = inner.write_refused();
        // A grant that was made while the transaction ran saw the state before it.
        inner.consent.end_grants();
        inner.changed();
        inner.forget_sound();
        let shredded = shredded?;
        inner.tell_consent()?;
        let deletions_pending = self.status()?.deletions_pending;
        Ok(Withdrawal {
            shredded,
            deletions_pending,
        })
    }

    /// Where the device stands.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn status(&self) -> Result<Status, Error> {
        let consent = self.consent()?;
        let entries = self.inner.outbox.entries()?;
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
            deletions_pending: count(SampleState::DeletionAsked),
        })
    }

    /// Every sample there ever was, and what became of it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn samples(&self) -> Result<Vec<SampleEntry>, Error> {
        Ok(self.inner.outbox.entries()?)
    }

    /// Deletes one sample, here and at the collector.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn delete(&self, sample: Id) -> Result<SampleEntry, Error> {
        Ok(self.inner.outbox.delete(sample)?)
    }

    /// The grants that stand.
    ///
    /// # Errors
    /// There is no standing yes.
    pub fn grants(&self) -> Result<Grants, Error> {
        Ok(self.inner.grants()?)
    }

    /// Leave to sample at this instant, or why there is none. Ask before listening at all.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn may_sample(&self) -> Result<Option<Withheld>, Error> {
        Ok(self.inner.leave()?.err())
    }
}

impl Inner {
    fn plan(&self) -> Option<Plan> {
        let plan = self.plan.read().unwrap_or_else(PoisonError::into_inner);
        plan.as_ref().map(|signed| signed.content().clone())
    }

    fn terms(&self) -> Option<Terms> {
        self.plan().map(|plan| Terms {
            purposes: plan.purposes,
            notice_version: plan.notice_version,
            days: plan.consent_days,
        })
    }

    fn grants(&self) -> Result<Grants, ConsentError> {
        let terms = self.terms().ok_or(ConsentError::NoPlan)?;
        self.consent.grants(&terms)
    }

    /// Writes what was taken back, if that is still to be done. Returns how many pending samples were
    /// shredded.
    fn write_refused(&self) -> Result<usize, ConsentError> {
        let refused = self.consent.refused();
        if refused.is_empty() {
            return Ok(0);
        }
        let withdraw = || {
            self.state.write(|transaction| -> Result<_, ConsentError> {
                let withdrawn = ConsentStore::withdraw(transaction, &refused)?;
                Ok(self.outbox.withdraw(transaction, &withdrawn)?)
            })
        };
        let shredded = withdraw().or_else(|_| {
            // A full disk, say: what is to be shredded anyhow makes room.
            self.outbox.shred_covered(&refused)?;
            withdraw()
        })?;
        self.consent.refusal_written(&refused);
        self.outbox.shred(&shredded);
        Ok(shredded.len())
    }

    /// What waits under a yes that ran out, or to a notice that changed, can never be sent.
    fn drop_uncovered(&self) -> Result<(), UploadError> {
        let status = self.consent.status(self.terms().as_ref())?;
        if matches!(status.state, ConsentState::Expired | ConsentState::Outdated) {
            for sample in self.outbox.drop_all()? {
                self.tell(&Event::Dropped(sample));
            }
        }
        Ok(())
    }

    fn install_plan(&self, json: &[u8]) -> Result<(), UploadError> {
        let offered = Plan::verify(json, &self.organisation)?;
        offered.content().check_in_force(self.state.system_time())?;
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
        self.state
            .write(|transaction| state::set_value(transaction, PLAN, &offered.to_json()))?;
        let version = offered.content().version;
        *in_force = Some(offered);
        drop(in_force);
        self.changed();
        self.tell(&Event::Plan(version));
        Ok(())
    }

    fn tell(&self, event: &Event) {
        if let Some(listener) = self
            .listener
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            listener(event);
        }
    }

    /// What was known of whether sampling is allowed may hold no more.
    fn changed(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn tell_consent(&self) -> Result<(), ConsentError> {
        self.changed();
        let state = self.consent.status(self.terms().as_ref())?.state;
        self.tell(&Event::Consent(state));
        Ok(())
    }
}

/// The plan that was last put into force, unless it is not `organisation`'s any more.
fn plan_in_force(
    state: &State,
    organisation: &PublicKey,
) -> Result<Option<SignedPlan>, StateError> {
    let json: Option<String> = state.value(PLAN)?;
    Ok(json.and_then(|json| Plan::verify(json.as_bytes(), organisation).ok()))
}
