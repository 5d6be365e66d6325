//! Withdrawals, by the person and from the collector.

use super::*;

#[test]
fn any_withdrawn_or_not_granted_response_withdraws_consent() {
    for kind in ["withdrawn", "not-granted"] {
        for status in [403, 410] {
            for purposes in [None, Some(both())] {
                for registers in [false, true] {
                    let device = match registers {
                        true => Device::unregistered(),
                        false => Device::new(),
                    };
                    let grants = device.grants().unwrap();
                    let task = device.next().unwrap().task;
                    let settled =
                        device.settled(&task, refused_for(status, kind, purposes.as_ref()));
                    assert!(settled.was_withdrawn);
                    assert!(matches!(settled.status, TaskStatus::Refused { .. }));
                    assert!(!grants.is_live() && device.grants().is_none());
                    assert!(!device.outbox.path(device.sample).exists());
                    // The collector is notified too: it may know only a part.
                    let next = device.next().unwrap().task;
                    assert!(matches!(next.kind, TaskKind::Withdraw { .. }));
                    device.finish(&next, answered(200));
                    assert!(device.is_idle_for_two_days());
                }
            }
        }
    }
}

#[test]
fn a_partial_withdrawal_from_the_collector_keeps_the_rest() {
    let device = Device::new();
    let task = device.send();
    let research = RESEARCH.into();
    let settled = device.settled(&task, refused_for(403, "not-granted", Some(&research)));
    assert!(settled.was_withdrawn);
    assert!(matches!(settled.status, TaskStatus::Retry { .. }));
    assert_eq!(device.grants().unwrap().purposes(), QA.into());
    let entry = device.outbox.entry(device.sample).unwrap();
    assert_eq!(
        (entry.state, entry.purposes),
        (SampleState::Pending, QA.into())
    );
}

#[test]
fn a_withdrawal_is_repeated_until_acknowledged() {
    let device = Device::new();
    device.withdraw(both());
    let is_due = || !device.consent.withdrawals_due().unwrap().is_empty();
    for outcome in [
        UploadResult::Unreachable(String::new()),
        answered(500),
        answered(403),
        answered(410),
        answered(304),
        UploadResult::Response(HttpResponse {
            status: 200,
            ..HttpResponse::default()
        }),
    ] {
        let request = device.next().unwrap();
        assert!(matches!(request.task.kind, TaskKind::Withdraw { .. }));
        device.finish(&request.task, outcome);
        assert!(is_due());
        assert!(device.wait_until_due() <= MAX_BACKOFF);
    }
    let request = device.next().unwrap();
    device.finish(&request.task, answered(200));
    assert!(!is_due());
    assert!(device.is_idle_for_two_days());
}

#[test]
fn an_outdated_withdrawal_result_settles_no_samples() {
    let device = Device::new();
    device.send();
    device.withdraw(RESEARCH);
    let first = device.next().unwrap().task;
    device.withdraw(QA);
    assert_eq!(device.state_of_sample(), SampleState::DeletionAsked);
    // The collector has withdrawn one purpose only; it still holds the sample for the other.
    device.finish(&first, answered(200));
    assert_eq!(device.state_of_sample(), SampleState::DeletionAsked);
    let second = device.next().unwrap().task;
    assert!(matches!(&second.kind, TaskKind::Withdraw { purposes, .. } if purposes.contains(QA)));
    device.finish(&second, answered(200));
    assert_eq!(device.state_of_sample(), SampleState::Deleted);
}

#[test]
fn a_registration_after_the_withdrawal_is_withdrawn() {
    for purposes in [both(), QA.into()] {
        let device = Device::unregistered();
        let registration = device.next().unwrap();
        device.withdraw(purposes);
        let withdrawal = device.next().unwrap();
        // The withdrawal arrived first, when the collector did not know the record.
        device.finish(&withdrawal.task, answered(404));
        device.finish(&registration.task, answered(201));
        assert_eq!(device.next().unwrap().task, withdrawal.task);
        device.finish(&withdrawal.task, answered(200));
        let next = device.next().map(|request| request.task.kind);
        assert!(matches!(
            next,
            None | Some(TaskKind::Register { revision: 2, .. })
        ));
    }
}

#[test]
fn a_narrowed_sample_is_sent_for_the_remaining_purposes() {
    let device = Device::new();
    device.withdraw(RESEARCH);
    let withdrawal = device.next().unwrap();
    device.finish(&withdrawal.task, answered(200));
    let registration = device.next().unwrap();
    assert!(matches!(
        registration.task.kind,
        TaskKind::Register { revision: 2, .. }
    ));
    device.finish(&registration.task, answered(200));
    let request = device.next().unwrap();
    assert!(matches!(&request.body, Body::File(path) if path.exists()));
    let purposes = request
        .headers
        .iter()
        .find(|(name, _)| name == "sordino-purposes");
    assert_eq!(purposes.unwrap().1, "quality-assurance");
}

#[test]
fn revoked_grants_make_no_request_for_a_sample() {
    let device = Device::new();
    let grants = device.grants().unwrap();
    let entry = device.outbox.entry(device.sample).unwrap();
    let endpoint = device.protocol.endpoint();
    let file = device.outbox.path(device.sample);
    assert!(sample_request(endpoint, &grants, &entry, file.clone()).is_ok());
    device.withdraw(RESEARCH);
    assert!(sample_request(endpoint, &grants, &entry, file.clone()).is_err());
    // Live grants for fewer purposes than the sample's are not enough either.
    let narrower = device.grants().unwrap();
    assert!(sample_request(endpoint, &narrower, &entry, file).is_err());
    let scope = Scope::Samples {
        grants: &grants,
        plan_version: 1,
    };
    while let Some(request) = device
        .protocol
        .next(Some(scope), Urgency::Scheduled)
        .unwrap()
    {
        assert!(
            matches!(request.task.kind, TaskKind::Withdraw { .. }),
            "{:?}",
            request.task
        );
    }
}
