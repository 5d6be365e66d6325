mod schedules;

use std::{
    sync::{Arc, Barrier},
    thread,
};

use tempfile::TempDir;

use super::{
    AgeBand, ConsentError, ConsentResponse, ConsentState, ConsentStore, GuardianMethod,
    SignedRecord, Withdrawn,
    rows::{self, CollectorState, RecordTable},
};
use crate::{
    Purposes,
    state::State,
    testing::{QA, RESEARCH, TestClock, both, days, notice, response, terms},
};

const METHOD: GuardianMethod = GuardianMethod::SignedForm;

struct Person {
    folder: TempDir,
    clock: Arc<TestClock>,
    consent: ConsentStore,
}

impl Person {
    fn new() -> Self {
        let folder = crate::testing::folder();
        let clock = Arc::new(TestClock::new());
        let state = State::open(folder.path(), clock.clone()).unwrap();
        let consent = ConsentStore::open(Arc::new(state)).unwrap();
        Self {
            folder,
            clock,
            consent,
        }
    }

    /// The app ends, the clock is moved, and the app starts again.
    fn restart(self, meanwhile: impl FnOnce(&TestClock)) -> Self {
        let Self {
            folder,
            clock,
            consent,
        } = self;
        drop(consent);
        meanwhile(&clock);
        let state = State::open(folder.path(), clock.clone()).unwrap();
        let consent = ConsentStore::open(Arc::new(state)).unwrap();
        Self {
            folder,
            clock,
            consent,
        }
    }

    fn try_say(
        &self,
        response: &ConsentResponse<'_>,
        notice: u32,
    ) -> Result<SignedRecord, ConsentError> {
        self.consent
            .state
            .write(|txn| self.consent.record(txn, response, &terms(notice)))
    }

    fn says(&self, purposes: impl Into<Purposes>, age: AgeBand, guardian: bool) -> SignedRecord {
        let notice = notice(1);
        let guardian = guardian.then_some(METHOD);
        self.try_say(&response(purposes, age, guardian, &notice), 1)
            .unwrap()
    }

    fn withdraws(&self, purposes: impl Into<Purposes>) -> Vec<Withdrawn> {
        let purposes = purposes.into();
        self.consent.revoke_grants();
        self.consent
            .state
            .write(|txn| ConsentStore::withdraw(txn, |_| purposes.clone()))
            .unwrap()
    }

    fn state(&self) -> ConsentState {
        self.consent.status(Some(&terms(1))).unwrap().state
    }

    fn granted(&self) -> Purposes {
        self.consent
            .grants(&terms(1))
            .map(|grants| grants.purposes())
            .unwrap_or_default()
    }
}

#[test]
fn nothing_is_granted_without_consent() {
    let person = Person::new();
    assert_eq!(person.state(), ConsentState::None);
    assert!(person.granted().is_empty());
}

#[test]
fn adult_consent_grants_only_its_purposes_and_survives_restart() {
    for purposes in [QA.into(), RESEARCH.into(), both()] {
        let person = Person::new();
        person.says(purposes.clone(), AgeBand::Adult, false);
        assert_eq!(person.state(), ConsentState::Granted);
        assert_eq!(person.granted(), purposes);
        assert_eq!(person.restart(|_| {}).granted(), purposes);
    }
}

#[test]
fn child_or_unknown_age_needs_guardian_approval() {
    for age in [AgeBand::Child, AgeBand::Unknown] {
        let person = Person::new();
        person.says(both(), age, false);
        assert_eq!(person.state(), ConsentState::AwaitingGuardian);
        assert!(person.granted().is_empty());
        let receipt = person.consent.approve(METHOD, &terms(1)).unwrap();
        assert_eq!(receipt.content().guardian.unwrap().method, METHOD);
        assert_eq!(person.granted(), both());
    }
}

#[test]
fn coming_of_age_requires_new_consent() {
    let person = Person::new();
    assert!(person.consent.come_of_age(Some(&terms(1))).is_err());
    person.says(both(), AgeBand::Child, true);
    assert_eq!(person.granted(), both());
    person.consent.come_of_age(Some(&terms(1))).unwrap();
    let status = person.consent.status(Some(&terms(1))).unwrap();
    assert_eq!(status.state, ConsentState::Outdated);
    assert!(status.came_of_age && person.granted().is_empty());
    assert!(person.consent.approve(METHOD, &terms(1)).is_err());
    let person = person.restart(|_| {});
    assert_eq!(person.state(), ConsentState::Outdated);
    person.says(QA, AgeBand::Adult, false);
    assert_eq!(person.granted(), QA.into());
    let twice = person.consent.come_of_age(Some(&terms(1)));
    assert!(
        twice
            .unwrap_err()
            .to_string()
            .contains("an adult consented")
    );
}

#[test]
fn only_consent_awaiting_a_guardian_can_be_approved() {
    let person = Person::new();
    let refused = |person: &Person| match person.consent.approve(METHOD, &terms(1)) {
        Err(ConsentError::Refused(refused)) => refused.from,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&person), ConsentState::None);
    person.says(QA, AgeBand::Child, false);
    person.withdraws(both());
    assert_eq!(refused(&person), ConsentState::Withdrawn);
    assert!(person.granted().is_empty());
    person.says(QA, AgeBand::Adult, false);
    assert_eq!(refused(&person), ConsentState::Granted);
}

#[test]
fn an_approval_racing_a_withdrawal_does_not_restore_consent() {
    for _ in 0..test_tiers::sized(20, 1_000) {
        let person = Person::new();
        person.says(both(), AgeBand::Child, false);
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                // Either order is right.
                let _ = person.consent.approve(METHOD, &terms(1));
            });
            start.wait();
            person.withdraws(both());
        });
        assert_eq!(person.state(), ConsentState::Withdrawn);
        assert!(person.granted().is_empty());
    }
}

#[test]
fn an_added_purpose_is_a_revision_that_the_guardian_approves() {
    let adult = Person::new();
    let first = adult.says(QA, AgeBand::Adult, false);
    let second = adult.says(RESEARCH, AgeBand::Adult, false);
    assert_eq!(first.content().id, second.content().id);
    assert_eq!(second.content().revision, 2);
    assert_eq!(adult.granted(), both());

    let child = Person::new();
    let first = child.says(QA, AgeBand::Child, true);
    let second = child.says(RESEARCH, AgeBand::Child, false);
    assert_ne!(first.content().id, second.content().id);
    assert!(child.granted().is_empty());
    child.consent.approve(METHOD, &terms(1)).unwrap();
    assert_eq!(child.granted(), RESEARCH.into());
}

#[test]
fn approving_one_purpose_does_not_approve_another() {
    let child = Person::new();
    child.says(RESEARCH, AgeBand::Child, false);
    child.says(QA, AgeBand::Child, true);
    assert_eq!(child.granted(), QA.into());
}

#[test]
fn a_new_notice_version_requires_new_consent() {
    let person = Person::new();
    let first = person.says(QA, AgeBand::Adult, false);
    let status = person.consent.status(Some(&terms(2))).unwrap();
    assert_eq!(status.state, ConsentState::Outdated);
    assert!(person.consent.grants(&terms(2)).is_err());

    let (old, new) = (notice(1), notice(2));
    let shown = person.try_say(&response(QA, AgeBand::Adult, None, &old), 2);
    assert!(matches!(
        shown,
        Err(ConsentError::WrongNotice { shown: 1, asked: 2 })
    ));
    let second = person.try_say(&response(QA, AgeBand::Adult, None, &new), 2);
    assert_ne!(first.content().id, second.unwrap().content().id);
    assert!(person.consent.grants(&terms(2)).is_ok());
}

#[test]
fn purposes_outside_the_plan_are_rejected() {
    let person = Person::new();
    let notice = notice(1);
    let none = response(Purposes::default(), AgeBand::Adult, None, &notice);
    assert!(matches!(
        person.try_say(&none, 1),
        Err(ConsentError::NoPurpose)
    ));
    let mut narrow = terms(1);
    narrow.purposes = QA.into();
    let beyond = response(both(), AgeBand::Adult, None, &notice);
    let result = person
        .consent
        .state
        .write(|txn| person.consent.record(txn, &beyond, &narrow));
    assert!(matches!(result, Err(ConsentError::NotAsked(_))));
    person.says(both(), AgeBand::Adult, false);
    assert_eq!(
        person.consent.grants(&narrow).unwrap().purposes(),
        QA.into()
    );
}

#[test]
fn a_withdrawn_purpose_never_returns_to_its_record() {
    let person = Person::new();
    let first = person.says(both(), AgeBand::Adult, false);
    person.withdraws(RESEARCH);
    assert_eq!(person.granted(), QA.into());
    let again = person.says(both(), AgeBand::Adult, false);
    assert_ne!(first.content().id, again.content().id);
    assert_eq!(person.granted(), both());
}

#[test]
fn held_grants_expire_and_repeated_consent_does_not_extend_them() {
    let person = Person::new();
    person.says(QA, AgeBand::Adult, false);
    person.clock.advance(days(364));
    person.says(QA, AgeBand::Adult, false);
    let held = person.consent.grants(&terms(1)).unwrap();
    assert!(held.is_live());
    person.clock.advance(days(1));
    assert!(!held.is_live());
    assert_eq!(person.state(), ConsentState::Expired);
    // A clock that is set back does not make it valid again, neither held nor new grants.
    person.clock.advance(days(-365));
    assert!(!held.is_live());
    assert_eq!(person.state(), ConsentState::Expired);
    let person = person.restart(|clock| clock.advance(days(-365)));
    assert_eq!(person.state(), ConsentState::Expired);
}

#[test]
fn a_withdrawal_revokes_grants_in_other_threads() {
    for _ in 0..test_tiers::sized(50, 1_000) {
        let person = Person::new();
        person.says(both(), AgeBand::Adult, false);
        let held = person.consent.grants(&terms(1)).unwrap();
        let start = Barrier::new(3);
        let raced = thread::scope(|scope| {
            let race = || {
                start.wait();
                (0..10)
                    .filter_map(|_| person.consent.grants(&terms(1)).ok())
                    .collect::<Vec<_>>()
            };
            let threads = [scope.spawn(race), scope.spawn(race)];
            start.wait();
            person.withdraws(both());
            // As the engine does after the transaction.
            person.consent.revoke_grants();
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(!held.is_live());
        assert!(
            held.quality_assurance()
                .is_some_and(|grant| !grant.is_live())
        );
        assert!(
            held.recognition_research()
                .is_some_and(|grant| !grant.is_live())
        );
        assert!(raced.iter().flatten().all(|grants| !grants.is_live()));
    }
}

#[test]
fn an_unwritten_withdrawal_still_revokes_grants() {
    let person = Person::new();
    person.says(both(), AgeBand::Adult, false);
    person.consent.revoke_in_memory(&RESEARCH.into());
    assert_eq!(person.granted(), QA.into());
    person.consent.revoke_in_memory(&QA.into());
    assert_eq!(person.state(), ConsentState::Withdrawn);
    assert!(person.granted().is_empty());
}

#[test]
fn a_tampered_record_grants_nothing_but_can_be_withdrawn() {
    let person = Person::new();
    let id = person.says(QA, AgeBand::Adult, false).content().id;
    // An earlier successful verification does not count.
    assert_eq!(person.granted(), QA.into());
    let state = &person.consent.state;
    let changed = state.write(|txn| {
        let rows = RecordTable(txn);
        let mut row = rows.get(id)?.unwrap();
        row.document = row
            .document
            .replace("quality-assurance", "recognition-research");
        row.collectors.insert(
            "https://collector.example".parse().unwrap(),
            CollectorState::default(),
        );
        rows.put(id, &row)
    });
    changed.unwrap();
    assert!(person.consent.grants(&terms(1)).is_err());
    person.withdraws(QA);
    let row = state.read(|txn| rows::find(txn, id));
    assert_eq!(row.unwrap().unwrap().phase, rows::Phase::Withdrawn);
    let due = person.consent.withdrawals_due().unwrap();
    assert!(matches!(due.as_slice(), [due] if due.record == id && due.purposes == both()));
}

#[test]
fn a_record_with_another_records_key_grants_nothing() {
    let (person, other) = (Person::new(), Person::new());
    let id = person.says(QA, AgeBand::Adult, false).content().id;
    let others = other.says(QA, AgeBand::Adult, false).content().id;
    assert_eq!(person.granted(), QA.into());
    let key = other.consent.row(others).unwrap().unwrap().key;
    let swapped = person.consent.state.write(|txn| {
        let rows = RecordTable(txn);
        let mut row = rows.get(id)?.unwrap();
        row.key = key;
        rows.put(id, &row)
    });
    swapped.unwrap();
    assert!(person.granted().is_empty());
}
