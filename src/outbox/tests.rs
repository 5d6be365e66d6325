use std::{fs, path::Path, sync::Arc};

use tempfile::TempDir;

use super::{Outbox, OutboxError, Quota, SampleState};
use crate::{
    Id, Purposes,
    consent::{AgeBand, ConsentStore, Grants},
    plan::Plan,
    sampler::budget,
    seal::SealedSample,
    state::{State, StateError},
    testing::{QA, TestClock, both, days, notice, plan, response, terms},
};

struct Device {
    folder: TempDir,
    clock: Arc<TestClock>,
    plan: Plan,
    state: Arc<State>,
    consent: ConsentStore,
    outbox: Outbox,
    lost: Vec<Id>,
}

impl Device {
    /// Its person has consented to both purposes.
    fn new(quota: Quota, plan: Plan) -> Self {
        let folder = crate::testing::folder();
        let device = Self::open(folder, Arc::new(TestClock::new()), quota, plan);
        let notice = notice(1);
        let yes = response(both(), AgeBand::Adult, None, &notice);
        let said = device
            .state
            .write(|txn| device.consent.record(txn, &yes, &terms(1)));
        said.unwrap();
        device
    }

    fn open(folder: TempDir, clock: Arc<TestClock>, quota: Quota, plan: Plan) -> Self {
        let state = Arc::new(State::open(folder.path(), clock.clone()).unwrap());
        let consent = ConsentStore::open(Arc::clone(&state)).unwrap();
        let (outbox, lost) = Outbox::open(Arc::clone(&state), quota).unwrap();
        Self {
            folder,
            clock,
            plan,
            state,
            consent,
            outbox,
            lost,
        }
    }

    /// The process dies; `meanwhile` happens to its folder and its clock; it starts again.
    fn crash(self, meanwhile: impl FnOnce(&Path, &TestClock)) -> Self {
        let Self {
            folder,
            clock,
            plan,
            state,
            consent,
            outbox,
            ..
        } = self;
        let quota = outbox.quota;
        drop((consent, outbox, state));
        meanwhile(&folder.path().join("outbox"), &clock);
        Self::open(folder, clock, quota, plan)
    }

    fn grants(&self) -> Grants {
        self.consent.grants(&terms(1)).unwrap()
    }

    fn sealed(&self, bytes: usize) -> SealedSample {
        SealedSample::for_test(self.grants().record(), both(), vec![0xC5; bytes])
    }

    fn queue(&self, bytes: usize) -> Result<(Id, Vec<Id>), OutboxError> {
        let queued = self
            .outbox
            .enqueue(self.sealed(bytes), &self.grants(), &self.plan)?;
        Ok((queued.sample, queued.dropped))
    }

    fn state_of(&self, sample: Id) -> SampleState {
        self.outbox.entry(sample).unwrap().state
    }

    fn files(&self) -> Vec<String> {
        let folder = self.folder.path().join("outbox");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        files
    }
}

fn file_of(sample: Id) -> String {
    format!("{sample}.age")
}

#[test]
fn a_queued_sample_and_only_its_file_survive_a_crash() {
    let device = Device::new(Quota::default(), plan(1));
    let (sample, _) = device.queue(1_000).unwrap();
    let device = device.crash(|_, _| {});
    assert_eq!(device.state_of(sample), SampleState::Pending);
    assert_eq!(device.files(), [file_of(sample)]);
    assert_eq!(
        fs::read(device.outbox.path(sample)).unwrap(),
        vec![0xC5; 1_000]
    );
    assert!(device.lost.is_empty());
}

#[test]
fn leftovers_of_a_crash_are_removed() {
    let device = Device::new(Quota::default(), plan(1));
    let (sample, _) = device.queue(10).unwrap();
    let orphan = Id::random().unwrap();
    let device = device.crash(|folder, _| {
        // Renamed but not entered; not yet renamed; something else.
        fs::write(folder.join(file_of(orphan)), b"whole").unwrap();
        fs::write(folder.join(format!("{orphan}.unfinished")), b"ha").unwrap();
        fs::write(folder.join("notes.txt"), b"?").unwrap();
    });
    assert_eq!(device.files(), [file_of(sample)]);
    assert!(matches!(
        device.outbox.entry(orphan),
        Err(OutboxError::Unknown(_))
    ));
}

#[test]
fn an_ended_sample_is_shredded_after_a_crash() {
    let device = Device::new(Quota::default(), plan(1));
    let (sample, _) = device.queue(10).unwrap();
    device.outbox.sent(sample).unwrap();
    let device = device.crash(|folder, _| fs::write(folder.join(file_of(sample)), b"x").unwrap());
    assert!(device.files().is_empty());
    assert_eq!(device.state_of(sample), SampleState::Sent);
}

#[test]
fn a_lost_file_is_reported_and_its_deletion_requested() {
    let device = Device::new(Quota::default(), plan(1));
    let (never_sent, _) = device.queue(10).unwrap();
    let (maybe_sent, _) = device.queue(10).unwrap();
    device
        .outbox
        .mark_offered(maybe_sent, &collector())
        .unwrap()
        .unwrap();
    let device = device.crash(|folder, _| {
        for sample in [never_sent, maybe_sent] {
            fs::remove_file(folder.join(file_of(sample))).unwrap();
        }
    });
    assert_eq!(device.lost, [never_sent, maybe_sent]);
    assert_eq!(device.state_of(never_sent), SampleState::Dropped);
    assert_eq!(device.state_of(maybe_sent), SampleState::DeletionAsked);
}

#[test]
fn a_full_queue_drops_and_reports_its_oldest_sample() {
    for quota in [
        Quota {
            samples: 3,
            bytes: u64::MAX,
        },
        Quota {
            samples: usize::MAX,
            bytes: 35,
        },
    ] {
        let device = Device::new(quota, plan(1));
        let mut all = Vec::new();
        let mut reported = Vec::new();
        for _ in 0..7 {
            let (sample, dropped) = device.queue(10).unwrap();
            all.push(sample);
            reported.extend(dropped);
        }
        assert_eq!(reported, all[..4]);
        assert!(
            reported
                .iter()
                .all(|&sample| device.state_of(sample) == SampleState::Dropped)
        );
        let mut left: Vec<_> = all[4..].iter().map(|&sample| file_of(sample)).collect();
        left.sort();
        assert_eq!(device.files(), left);
    }
}

#[test]
fn a_sample_larger_than_the_quota_is_dropped_and_reported() {
    let device = Device::new(
        Quota {
            samples: 9,
            bytes: 5,
        },
        plan(1),
    );
    let (sample, dropped) = device.queue(6).unwrap();
    assert_eq!(dropped, [sample]);
    assert!(device.files().is_empty());
}

#[test]
fn the_budget_survives_restarts_and_clock_changes() {
    let mut small = plan(1);
    small.samples_per_day = 2;
    let device = Device::new(Quota::default(), small);
    device.queue(10).unwrap();
    let device = device.crash(|_, _| {});
    device.queue(10).unwrap();
    assert!(!budget::has_budget(&device.state, &device.plan).unwrap());
    assert!(matches!(device.queue(10), Err(OutboxError::Budget)));
    for jump in [-1, -365] {
        device.clock.advance(days(jump));
        assert!(matches!(device.queue(10), Err(OutboxError::Budget)));
    }
    let device = device.crash(|_, clock| clock.advance(days(-30)));
    assert!(matches!(device.queue(10), Err(OutboxError::Budget)));
    // And a clock that stays behind does not end sampling permanently.
    device.clock.advance(days(1));
    device.queue(10).unwrap();
}

#[test]
fn a_sample_that_is_over_the_budget_leaves_nothing_behind() {
    let mut small = plan(1);
    small.bytes_per_day = 100;
    let device = Device::new(Quota::default(), small);
    assert!(matches!(device.queue(101), Err(OutboxError::Budget)));
    assert!(device.files().is_empty());
    device.queue(100).unwrap();
}

#[test]
fn a_sample_without_consent_leaves_nothing_behind() {
    let device = Device::new(Quota::default(), plan(1));
    let (sealed, grants) = (device.sealed(10), device.grants());
    // Written, but not yet ended everywhere: the transaction itself must see it.
    let withdrawn = device
        .state
        .write(|txn| ConsentStore::withdraw(txn, |_| QA.into()));
    assert_eq!(withdrawn.unwrap().len(), 1);
    assert!(grants.is_live());
    let queued = device.outbox.enqueue(sealed, &grants, &device.plan);
    assert!(matches!(queued, Err(OutboxError::Withdrawn)));
    assert!(device.files().is_empty());
    assert!(device.outbox.entries().unwrap().is_empty());
}

#[test]
fn grants_of_another_record_queue_nothing() {
    let device = Device::new(Quota::default(), plan(1));
    let foreign = SealedSample::for_test(Id::random().unwrap(), Purposes::from(QA), vec![1]);
    let queued = device
        .outbox
        .enqueue(foreign, &device.grants(), &device.plan);
    assert!(matches!(queued, Err(OutboxError::Withdrawn)));
    assert!(device.files().is_empty());
}

#[test]
fn a_deleted_sample_is_never_offered() {
    let device = Device::new(Quota::default(), plan(1));
    let (sample, _) = device.queue(10).unwrap();
    let deleted = device.outbox.delete(sample).unwrap();
    assert_eq!(deleted.state, SampleState::Deleted);
    assert!(
        device
            .outbox
            .mark_offered(sample, &collector())
            .unwrap()
            .is_none()
    );
    assert!(device.outbox.entry(sample).unwrap().collectors.is_empty());
    assert!(device.files().is_empty());
}

#[test]
fn the_deletion_of_a_refused_sample_is_requested_too() {
    let device = Device::new(Quota::default(), plan(1));
    let (sample, _) = device.queue(10).unwrap();
    device
        .outbox
        .mark_offered(sample, &collector())
        .unwrap()
        .unwrap();
    device.outbox.refused(sample).unwrap();
    assert!(device.files().is_empty());
    assert_eq!(
        device.outbox.delete(sample).unwrap().state,
        SampleState::DeletionAsked
    );
}

#[test]
fn a_failed_write_is_an_error_and_charges_no_budget() {
    let mut small = plan(1);
    small.samples_per_day = 1;
    let device = Device::new(Quota::default(), small);
    // No permission stops root, but a folder that is not there does.
    let folder = device.folder.path().join("outbox");
    fs::remove_dir(&folder).unwrap();
    let queued = device.queue(10);
    assert!(matches!(
        queued,
        Err(OutboxError::State(StateError::Io {
            action: "write",
            ..
        }))
    ));
    assert!(device.outbox.entries().unwrap().is_empty());
    fs::create_dir(&folder).unwrap();
    device.queue(10).unwrap();
}

fn collector() -> crate::endpoint::Endpoint {
    "https://collector.example".parse().unwrap()
}
