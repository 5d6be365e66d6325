//! A crash at each write of each operation of the person.

use jiff::SignedDuration;

use super::{
    Device,
    collector::{FakeCollector, InFlight},
};
use crate::{
    Error, Purposes,
    consent::{AgeBand, ConsentState},
    outbox::{Quota, SampleState},
    testing::{QA, both, crash, folder, plan},
    upload::{TaskKind, UploadResult},
};

/// Calls `what` with a crash at every write in turn, with and without a power cut, until it completes
/// without one. Passes to `check` the restarted device and whether the call had returned
/// success. Returns the number of writes at which it crashed.
fn crashing_everywhere<T>(
    prepare: impl Fn(&Device),
    what: impl Fn(&Device) -> Result<T, Error>,
    check: impl Fn(&Device, bool),
) -> u32 {
    for write in 1.. {
        for loses_power in [false, true] {
            crash::with_power_cuts();
            let device = Device::with(folder(), plan(1), Quota::default());
            prepare(&device);
            crash::after(write);
            let is_done = what(&device).is_ok();
            let has_crashed = crash::has_come();
            let device = device.restart(|_| crash::restart(loses_power));
            check(&device, is_done);
            if !has_crashed {
                return write - 1;
            }
        }
    }
    unreachable!("a call writes a finite number of times")
}

#[test]
fn a_withdrawal_is_atomic_and_durable() {
    let crashes = crashing_everywhere(
        |device| {
            device.consent_to(both());
            device.queue().unwrap();
            let offered = device.queue().unwrap();
            device.mark_sent(offered);
        },
        |device| device.engine.withdraw(None),
        |device, is_done| {
            let status = device.engine.status().unwrap();
            let samples = device.engine.samples().unwrap();
            let files = samples
                .iter()
                .filter(|entry| device.file(entry.id).exists());
            match status.consent {
                ConsentState::Withdrawn => {
                    assert_eq!((status.pending, status.deletions_pending), (0, 1));
                    assert_eq!(files.count(), 0);
                }
                ConsentState::Granted => {
                    assert!(!is_done, "taken, and yet not held");
                    assert_eq!(status.pending, files.count());
                }
                state => panic!("{state}"),
            }
        },
    );
    // The rename of the revocation record, the transaction, two files shredded: less would mean that nothing was hit.
    assert!(crashes > 6, "{crashes}");
}

#[test]
fn a_partial_withdrawal_is_atomic() {
    crashing_everywhere(
        |device| {
            device.consent_to(both());
            device.queue().unwrap();
        },
        |device| device.engine.withdraw(Some(QA)),
        |device, is_done| {
            let purposes = device.engine.status().unwrap().purposes;
            let sample = &device.engine.samples().unwrap()[0];
            assert_eq!(sample.state, SampleState::Pending);
            assert_eq!(sample.purposes, purposes);
            assert!(purposes == both() && !is_done || !purposes.contains(QA));
        },
    );
}

#[test]
fn consent_is_atomic() {
    for age in [AgeBand::Adult, AgeBand::Child] {
        let crashes = crashing_everywhere(
            |_| {},
            |device| {
                let result = device.try_consent_as(&both(), age);
                result.unwrap_or(Err(Error::SourceNotOpened))
            },
            |device, is_done| {
                let status = device.engine.consent().unwrap();
                let whole = match age {
                    AgeBand::Adult => ConsentState::Granted,
                    _ => ConsentState::AwaitingGuardian,
                };
                assert!(status.state == whole || !is_done && status.state == ConsentState::None);
                assert!(status.purposes == both() || status.purposes == Purposes::default());
                // A withdrawal revokes it in any case.
                device.engine.withdraw(None).unwrap();
                assert!(device.engine.grants().is_err());
            },
        );
        assert!(crashes > 6, "{crashes}");
    }
}

#[test]
fn a_deletion_is_atomic() {
    crashing_everywhere(
        |device| {
            device.consent_to(both());
            device.queue().unwrap();
            device.queue().unwrap();
        },
        |device| device.engine.delete_all(),
        |device, is_done| {
            let samples = device.engine.samples().unwrap();
            let is_deleted = samples[0].state == SampleState::Deleted;
            assert!(is_deleted || !is_done);
            for sample in samples {
                assert_eq!(sample.state == SampleState::Deleted, is_deleted);
                assert_ne!(device.file(sample.id).exists(), is_deleted);
            }
        },
    );
}

#[test]
fn queueing_a_sample_is_atomic() {
    crashing_everywhere(
        |device| {
            device.consent_to(both());
        },
        Device::queue,
        |device, is_done| {
            let status = device.engine.status().unwrap();
            assert!(status.pending == 1 || !is_done);
            let files = std::fs::read_dir(device.folder.path().join("outbox")).unwrap();
            assert_eq!(files.count(), status.pending);
        },
    );
}

/// The store and its consent may be lost, but not the withdrawals of registered records.
#[test]
fn an_interrupted_reset_loses_no_withdrawal() {
    for write in 1..40 {
        for loses_power in [false, true] {
            crash::with_power_cuts();
            let device = Device::new();
            let record = device.consent_to(both());
            device.queue().unwrap();
            device.mark_offered(record);
            let folder = device.folder.path().to_owned();
            let clock: std::sync::Arc<dyn crate::Clock> = device.clock.clone();
            let mut is_done = false;
            let device = device.restart(|_| {
                crash::after(write);
                is_done = crate::Sordino::reset_by(&folder, &clock).is_ok();
                crash::restart(loses_power);
                if !is_done {
                    // It is repeated, as after any failure.
                    let _ = crate::Sordino::reset_by(&folder, &clock);
                }
            });
            let state = device.engine.consent().unwrap().state;
            assert_ne!(state, ConsentState::Granted, "write {write}");
            let due = device.engine.status().unwrap().deletions_pending;
            assert_eq!(due, 1, "write {write}");
            let request = device.engine.next_upload_task().unwrap().unwrap();
            assert!(matches!(
                request.task.kind,
                crate::upload::TaskKind::Withdraw { .. }
            ));
        }
    }
}

/// The collector knew no record to withdraw, then the registration arrived, and the app crashed on the
/// response: the device only knows that the registration was in flight.
#[test]
fn a_late_registration_is_withdrawn_after_a_lost_response() {
    let device = Device::new();
    let record = device.consent_to(QA);
    let mut collector = FakeCollector::new();
    let take = |device: &Device| {
        let request = device.engine.next_upload_task().unwrap();
        request.map(|request| InFlight::read(&request, 0))
    };
    let registration = std::iter::from_fn(|| take(&device))
        .find(|request| matches!(request.task.kind, TaskKind::Register { .. }))
        .unwrap();
    device.engine.withdraw(None).unwrap();
    let withdrawal = take(&device).unwrap();
    let answer = collector.receive(&withdrawal);
    assert_eq!(answer.status, 404);
    let answered = UploadResult::Response(answer);
    device
        .engine
        .process_upload_result(&withdrawal.task, answered)
        .unwrap();

    let answered = UploadResult::Response(collector.receive(&registration));
    crash::after(1);
    assert!(
        device
            .engine
            .process_upload_result(&registration.task, answered)
            .is_err()
    );
    let device = device.restart(|_| crash::restart(false));
    device.clock.advance(SignedDuration::from_hours(1));
    while let Some(request) = take(&device) {
        let answered = UploadResult::Response(collector.receive(&request));
        device
            .engine
            .process_upload_result(&request.task, answered)
            .unwrap();
    }
    assert!(collector.records[&record].granted.is_empty());
}

#[test]
fn creating_a_device_is_atomic_or_can_be_repeated() {
    for write in 1..60 {
        for loses_power in [false, true] {
            crash::with_power_cuts();
            let folder = folder();
            let open = || {
                let collector = "https://collector.example".parse().unwrap();
                let key = "e1fa6e530500a82d17cef943aa5509b894b5df0ecc08ba4c996369d889e6df7c";
                crate::Sordino::open(crate::Config::new(
                    folder.path(),
                    key.parse().unwrap(),
                    collector,
                ))
            };
            crash::after(write);
            drop(open());
            crash::restart(loses_power);
            let again = open().unwrap_or_else(|error| panic!("write {write}: {error}"));
            assert_eq!(again.consent().unwrap().state, ConsentState::None);
        }
    }
}
