mod collectors;
mod waits;
mod withdrawals;

use std::sync::Arc;

use jiff::SignedDuration;
use tempfile::TempDir;

use super::{
    Body, EPOCH_HEADER, Endpoint, HttpResponse, PROTOCOL_HEADER, ProcessedResult, Protocol,
    Request, Scope, TaskKind, TaskStatus, UploadResult, UploadTask, Urgency, sample_request,
};
use crate::{
    Clock as _, Id, Purposes,
    consent::{AgeBand, ConsentStore, Grants},
    outbox::{Outbox, Quota, SampleState},
    seal::SealedSample,
    state::State,
    testing::{QA, RESEARCH, TestClock, both, notice, plan, response, terms},
};

const MAX_BACKOFF: SignedDuration = SignedDuration::from_hours(6);

/// A registered device with one waiting sample.
struct Device {
    _folder: TempDir,
    clock: Arc<TestClock>,
    state: Arc<State>,
    consent: Arc<ConsentStore>,
    outbox: Arc<Outbox>,
    protocol: Protocol,
    sample: Id,
}

impl Device {
    fn new() -> Self {
        let device = Self::unregistered();
        let request = device.next().unwrap();
        assert!(matches!(request.task.kind, TaskKind::Register { .. }));
        device.finish(&request.task, answered(201));
        device
    }

    fn unregistered() -> Self {
        let folder = crate::testing::folder();
        let clock = Arc::new(TestClock::new());
        let state = Arc::new(State::open(folder.path(), clock.clone()).unwrap());
        let consent = Arc::new(ConsentStore::open(Arc::clone(&state)).unwrap());
        let notice = notice(1);
        let granted = response(both(), AgeBand::Adult, None, &notice);
        state
            .write(|txn| consent.record(txn, &granted, &terms(1)))
            .unwrap();
        let (outbox, _) = Outbox::open(Arc::clone(&state), Quota::default()).unwrap();
        let outbox = Arc::new(outbox);
        let grants = consent.grants(&terms(1)).unwrap();
        let sealed = SealedSample::for_test(grants.record(), both(), vec![1; 100]);
        let sample = sealed.id();
        outbox.enqueue(sealed, &grants, &plan(1)).unwrap();
        let endpoint = collector();
        let protocol = Protocol::new(
            Arc::clone(&state),
            Arc::clone(&consent),
            Arc::clone(&outbox),
            endpoint,
        );
        let device = Self {
            _folder: folder,
            clock,
            state,
            consent,
            outbox,
            protocol,
            sample,
        };
        let request = device.next().unwrap();
        assert_eq!(request.task.kind, TaskKind::FetchPlan);
        device.finish(&request.task, answered(304));
        device
    }

    fn grants(&self) -> Option<Grants> {
        self.consent.grants(&terms(1)).ok()
    }

    fn next(&self) -> Option<Request> {
        self.due(&self.protocol)
    }

    fn due(&self, protocol: &Protocol) -> Option<Request> {
        let grants = self.grants();
        let scope = grants.as_ref().map(|grants| Scope::Samples {
            grants,
            plan_version: 1,
        });
        protocol.next(scope, Urgency::Scheduled).unwrap()
    }

    fn finish(&self, task: &UploadTask, result: UploadResult) -> TaskStatus {
        self.settled(task, result).status
    }

    fn settled(&self, task: &UploadTask, result: UploadResult) -> ProcessedResult {
        let plan = plan(1);
        self.protocol
            .process_result(task, result, Some(&plan), |_| Ok(()))
            .unwrap()
    }

    /// Takes the sample's request, which must be due.
    fn send(&self) -> UploadTask {
        let request = self.next().unwrap();
        let sample = self.sample;
        assert_eq!(request.task.kind, TaskKind::Send { sample });
        request.task
    }

    fn withdraw(&self, purposes: impl Into<Purposes>) {
        let purposes = purposes.into();
        self.consent.revoke_grants();
        let gone = self.state.write(|txn| {
            let withdrawn = ConsentStore::withdraw(txn, |_| purposes.clone())?;
            Ok::<_, super::ConsentError>(self.outbox.withdraw(txn, &withdrawn)?)
        });
        self.outbox.shred(&gone.unwrap());
    }

    fn state_of_sample(&self) -> SampleState {
        self.outbox.entry(self.sample).unwrap().state
    }

    /// The next request, without taking its task.
    fn peek(&self) -> Option<Request> {
        let due = self.next();
        if let Some(request) = &due {
            self.protocol.undo_hand_out(&request.task);
        }
        due
    }

    /// The same device after a restart, opened with `collector`.
    fn restarted(self, collector: Endpoint) -> Self {
        let protocol = Protocol::new(
            Arc::clone(&self.state),
            Arc::clone(&self.consent),
            Arc::clone(&self.outbox),
            collector,
        );
        Self { protocol, ..self }
    }

    /// The time until something is due, to the minute; at most two days.
    fn wait_until_due(&self) -> SignedDuration {
        self.wait_in_steps_of(SignedDuration::from_mins(1))
    }

    /// Whether nothing is due for two days: what is due once is still due at the next full hour.
    fn is_idle_for_two_days(&self) -> bool {
        self.wait_in_steps_of(SignedDuration::from_hours(1)) == SignedDuration::from_hours(48)
    }

    fn wait_in_steps_of(&self, step: SignedDuration) -> SignedDuration {
        let began = self.clock.now();
        while self.clock.now().duration_since(began) < SignedDuration::from_hours(48) {
            match self.peek().map(|request| request.task) {
                Some(task) if task.kind == TaskKind::FetchPlan => {
                    drop(self.finish(&task, answered(304)));
                }
                Some(_) => break,
                None => self.clock.advance(step),
            }
        }
        self.clock.now().duration_since(began)
    }
}

fn collector() -> Endpoint {
    "https://collector.example".parse().unwrap()
}

fn refused(status: u16, kind: &str) -> UploadResult {
    refused_for(status, kind, None)
}

fn refused_for(status: u16, kind: &str, purposes: Option<&Purposes>) -> UploadResult {
    let purposes = purposes.map(|purposes| purposes.iter().collect::<Vec<_>>());
    let document =
        serde_json::json!({"type": format!("urn:sordino:problem:{kind}"), "purposes": purposes});
    refused_with(status, &document.to_string())
}

fn refused_with(status: u16, document: &str) -> UploadResult {
    let UploadResult::Response(response) = answered(status) else {
        unreachable!()
    };
    UploadResult::Response(HttpResponse {
        body: document.as_bytes().to_vec(),
        ..response
    })
}

fn answered(status: u16) -> UploadResult {
    answered_with(status, &[])
}

fn answered_with(status: u16, headers: &[(&str, &str)]) -> UploadResult {
    let headers = headers.iter().chain(&[(PROTOCOL_HEADER, "1")]);
    UploadResult::Response(HttpResponse {
        status,
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: Vec::new(),
    })
}

#[test]
fn a_sample_goes_out_only_after_its_record_was_acknowledged() {
    let device = Device::unregistered();
    let registration = device.next().unwrap();
    assert!(matches!(
        registration.task.kind,
        TaskKind::Register { revision: 1, .. }
    ));
    assert!(device.next().is_none());
    device.finish(&registration.task, UploadResult::Unreachable(String::new()));
    device.wait_until_due();
    let registration = device.next().unwrap();
    device.finish(&registration.task, answered(200));
    let task = device.send();
    assert_eq!(device.finish(&task, answered(201)), TaskStatus::Done);
    assert_eq!(device.state_of_sample(), SampleState::Sent);
    assert!(!device.outbox.path(device.sample).exists());
}

#[test]
fn a_permanently_refused_sample_is_reported_and_not_resent() {
    for (status, kind) in [
        (403, "not-yours"),
        (409, "different-content"),
        (413, "too-large"),
        (422, "not-sealed"),
    ] {
        let device = Device::new();
        let task = device.send();
        let finished = device.finish(&task, refused(status, kind));
        assert!(
            matches!(finished, TaskStatus::Refused { status: refused, .. } if refused == status)
        );
        assert_eq!(device.state_of_sample(), SampleState::Refused);
        assert!(device.is_idle_for_two_days());
    }
}

#[test]
fn temporary_failures_are_retried_and_keep_the_sample() {
    let statuses = [
        100, 301, 304, 307, 400, 401, 403, 404, 405, 408, 409, 410, 411, 413, 415, 422, 425, 429,
        431, 451, 499, 500, 502, 503, 599, 700,
    ];
    // A status alone is also a proxy's.
    let bare = statuses.map(answered);
    let refusals = [
        (400, "malformed"),
        (401, "bad-signature"),
        (405, "method-not-allowed"),
        (408, "too-slow"),
        (422, "bad-digest"),
        (429, "too-many-requests"),
        (403, "of-a-later-version"),
        (500, "internal"),
        (503, "busy"),
    ]
    .map(|(status, kind)| refused(status, kind));
    for outcome in bare.into_iter().chain(refusals) {
        let device = Device::new();
        let task = device.send();
        let description = format!("{outcome:?}");
        let finished = device.finish(&task, outcome);
        assert!(
            matches!(finished, TaskStatus::Retry { .. }),
            "{description}"
        );
        assert_eq!(device.state_of_sample(), SampleState::Pending);
        assert!(device.outbox.path(device.sample).exists());
        assert!(device.wait_until_due() <= MAX_BACKOFF);
    }
}

#[test]
fn a_sample_for_outdated_recipients_is_abandoned() {
    let device = Device::new();
    let task = device.send();
    // Without a plan of its own the device does not know whose plan is older.
    let refusal = || refused(422, "wrong-recipients");
    let settled = device
        .protocol
        .process_result(&task, refusal(), None, |_| Ok(()));
    assert!(matches!(settled.unwrap().status, TaskStatus::Retry { .. }));
    assert_eq!(device.state_of_sample(), SampleState::Pending);
    let newer = plan(2);
    let settled = device
        .protocol
        .process_result(&task, refusal(), Some(&newer), |_| Ok(()));
    assert!(matches!(
        settled.unwrap().status,
        TaskStatus::Refused { .. }
    ));
    assert_eq!(device.state_of_sample(), SampleState::Refused);
}

#[test]
fn a_restored_device_registers_above_the_known_revision() {
    let device = Device::unregistered();
    let task = device.next().unwrap().task;
    let stale = |withdrawn: &str| {
        refused_with(
            409,
            &format!(
                r#"{{"type": "urn:sordino:problem:stale-revision", "revision": 7, "purposes": [{withdrawn}]}}"#
            ),
        )
    };
    let settled = device.settled(&task, stale(r#""recognition-research""#));
    assert!(settled.was_withdrawn);
    device.clock.advance(SignedDuration::from_hours(7));
    let mut due = std::iter::from_fn(|| device.next()).map(|request| request.task.kind);
    assert!(due.any(|kind| matches!(kind, TaskKind::Register { revision: 8, .. })));
    assert_eq!(device.grants().unwrap().purposes(), QA.into());
    // A collector that names a higher revision each time is not followed forever.
    let registration = TaskKind::Register {
        record: device.grants().unwrap().record(),
        revision: 8,
    };
    device.finish(&registration.for_collector(&collector()), stale(""));
    assert_eq!(
        device
            .consent
            .document(&device.grants().unwrap())
            .unwrap()
            .unwrap()
            .0,
        8
    );
}

#[test]
fn the_first_sample_of_a_process_follows_a_confirmation() {
    let device = Device::new().restarted(collector());
    let confirmation = device.next().unwrap().task;
    assert!(matches!(
        confirmation.kind,
        TaskKind::Confirm { revision: 1, .. }
    ));
    assert!(device.next().is_none(), "nothing goes meanwhile");
    device.finish(&confirmation, answered(200));
    device.send();
    // Without a sample nothing is asked.
    let device = Device::new();
    let task = device.send();
    device.finish(&task, answered(201));
    assert!(device.restarted(collector()).next().is_none());
}
