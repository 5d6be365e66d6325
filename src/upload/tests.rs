mod waits;

use std::sync::Arc;

use jiff::SignedDuration;
use tempfile::TempDir;

use super::{
    Answer, Body, Finished, Outcome, PROTOCOL_HEADER, Protocol, Request, Scope, Task, Urgency,
    sample_request,
};
use crate::{
    Clock as _, Id, Purposes,
    consent::{AgeBand, ConsentStore, Grants},
    outbox::{Outbox, Quota, SampleState},
    seal::SealedSample,
    state::State,
    testing::{QA, RESEARCH, TestClock, answer, both, notice, plan, terms},
};

const LONGEST_BACKOFF: SignedDuration = SignedDuration::from_hours(6);

/// A registered device with one sample that waits.
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
        assert!(matches!(request.task, Task::Register { .. }));
        device.finish(&request.task, answered(201));
        device
    }

    fn unregistered() -> Self {
        let folder = crate::testing::folder();
        let clock = Arc::new(TestClock::new());
        let state = Arc::new(State::open(folder.path(), clock.clone()).unwrap());
        let consent = Arc::new(ConsentStore::open(Arc::clone(&state)).unwrap());
        let notice = notice(1);
        let yes = answer(both(), AgeBand::Adult, None, &notice);
        state
            .write(|transaction| consent.record(transaction, &yes, &terms(1)))
            .unwrap();
        let (outbox, _) = Outbox::open(Arc::clone(&state), Quota::default()).unwrap();
        let outbox = Arc::new(outbox);
        let grants = consent.grants(&terms(1)).unwrap();
        let sealed = SealedSample::for_test(grants.record(), both(), vec![1; 100]);
        let sample = sealed.id();
        outbox.enqueue(sealed, &grants, &plan(1)).unwrap();
        let endpoint = "https://collector.example".parse().unwrap();
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
        assert_eq!(request.task, Task::FetchPlan);
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

    fn finish(&self, task: &Task, outcome: Outcome) -> Finished {
        self.protocol.finish(task, outcome, |_| Ok(())).unwrap()
    }

    /// Takes the sample's request, which must be due.
    fn send(&self) -> Task {
        let request = self.next().unwrap();
        assert_eq!(
            request.task,
            Task::Send {
                sample: self.sample
            }
        );
        request.task
    }

    fn withdraw(&self, purposes: impl Into<Purposes>) {
        let purposes = purposes.into();
        self.consent.end_grants();
        let gone = self.state.write(|transaction| {
            let withdrawn = ConsentStore::withdraw(transaction, |_| purposes.clone())?;
            Ok::<_, super::ConsentError>(self.outbox.withdraw(transaction, &withdrawn)?)
        });
        self.outbox.shred(&gone.unwrap());
    }

    fn state_of_sample(&self) -> SampleState {
        self.outbox.entry(self.sample).unwrap().state
    }

    /// What would be due after a restart, asked without taking it.
    fn peek(&self) -> Option<Request> {
        self.due(&Protocol::new(
            Arc::clone(&self.state),
            Arc::clone(&self.consent),
            Arc::clone(&self.outbox),
            self.protocol.endpoint().clone(),
        ))
    }

    /// How long until something is due, to the minute; at most two days.
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
                Some(Task::FetchPlan) => drop(self.finish(&Task::FetchPlan, answered(304))),
                Some(_) => break,
                None => self.clock.advance(step),
            }
        }
        self.clock.now().duration_since(began)
    }
}

fn answered(status: u16) -> Outcome {
    answered_with(status, &[])
}

fn answered_with(status: u16, headers: &[(&str, &str)]) -> Outcome {
    let headers = headers.iter().chain(&[(PROTOCOL_HEADER, "1")]);
    Outcome::Answered(Answer {
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
        registration.task,
        Task::Register { revision: 1, .. }
    ));
    assert!(device.next().is_none());
    device.finish(&registration.task, Outcome::Unreachable(String::new()));
    device.wait_until_due();
    let registration = device.next().unwrap();
    device.finish(&registration.task, answered(200));
    let task = device.send();
    assert_eq!(device.finish(&task, answered(201)), Finished::Done);
    assert_eq!(device.state_of_sample(), SampleState::Sent);
    assert!(!device.outbox.path(device.sample).exists());
}

#[test]
fn a_sample_that_the_collector_will_not_have_is_reported_and_never_sent_again() {
    for status in [400, 401, 403, 405, 409, 410, 411, 413, 415, 422, 451, 499] {
        let device = Device::new();
        let task = device.send();
        let finished = device.finish(&task, answered(status));
        assert!(matches!(finished, Finished::Refused { status: said, .. } if said == status));
        assert_eq!(device.state_of_sample(), SampleState::Refused);
        assert!(device.is_idle_for_two_days());
    }
}

#[test]
fn what_may_pass_is_tried_again() {
    for status in [100, 301, 304, 307, 408, 425, 429, 500, 502, 503, 599, 700] {
        let device = Device::new();
        let task = device.send();
        let finished = device.finish(&task, answered(status));
        assert!(matches!(finished, Finished::Later { .. }), "{status}");
        assert_eq!(device.state_of_sample(), SampleState::Pending);
        assert!(device.wait_until_due() <= LONGEST_BACKOFF);
    }
}

#[test]
fn an_answer_of_something_that_is_no_collector_is_taken_for_nothing() {
    for status in [200, 201, 204, 403, 404, 410] {
        let device = Device::new();
        let task = device.send();
        let portal = Answer {
            status,
            body: b"<html>Welcome to our Wi-Fi".to_vec(),
            ..Answer::default()
        };
        let finished = device.finish(&task, Outcome::Answered(portal));
        assert!(matches!(finished, Finished::Later { .. }));
        assert_eq!(device.state_of_sample(), SampleState::Pending);
    }
}

#[test]
fn a_no_is_repeated_until_the_collector_acknowledges_it() {
    let device = Device::new();
    device.withdraw(both());
    let is_due = || !device.consent.withdrawals_due().unwrap().is_empty();
    for outcome in [
        Outcome::Unreachable(String::new()),
        answered(500),
        answered(403),
        answered(410),
        answered(304),
        Outcome::Answered(Answer {
            status: 200,
            ..Answer::default()
        }),
    ] {
        let request = device.next().unwrap();
        assert!(matches!(request.task, Task::Withdraw { .. }));
        device.finish(&request.task, outcome);
        assert!(is_due());
        assert!(device.wait_until_due() <= LONGEST_BACKOFF);
    }
    let request = device.next().unwrap();
    device.finish(&request.task, answered(200));
    assert!(!is_due());
    assert!(device.is_idle_for_two_days());
}

#[test]
fn a_withdrawal_that_was_overtaken_by_another_settles_no_samples() {
    let device = Device::new();
    device.send();
    device.withdraw(RESEARCH);
    let first = device.next().unwrap().task;
    device.withdraw(QA);
    assert_eq!(device.state_of_sample(), SampleState::DeletionAsked);
    // The collector has only taken one purpose back; it holds the sample for the other still.
    device.finish(&first, answered(200));
    assert_eq!(device.state_of_sample(), SampleState::DeletionAsked);
    let second = device.next().unwrap().task;
    assert!(matches!(&second, Task::Withdraw { purposes, .. } if purposes.contains(QA)));
    device.finish(&second, answered(200));
    assert_eq!(device.state_of_sample(), SampleState::Deleted);
}

#[test]
fn a_registration_that_arrives_after_the_no_is_taken_back() {
    for purposes in [both(), QA.into()] {
        let device = Device::unregistered();
        let registration = device.next().unwrap();
        device.withdraw(purposes);
        let withdrawal = device.next().unwrap();
        // The "no" came first, and the collector did not know the record then.
        device.finish(&withdrawal.task, answered(404));
        device.finish(&registration.task, answered(201));
        assert_eq!(device.next().unwrap().task, withdrawal.task);
        device.finish(&withdrawal.task, answered(200));
        let next = device.next().map(|request| request.task);
        assert!(matches!(
            next,
            None | Some(Task::Register { revision: 2, .. })
        ));
    }
}

#[test]
fn a_record_that_the_collector_knows_as_withdrawn_is_withdrawn_here_too() {
    let device = Device::unregistered();
    let grants = device.grants().unwrap();
    let registration = device.next().unwrap();
    let finished = device.finish(&registration.task, answered(410));
    assert!(matches!(finished, Finished::Refused { status: 410, .. }));
    assert!(!grants.is_live());
    assert!(device.grants().is_none());
    assert_eq!(device.state_of_sample(), SampleState::Deleted);
    assert!(!device.outbox.path(device.sample).exists());
}

#[test]
fn dead_grants_make_no_request_for_a_sample() {
    let device = Device::new();
    let grants = device.grants().unwrap();
    let entry = device.outbox.entry(device.sample).unwrap();
    let endpoint = device.protocol.endpoint();
    let file = device.outbox.path(device.sample);
    assert!(sample_request(endpoint, &grants, &entry, file.clone()).is_ok());
    device.withdraw(RESEARCH);
    assert!(sample_request(endpoint, &grants, &entry, file.clone()).is_err());
    // Live grants for less than the sample was made for do not do either.
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
            matches!(request.task, Task::Withdraw { .. }),
            "{:?}",
            request.task
        );
    }
}

#[test]
fn a_narrowed_sample_goes_out_for_what_is_left() {
    let device = Device::new();
    device.withdraw(RESEARCH);
    let withdrawal = device.next().unwrap();
    device.finish(&withdrawal.task, answered(200));
    let registration = device.next().unwrap();
    assert!(matches!(
        registration.task,
        Task::Register { revision: 2, .. }
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
