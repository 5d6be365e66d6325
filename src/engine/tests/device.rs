//! A device under test.

use std::sync::{Arc, Mutex, mpsc};

use tempfile::TempDir;

use crate::{
    CaptureSession, Config, Error, Event, Id, Purposes, Sordino,
    capture::{PcmWriter, pcm_channel},
    consent::AgeBand,
    endpoint::Endpoint,
    outbox::{Quota, SampleState},
    plan::Plan,
    sampler::{MarkOutcome, Moment},
    seal::SealedSample,
    testing::{Organization, QA, TestClock, folder, notice, plan, response},
};

/// An engine, and the events that its app received.
pub(super) struct Device {
    pub(super) folder: TempDir,
    pub(super) collector: Endpoint,
    pub(super) organization: Organization,
    pub(super) clock: Arc<TestClock>,
    pub(super) quota: Quota,
    pub(super) engine: Sordino,
    pub(super) events: Arc<Mutex<Vec<Event>>>,
}

impl Device {
    pub(super) fn new() -> Self {
        Self::with(folder(), plan(1), Quota::default())
    }

    pub(super) fn with(folder: TempDir, plan: Plan, quota: Quota) -> Self {
        let stopped = StoppedDevice {
            folder,
            collector: "https://collector.example".parse().unwrap(),
            organization: Organization::new(),
            clock: Arc::new(TestClock::new()),
            quota,
            events: Arc::default(),
        };
        let device = stopped.start();
        let plan = device.organization.sign(plan);
        device.engine.install_plan(&plan).unwrap();
        device
    }

    /// Ends the process.
    pub(super) fn stop(self) -> StoppedDevice {
        drop(self.engine);
        StoppedDevice {
            folder: self.folder,
            collector: self.collector,
            organization: self.organization,
            clock: self.clock,
            quota: self.quota,
            events: self.events,
        }
    }

    /// Ends the process, calls `meanwhile`, and starts it again.
    pub(super) fn restart(self, meanwhile: impl FnOnce(&TestClock)) -> Self {
        let stopped = self.stop();
        meanwhile(&stopped.clock);
        stopped.start()
    }

    pub(super) fn consent_to(&self, purposes: impl Into<Purposes>) -> Id {
        self.consent_as(purposes, AgeBand::Adult)
    }

    /// The collector may know `record` from now on.
    pub(super) fn mark_offered(&self, record: Id) {
        let inner = self.engine.inner().unwrap();
        let marked = inner
            .consent
            .mark_offered(record, 1, inner.protocol.endpoint());
        assert!(marked.unwrap());
    }

    /// The collector may have `sample` from now on.
    pub(super) fn mark_sent(&self, sample: Id) {
        let inner = self.engine.inner().unwrap();
        let marked = inner.outbox.mark_offered(sample, inner.protocol.endpoint());
        assert!(marked.unwrap().is_some());
    }

    pub(super) fn try_consent_as(
        &self,
        purposes: &Purposes,
        age: AgeBand,
    ) -> Option<Result<Id, Error>> {
        let notice = notice(self.engine.plan()?.notice_version);
        let result = self
            .engine
            .give_consent(&response(purposes.clone(), age, None, &notice));
        Some(result.map(|receipt| receipt.content().id))
    }

    pub(super) fn consent_as(&self, purposes: impl Into<Purposes>, age: AgeBand) -> Id {
        let notice = notice(self.engine.plan().unwrap().notice_version);
        let receipt = self
            .engine
            .give_consent(&response(purposes, age, None, &notice));
        receipt.unwrap().content().id
    }

    /// Queues a sample as the engine does, without audio.
    pub(super) fn queue(&self) -> Result<Id, Error> {
        let grants = self.engine.grants()?;
        let sealed = SealedSample::for_test(grants.record(), grants.purposes(), vec![0xC5; 500]);
        let plan = self.engine.plan().unwrap();
        let inner = self.engine.inner().unwrap();
        let queued = inner.outbox.enqueue(sealed, &grants, &plan)?;
        for &dropped in &queued.dropped {
            inner.emit(&Event::Dropped(dropped));
        }
        Ok(queued.sample)
    }

    /// Listens with consent, with a mark that was selected half a second into the sound.
    pub(super) fn marked_after_half_a_second(
        &self,
    ) -> (PcmWriter, CaptureSession, mpsc::Receiver<()>) {
        self.consent_to(QA);
        let (mut feed, source) = pcm_channel(48_000, 1).unwrap();
        let (received, is_received) = mpsc::channel();
        let listening = self
            .engine
            .listen(source, move |_| received.send(()).unwrap());
        let listening = listening.unwrap();
        assert_eq!(feed.push(&[0.1_f32; 24_000]), 0);
        is_received.recv().unwrap();
        let marked = self.engine.mark(Moment::default());
        assert!(matches!(marked, Ok(MarkOutcome::Selected)), "{marked:?}");
        (feed, listening, is_received)
    }

    pub(super) fn state_of(&self, sample: Id) -> SampleState {
        self.engine
            .inner()
            .unwrap()
            .outbox
            .entry(sample)
            .unwrap()
            .state
    }

    pub(super) fn file(&self, sample: Id) -> std::path::PathBuf {
        self.engine.inner().unwrap().outbox.path(sample)
    }

    pub(super) fn received(&self, event: &Event) -> bool {
        self.events.lock().unwrap().contains(event)
    }
}

/// A device whose process has ended.
pub(super) struct StoppedDevice {
    pub(super) folder: TempDir,
    pub(super) collector: Endpoint,
    pub(super) organization: Organization,
    pub(super) clock: Arc<TestClock>,
    pub(super) quota: Quota,
    pub(super) events: Arc<Mutex<Vec<Event>>>,
}

impl StoppedDevice {
    /// The app's configuration.
    pub(super) fn config(&self) -> Config {
        let collector = self.collector.clone();
        Config {
            quota: self.quota,
            clock: self.clock.clone(),
            ..Config::new(self.folder.path(), self.organization.key(), collector)
        }
    }

    pub(super) fn start(self) -> Device {
        let engine = Sordino::open(self.config()).unwrap();
        let events = Arc::clone(&self.events);
        engine.on_event(move |event| events.lock().unwrap().push(event.clone()));
        Device {
            folder: self.folder,
            collector: self.collector,
            organization: self.organization,
            clock: self.clock,
            quota: self.quota,
            engine,
            events: self.events,
        }
    }
}
