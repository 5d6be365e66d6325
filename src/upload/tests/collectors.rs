//! Several collectors, restored collectors, and other servers.

use super::*;

#[test]
fn withdrawals_go_to_the_collector_that_has_the_samples() {
    let device = Device::new();
    let sent = device.send();
    device.finish(&sent, answered(201));
    let elsewhere: Endpoint = "https://elsewhere.example".parse().unwrap();
    let device = device.restarted(elsewhere.clone());
    device.finish(
        &TaskKind::FetchPlan.for_collector(&elsewhere),
        answered(304),
    );
    // Consent is valid, as far as the first one knows; so the new collector is notified as well.
    let confirmation = device.next().unwrap().task;
    assert!(matches!(confirmation.kind, TaskKind::Confirm { .. }));
    assert_eq!(confirmation.collector, collector());
    assert!(device.next().is_none(), "nothing goes meanwhile");
    device.finish(&confirmation, answered(200));
    let registration = device.next().unwrap().task;
    assert!(matches!(registration.kind, TaskKind::Register { .. }));
    assert_eq!(registration.collector, elsewhere);
    device.finish(&registration, answered(201));

    device.withdraw(both());
    let mut due = Vec::new();
    while let Some(request) = device.next() {
        assert!(request.url.starts_with(&request.task.collector.to_string()));
        due.extend(
            Some(request.task).filter(|task| matches!(task.kind, TaskKind::Withdraw { .. })),
        );
    }
    assert_eq!(due.len(), 2);
    // Only the collector that has the sample can confirm its deletion.
    for task in due.iter().filter(|task| task.collector == elsewhere) {
        device.finish(task, answered(200));
    }
    assert_eq!(device.state_of_sample(), SampleState::DeletionAsked);
    for task in due.iter().filter(|task| task.collector == collector()) {
        device.finish(task, answered(200));
    }
    assert_eq!(device.state_of_sample(), SampleState::Deleted);
    assert!(device.consent.withdrawals_due().unwrap().is_empty());
}

#[test]
fn a_vanished_collector_delays_uploads_at_most_two_days() {
    let elsewhere: Endpoint = "https://elsewhere.example".parse().unwrap();
    let device = Device::new().restarted(elsewhere.clone());
    device.finish(
        &TaskKind::FetchPlan.for_collector(&elsewhere),
        answered(304),
    );
    let began = device.clock.now();
    loop {
        device.wait_until_due();
        let task = device.next().unwrap().task;
        if task.collector == elsewhere {
            assert!(matches!(task.kind, TaskKind::Register { .. }));
            break;
        }
        device.finish(&task, UploadResult::Unreachable("no such host".to_owned()));
    }
    let waited = device.clock.now().duration_since(began);
    assert!(waited > SignedDuration::from_hours(6) && waited < SignedDuration::from_hours(6 * 20));
}

#[test]
fn a_new_epoch_repeats_every_withdrawal() {
    let epoch = |number: u8| [(EPOCH_HEADER, format!("{number:032x}"))];
    let respond = |device: &Device, number: u8, status: u16, task: &UploadTask| {
        let headers = epoch(number);
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        device.finish(task, answered_with(status, &headers))
    };
    let device = Device::new();
    let sent = device.send();
    respond(&device, 1, 201, &sent);
    device.outbox.delete(device.sample).unwrap();
    let deletion = device.next().unwrap().task;
    respond(&device, 1, 204, &deletion);
    device.withdraw(RESEARCH);
    let withdrawal = device.next().unwrap().task;
    respond(&device, 1, 200, &withdrawal);
    let registration = device.next().unwrap().task;
    respond(&device, 1, 200, &registration);
    assert!(device.next().is_none());

    let plan = TaskKind::FetchPlan.for_collector(&collector());
    respond(&device, 2, 304, &plan);
    let mut again = Vec::new();
    while let Some(request) = device.next() {
        again.push(request.task.clone());
        respond(&device, 2, 200, &request.task);
    }
    assert_eq!(again, [withdrawal, deletion, registration]);
    respond(&device, 2, 304, &plan);
    assert!(device.next().is_none());

    // A collector that names another epoch in each response does not cause endless requests.
    let mut requests = 0;
    for number in 3..100 {
        respond(&device, number, 304, &plan);
        while let Some(request) = device.next() {
            requests += 1;
            respond(&device, number, 200, &request.task);
        }
    }
    assert!(requests <= 3 * 5, "{requests}");
}

#[test]
fn responses_of_other_servers_are_ignored() {
    for status in [200, 201, 204, 403, 404, 410] {
        let device = Device::new();
        let task = device.send();
        let portal = HttpResponse {
            status,
            body: b"<html>Welcome to our Wi-Fi".to_vec(),
            ..HttpResponse::default()
        };
        let finished = device.finish(&task, UploadResult::Response(portal));
        assert!(matches!(finished, TaskStatus::Retry { .. }));
        assert_eq!(device.state_of_sample(), SampleState::Pending);
    }
}
