//! The engine as a whole.

mod audit;
mod collector;
mod coverage;
mod crashes;
mod faults;
#[cfg(unix)]
mod fork;
mod freshness;
mod model;
mod review;
mod said;
mod speed;
mod tampering;
mod world;

use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
};

use tempfile::TempDir;
use test_tiers::sized;

use super::{CaptureSession, Config, Event, Sordino};
use crate::{
    Error, Id, Purposes, SubmitOutcome, WithheldReason,
    capture::{PcmWriter, pcm_channel},
    consent::{AgeBand, ConsentState, GuardianMethod},
    endpoint::Endpoint,
    outbox::{OutboxError, Quota, SampleState},
    plan::Plan,
    sampler::{MarkOutcome, Moment},
    seal::SealedSample,
    testing::{Organization, QA, RESEARCH, TestClock, both, days, folder, notice, plan, response},
};

/// An engine, and the events that its app received.
struct Device {
    folder: TempDir,
    collector: Endpoint,
    organization: Organization,
    clock: Arc<TestClock>,
    quota: Quota,
    engine: Sordino,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Device {
    fn new() -> Self {
        Self::with(folder(), plan(1), Quota::default())
    }

    fn with(folder: TempDir, plan: Plan, quota: Quota) -> Self {
        let off = Off {
            folder,
            collector: "https://collector.example".parse().unwrap(),
            organization: Organization::new(),
            clock: Arc::new(TestClock::new()),
            quota,
            events: Arc::default(),
        };
        let device = off.on();
        let plan = device.organization.sign(plan);
        device.engine.install_plan(&plan).unwrap();
        device
    }

    /// The process ends.
    fn off(self) -> Off {
        drop(self.engine);
        Off {
            folder: self.folder,
            collector: self.collector,
            organization: self.organization,
            clock: self.clock,
            quota: self.quota,
            events: self.events,
        }
    }

    /// The process ends; `meanwhile` happens; it starts again.
    fn restart(self, meanwhile: impl FnOnce(&TestClock)) -> Self {
        let off = self.off();
        meanwhile(&off.clock);
        off.on()
    }

    fn says(&self, purposes: impl Into<Purposes>) -> Id {
        self.says_as(purposes, AgeBand::Adult)
    }

    /// The collector may know `record` from now on.
    fn mark_offered(&self, record: Id) {
        let inner = self.engine.inner().unwrap();
        let marked = inner
            .consent
            .mark_offered(record, 1, inner.protocol.endpoint());
        assert!(marked.unwrap());
    }

    /// The collector may have `sample` from now on.
    fn mark_sent(&self, sample: Id) {
        let inner = self.engine.inner().unwrap();
        let marked = inner.outbox.mark_offered(sample, inner.protocol.endpoint());
        assert!(marked.unwrap().is_some());
    }

    fn try_says_as(&self, purposes: &Purposes, age: AgeBand) -> Option<Result<Id, Error>> {
        let notice = notice(self.engine.plan()?.notice_version);
        let said = self
            .engine
            .give_consent(&response(purposes.clone(), age, None, &notice));
        Some(said.map(|receipt| receipt.content().id))
    }

    fn says_as(&self, purposes: impl Into<Purposes>, age: AgeBand) -> Id {
        let notice = notice(self.engine.plan().unwrap().notice_version);
        let receipt = self
            .engine
            .give_consent(&response(purposes, age, None, &notice));
        receipt.unwrap().content().id
    }

    /// Queues a sample as the engine does, without audio.
    fn queue(&self) -> Result<Id, Error> {
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

    /// Listens with consent, and a mark that was chosen half a second into the sound.
    fn marked_after_half_a_second(&self) -> (PcmWriter, CaptureSession, mpsc::Receiver<()>) {
        self.says(QA);
        let (mut feed, source) = pcm_channel(48_000, 1).unwrap();
        let (heard, is_heard) = mpsc::channel();
        let listening = self.engine.listen(source, move |_| heard.send(()).unwrap());
        let listening = listening.unwrap();
        assert_eq!(feed.push(&[0.1_f32; 24_000]), 0);
        is_heard.recv().unwrap();
        let marked = self.engine.mark(Moment::default());
        assert!(matches!(marked, Ok(MarkOutcome::Selected)), "{marked:?}");
        (feed, listening, is_heard)
    }

    fn state_of(&self, sample: Id) -> SampleState {
        self.engine
            .inner()
            .unwrap()
            .outbox
            .entry(sample)
            .unwrap()
            .state
    }

    fn file(&self, sample: Id) -> std::path::PathBuf {
        self.engine.inner().unwrap().outbox.path(sample)
    }

    fn was_told(&self, event: &Event) -> bool {
        self.events.lock().unwrap().contains(event)
    }
}

/// A device whose process has ended.
struct Off {
    folder: TempDir,
    collector: Endpoint,
    organization: Organization,
    clock: Arc<TestClock>,
    quota: Quota,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Off {
    /// With what its app opens it.
    fn config(&self) -> Config {
        let collector = self.collector.clone();
        Config {
            quota: self.quota,
            clock: self.clock.clone(),
            ..Config::new(self.folder.path(), self.organization.key(), collector)
        }
    }

    fn on(self) -> Device {
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

#[test]
fn a_withdrawal_shreds_queued_and_deletes_sent_samples() {
    let device = Device::new();
    device.says(both());
    let (waits, offered) = (device.queue().unwrap(), device.queue().unwrap());
    device.mark_sent(offered);
    let withdrawal = device.engine.withdraw(None).unwrap();
    assert_eq!((withdrawal.shredded, withdrawal.deletions_pending), (2, 1));
    assert!(!device.file(waits).exists() && !device.file(offered).exists());
    assert_eq!(device.state_of(waits), SampleState::Deleted);
    assert_eq!(device.state_of(offered), SampleState::DeletionAsked);
    assert!(device.was_told(&Event::Consent(ConsentState::Withdrawn)));
    assert!(device.queue().is_err());
}

#[test]
fn withdrawal_is_accepted_in_every_state_and_twice() {
    let device = Device::new();
    device.engine.withdraw(None).unwrap();
    device.engine.withdraw(Some(QA)).unwrap();
    device.says_as(QA, AgeBand::Child);
    device.engine.withdraw(Some(RESEARCH)).unwrap();
    device.engine.withdraw(None).unwrap();
    assert!(device.engine.approve(GuardianMethod::SignedForm).is_err());
    device.says(both());
    device.clock.advance(days(400));
    device.engine.withdraw(None).unwrap();
    device.engine.withdraw(None).unwrap();
    assert_eq!(
        device.engine.consent().unwrap().state,
        ConsentState::Withdrawn
    );
}

#[test]
fn a_new_record_revokes_the_earlier_one_and_drops_its_samples() {
    let device = Device::new();
    device.says(QA);
    let held = device.engine.grants().unwrap();
    let sample = device.queue().unwrap();
    device.says_as(QA, AgeBand::Child);
    assert!(!held.is_live());
    assert_eq!(device.state_of(sample), SampleState::Dropped);
    assert!(!device.file(sample).exists());
    assert!(device.was_told(&Event::Dropped(sample)));
    assert!(device.engine.next_upload_task().unwrap().is_none());
}

#[test]
fn consent_at_the_maximum_timestamp_does_not_panic() {
    let device = Device::new();
    device.clock.set(jiff::Timestamp::MAX);
    let notice = notice(1);
    let said = device
        .engine
        .give_consent(&response(QA, AgeBand::Adult, None, &notice));
    assert!(said.is_ok() && device.engine.next_upload_task().is_ok());
}

#[test]
fn samples_of_expired_consent_are_dropped_and_reported() {
    let device = Device::new();
    device.says(QA);
    let sample = device.queue().unwrap();
    device.clock.advance(days(365));
    assert!(device.engine.next_upload_task().unwrap().is_none());
    assert_eq!(device.state_of(sample), SampleState::Dropped);
    assert!(!device.file(sample).exists());
    assert!(device.was_told(&Event::Dropped(sample)));
}

#[test]
fn a_paused_or_expired_plan_sends_only_withdrawals() {
    for expires in [false, true] {
        let device = Device::new();
        device.says(both());
        device.queue().unwrap();
        let task = device.engine.next_upload_task().unwrap().unwrap().task;
        assert_eq!(task.kind, crate::upload::TaskKind::FetchPlan);
        let mut next = device.engine.plan().unwrap();
        next.version = 2;
        next.paused = !expires;
        next.expires = "2026-03-03".parse().unwrap();
        let next = device.organization.sign(next);
        device.engine.install_plan(&next).unwrap();
        device.clock.advance(days(i64::from(expires)));
        assert!(device.engine.sampling_blocked().unwrap().is_some());
        assert!(device.engine.next_upload_task().unwrap().is_none());
        // The record was never offered, so there is no one to notify.
        device.engine.withdraw(None).unwrap();
        assert!(device.engine.next_upload_task().unwrap().is_none());
    }
}

#[test]
fn plans_are_never_downgraded_or_changed() {
    let device = Device::with(folder(), plan(5), Quota::default());
    let install = |plan| device.engine.install_plan(&device.organization.sign(plan));
    assert!(install(plan(4)).is_err());
    assert!(install(plan(5)).is_err(), "another recipient");
    assert!(
        device
            .engine
            .install_plan(&Organization::new().sign(plan(6)))
            .is_err()
    );
    let mut expired = plan(7);
    expired.expires = "2026-03-02".parse().unwrap();
    assert!(install(expired).is_err());
    let device = device.restart(|_| {});
    assert_eq!(device.engine.plan().unwrap().version, 5);
    assert!(
        device
            .engine
            .install_plan(&device.organization.sign(plan(4)))
            .is_err()
    );
}

#[test]
fn a_sample_whose_file_was_lost_is_reported_at_the_next_start() {
    let device = Device::new();
    device.says(QA);
    let sample = device.queue().unwrap();
    let path = device.file(sample);
    let device = device.restart(|_| std::fs::remove_file(path).unwrap());
    assert!(device.was_told(&Event::Dropped(sample)));
    assert_eq!(device.state_of(sample), SampleState::Dropped);
}

#[test]
fn an_abandoned_mark_is_reported() {
    let device = Device::new();
    let (feed, listening, _heard) = device.marked_after_half_a_second();
    // That is not a clip.
    drop(feed);
    listening.wait().unwrap();
    assert!(device.was_told(&Event::Withheld(WithheldReason::TooShort)));
}

#[test]
fn a_mark_abandoned_by_a_withdrawal_is_reported() {
    let device = Device::new();
    let (mut feed, listening, _heard) = device.marked_after_half_a_second();
    device.engine.withdraw(None).unwrap();
    assert_eq!(feed.push(&[0.1_f32; 24_000]), 0);
    drop(feed);
    listening.wait().unwrap();
    assert!(device.was_told(&Event::Withheld(WithheldReason::NoConsent)));
}

#[test]
fn a_panicking_callback_discards_audio_and_keeps_the_engine_usable() {
    let device = Device::new();
    device.says(QA);
    for _ in 0..2 {
        let (mut feed, source) = pcm_channel(48_000, 1).unwrap();
        let listening = device.engine.listen(source, |_| panic!("the app's defect"));
        let listening = listening.unwrap();
        assert_eq!(feed.push(&[0.1_f32; 4_800]), 0);
        assert!(matches!(listening.wait(), Err(Error::Panicked)));
        assert!(device.engine.inner().unwrap().sampler().is_none());
    }
}

#[test]
fn a_callback_that_never_returns_does_not_block_stop() {
    let device = Device::new();
    device.says(QA);
    let (mut feed, source) = pcm_channel(48_000, 1).unwrap();
    let (free, is_free) = mpsc::channel::<()>();
    let (called, is_called) = mpsc::channel();
    let mut is_free = Some(is_free);
    let listening = device.engine.listen(source, move |_| {
        if let Some(is_free) = is_free.take() {
            called.send(()).unwrap();
            let _ = is_free.recv();
        }
    });
    let listening = listening.unwrap();
    assert_eq!(feed.push(&[0.1_f32; 4_800]), 0);
    is_called.recv().unwrap();
    assert!(matches!(listening.stop(), Err(Error::ListenerBlocked)));
    // Nothing is held meanwhile, and everything but listening continues.
    assert!(device.engine.mark(Moment::default()).is_err());
    device.engine.withdraw(None).unwrap();
    let (_feed, source) = pcm_channel(48_000, 1).unwrap();
    let again = device.engine.listen(source, |_| {});
    assert!(matches!(again, Err(Error::AlreadyListening)));
    // Once it returns, the engine can listen again.
    drop(free);
    while device.engine.inner().unwrap().sampler().is_some() {
        std::thread::yield_now();
    }
    let (feed, source) = pcm_channel(48_000, 1).unwrap();
    let listening = device.engine.listen(source, |_| {}).unwrap();
    drop(feed);
    listening.wait().unwrap();
}

#[test]
fn concurrent_sampling_and_withdrawal_leaves_no_sample() {
    for _ in 0..sized(10, 300) {
        let device = Device::new();
        device.says(both());
        thread::scope(|scope| {
            let (queued, is_queued) = mpsc::channel();
            for _ in 0..2 {
                let queued = queued.clone();
                let device = &device;
                scope.spawn(move || {
                    while match device.queue() {
                        Ok(sample) => queued.send(sample).is_ok(),
                        Err(Error::Outbox(OutboxError::Withdrawn) | Error::Consent(_)) => false,
                        Err(error) => panic!("{error}"),
                    } {}
                });
            }
            // Both are at it, whatever the machine's speed; each continues until it hears of the withdrawal.
            for _ in 0..4 {
                is_queued.recv().unwrap();
            }
            device.engine.withdraw(None).unwrap();
        });
        let status = device.engine.status().unwrap();
        assert_eq!((status.pending, status.deletions_pending), (0, 0));
        let files = std::fs::read_dir(device.folder.path().join("outbox")).unwrap();
        assert_eq!(files.count(), 0);
    }
}

#[test]
fn without_consent_a_submitted_clip_is_withheld() {
    use crate::sampler::{Annotation, RawClip, Selection, Trigger};

    let device = Device::new();
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    let clip = RawClip::new(vec![0.1; 96_000], 48_000, selection, Annotation::default());
    let offer = device.engine.submit(clip.unwrap()).unwrap();
    let reason = crate::WithheldReason::NoConsent;
    assert_eq!(offer, SubmitOutcome::Withheld { reason });
    assert!(device.engine.next_upload_task().unwrap().is_none());
}
