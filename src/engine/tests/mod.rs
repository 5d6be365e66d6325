//! The engine as a whole.

mod audit;
mod capture;
mod collector;
mod crashes;
mod device;
mod faults;
#[cfg(unix)]
mod fork;
mod freshness;
mod model;
mod review;
mod speed;
mod tampering;

use std::{
    sync::{Arc, mpsc},
    thread,
};

use test_tiers::sized;

use self::device::Device;
use super::{Config, Event, Sordino};
use crate::{
    Error, Id, SubmitOutcome,
    consent::{AgeBand, ConsentState, GuardianMethod},
    outbox::{OutboxError, Quota, SampleState},
    testing::{Organization, QA, RESEARCH, both, days, folder, notice, plan, response},
};

#[test]
fn a_withdrawal_shreds_queued_and_deletes_sent_samples() {
    let device = Device::new();
    device.consent_to(both());
    let (waits, offered) = (device.queue().unwrap(), device.queue().unwrap());
    device.mark_sent(offered);
    let withdrawal = device.engine.withdraw(None).unwrap();
    assert_eq!((withdrawal.shredded, withdrawal.deletions_pending), (2, 1));
    assert!(!device.file(waits).exists() && !device.file(offered).exists());
    assert_eq!(device.state_of(waits), SampleState::Deleted);
    assert_eq!(device.state_of(offered), SampleState::DeletionAsked);
    assert!(device.received(&Event::Consent(ConsentState::Withdrawn)));
    assert!(device.queue().is_err());
}

#[test]
fn withdrawal_is_accepted_in_every_state_and_twice() {
    let device = Device::new();
    device.engine.withdraw(None).unwrap();
    device.engine.withdraw(Some(QA)).unwrap();
    device.consent_as(QA, AgeBand::Child);
    device.engine.withdraw(Some(RESEARCH)).unwrap();
    device.engine.withdraw(None).unwrap();
    assert!(device.engine.approve(GuardianMethod::SignedForm).is_err());
    device.consent_to(both());
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
    device.consent_to(QA);
    let held = device.engine.grants().unwrap();
    let sample = device.queue().unwrap();
    device.consent_as(QA, AgeBand::Child);
    assert!(!held.is_live());
    assert_eq!(device.state_of(sample), SampleState::Dropped);
    assert!(!device.file(sample).exists());
    assert!(device.received(&Event::Dropped(sample)));
    assert!(device.engine.next_upload_task().unwrap().is_none());
}

#[test]
fn consent_at_the_maximum_timestamp_does_not_panic() {
    let device = Device::new();
    device.clock.set(jiff::Timestamp::MAX);
    let notice = notice(1);
    let result = device
        .engine
        .give_consent(&response(QA, AgeBand::Adult, None, &notice));
    assert!(result.is_ok() && device.engine.next_upload_task().is_ok());
}

#[test]
fn samples_of_expired_consent_are_dropped_and_reported() {
    let device = Device::new();
    device.consent_to(QA);
    let sample = device.queue().unwrap();
    device.clock.advance(days(365));
    assert!(device.engine.next_upload_task().unwrap().is_none());
    assert_eq!(device.state_of(sample), SampleState::Dropped);
    assert!(!device.file(sample).exists());
    assert!(device.received(&Event::Dropped(sample)));
}

#[test]
fn a_paused_or_expired_plan_sends_only_withdrawals() {
    for expires in [false, true] {
        let device = Device::new();
        device.consent_to(both());
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
    device.consent_to(QA);
    let sample = device.queue().unwrap();
    let path = device.file(sample);
    let device = device.restart(|_| std::fs::remove_file(path).unwrap());
    assert!(device.received(&Event::Dropped(sample)));
    assert_eq!(device.state_of(sample), SampleState::Dropped);
}

#[test]
fn concurrent_sampling_and_withdrawal_leaves_no_sample() {
    for _ in 0..sized(10, 300) {
        let device = Device::new();
        device.consent_to(both());
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
            // Both threads run, whatever the machine's speed; each continues until its grants are revoked.
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
