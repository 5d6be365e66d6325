//! Random lives of a device: everything that a person, a guardian, the app, the network and the clock can
//! do, in any order, with crashes at any write, against the reference of `said.rs`.
//!
//! How many lives are enough is counted, not guessed. A usual run lives 120 without a crash and 400 with crashes, the
//! same each time. In the latter each thing of [`can_happen`] and [`can_be_cut_short`] is met at least ten times, in
//! the former each of [`can_happen`] at least once; both are asserted. So each step is taken, each answer comes to
//! each kind of request, also after a restart, a reset or a withdrawal, and each of the first sixteen writes is the last one
//! before a crash. The rarest are a portal that answers a registration, met 10 times, and a reset with a registration on
//! its way and a crash at the sixteenth write, 11 times each; half are met over 70 times. A soak draws 10 000 lives or
//! more, and meets [`can_happen_at_last`] too.

use std::{cell::Cell, collections::BTreeSet};

use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use test_tiers::is_soak;

use super::{coverage::Coverage, world::World};
use crate::{
    Purpose, Purposes,
    consent::AgeBand,
    testing::{QA, RESEARCH, both, cases, draws},
};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Say(Purposes, AgeBand),
    Approve,
    ComeOfAge,
    Offer,
    Withdraw(Option<Purpose>),
    Delete(Pick),
    DeleteAll,
    /// The host takes what is due.
    Take,
    /// Something comes of a request on its way, in any order.
    Comes(Pick, Disposition),
    /// The network holds for a while: all that is due is taken and answered.
    Exchange,
    /// Somebody pulls, with a token of that kind.
    Pull(Token),
    Pass(i64),
    Jump(i64),
    Restart,
    Reset,
    /// The state folder is copied; later the copy is put in its place.
    BackUpDevice,
    PutDeviceBack,
    /// The same with the collector's database.
    BackUpCollector,
    PutCollectorBack,
    /// The app is opened with another collector than before.
    ChangeCollector,
}

/// What a reader's token is good for.
#[derive(Clone, Debug)]
pub(super) enum Token {
    For(Purposes),
    /// Or it has expired.
    Revoked,
}

impl Token {
    pub(super) fn reads(&self) -> Purposes {
        match self {
            Self::For(purposes) => purposes.clone(),
            Self::Revoked => Purposes::default(),
        }
    }
}

/// One of some, by how far along it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick(u64);

impl Pick {
    pub(super) fn index(self, length: usize) -> usize {
        ((u128::from(self.0) * length as u128) >> 64) as usize
    }
}

#[derive(Clone, Debug)]
pub(super) enum Disposition {
    /// It arrives and so does the answer.
    Answered,
    /// It arrives, but the answer is lost.
    AnswerLost,
    NeverArrives,
    Portal,
    Busy(u16),
    /// It is refused with that status and problem.
    Refused(u16, &'static str),
}

impl Step {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Say(purposes, age) => format!("say {purposes} {age:?}"),
            Self::Approve => "approve".to_owned(),
            Self::ComeOfAge => "come-of-age".to_owned(),
            Self::Offer => "offer".to_owned(),
            Self::Withdraw(None) => "withdraw all".to_owned(),
            Self::Withdraw(Some(purpose)) => format!("withdraw {purpose}"),
            Self::Delete(_) => "delete".to_owned(),
            Self::DeleteAll => "delete-all".to_owned(),
            Self::Take => "take".to_owned(),
            Self::Comes(..) => "comes".to_owned(),
            Self::Exchange => "exchange".to_owned(),
            Self::Pull(Token::For(purposes)) => format!("pull for {purposes}"),
            Self::Pull(Token::Revoked) => "pull with a revoked token".to_owned(),
            Self::Pass(_) => "pass".to_owned(),
            Self::Jump(days) => format!("jump {days}"),
            Self::Restart => "restart".to_owned(),
            Self::Reset => "reset".to_owned(),
            Self::BackUpDevice => "back-up-device".to_owned(),
            Self::PutDeviceBack => "put-device-back".to_owned(),
            Self::BackUpCollector => "back-up-collector".to_owned(),
            Self::PutCollectorBack => "put-collector-back".to_owned(),
            Self::ChangeCollector => "change-collector".to_owned(),
        }
    }

    /// Whether somebody wanted it who notices a crash.
    pub(super) fn is_said_again(&self) -> bool {
        matches!(
            self,
            Self::Say(..)
                | Self::Approve
                | Self::ComeOfAge
                | Self::Withdraw(_)
                | Self::Delete(_)
                | Self::DeleteAll
        )
    }
}

impl Disposition {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::AnswerLost => "answer lost",
            Self::NeverArrives => "never arrives",
            Self::Portal => "portal",
            Self::Busy(_) => "busy",
            Self::Refused(..) => "refused",
        }
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let purposes = prop::sample::select(vec![QA.into(), RESEARCH.into(), both()]);
    let ages = prop_oneof![
        4 => Just(AgeBand::Adult),
        1 => Just(AgeBand::Child),
        1 => Just(AgeBand::Unknown),
    ];
    let withdrawn = prop::sample::select(vec![None, Some(QA), Some(RESEARCH)]);
    let pick = || any::<u64>().prop_map(Pick);
    prop_oneof![
        4 => (purposes, ages).prop_map(|(purposes, age)| Step::Say(purposes, age)),
        2 => Just(Step::Approve),
        2 => Just(Step::ComeOfAge),
        8 => Just(Step::Offer),
        2 => withdrawn.prop_map(Step::Withdraw),
        2 => pick().prop_map(Step::Delete),
        1 => Just(Step::DeleteAll),
        12 => Just(Step::Take),
        12 => (pick(), fates()).prop_map(|(pick, fate)| Step::Comes(pick, fate)),
        4 => Just(Step::Exchange),
        2 => prop::sample::select(tokens()).prop_map(Step::Pull),
        3 => (1_i64..3_000).prop_map(Step::Pass),
        1 => prop::sample::select(JUMPS.to_vec()).prop_map(Step::Jump),
        2 => Just(Step::Restart),
        1 => Just(Step::Reset),
        2 => Just(Step::BackUpDevice),
        2 => Just(Step::PutDeviceBack),
        1 => Just(Step::BackUpCollector),
        2 => Just(Step::PutCollectorBack),
        1 => Just(Step::ChangeCollector),
    ]
}

fn tokens() -> Vec<Token> {
    let good = [QA.into(), RESEARCH.into(), both()].map(Token::For);
    good.into_iter().chain([Token::Revoked]).collect()
}

fn fates() -> impl Strategy<Value = Disposition> {
    prop_oneof![
        4 => Just(Disposition::Answered),
        3 => Just(Disposition::AnswerLost),
        2 => Just(Disposition::NeverArrives),
        2 => Just(Disposition::Portal),
        3 => prop::sample::select(BUSY.to_vec()).prop_map(Disposition::Busy),
        3 => prop::sample::select(REFUSED.to_vec())
            .prop_map(|(status, kind)| Disposition::Refused(status, kind)),
    ]
}

/// In days: a clock that is set right or wrong.
const JUMPS: [i64; 4] = [-365, -1, 1, 365];
const BUSY: [u16; 5] = [408, 425, 429, 500, 503];
/// The first three may pass, the others never do.
const REFUSED: [(u16, &str); 6] = [
    (400, "malformed"),
    (401, "bad-signature"),
    (422, "bad-digest"),
    (409, "different-content"),
    (413, "too-large"),
    (422, "not-sealed"),
];

/// A crash at one of the next writes, with a power cut or without, in three steps of ten. Few steps write more
/// than `MANY` times.
fn cuts() -> impl Strategy<Value = Option<(u32, bool)>> {
    let writes = prop_oneof![6 => 1..=MANY, 1 => MANY + 1..=LATEST];
    prop::option::weighted(0.3, (writes, any::<bool>()))
}

pub(super) const MANY: u32 = 16;
const LATEST: u32 = 30;

/// How a life begins: with nothing said, or further on, where few lives would come by themselves. Consent is on its way
/// to the collector or known there, a guardian's too; samples wait, are on their way, or were sent and pulled.
fn beginnings() -> impl Strategy<Value = Vec<Step>> {
    use Step::{
        Approve, BackUpCollector, BackUpDevice, DeleteAll, Exchange, Offer, PutCollectorBack,
        PutDeviceBack, Restart, Say, Take, Withdraw,
    };
    let pull = || Step::Pull(Token::For(both()));

    let adult = || Say(both(), AgeBand::Adult);
    let child = || Say(both(), AgeBand::Child);
    prop::sample::select(vec![
        vec![],
        vec![adult(), Take, Take],
        vec![adult(), Exchange, Offer, Offer],
        vec![adult(), Exchange, Offer, Offer, Take],
        vec![adult(), Exchange, Offer, Offer, Exchange, pull(), Offer],
        vec![
            adult(),
            Exchange,
            Offer,
            Exchange,
            DeleteAll,
            Offer,
            Take,
            Take,
        ],
        vec![
            adult(),
            Exchange,
            Offer,
            Exchange,
            pull(),
            Withdraw(Some(QA)),
            Take,
        ],
        vec![
            adult(),
            Exchange,
            Offer,
            Exchange,
            BackUpDevice,
            Withdraw(None),
            Exchange,
            PutDeviceBack,
            Offer,
        ],
        vec![
            adult(),
            Offer,
            Exchange,
            BackUpCollector,
            pull(),
            DeleteAll,
            Withdraw(Some(QA)),
            Exchange,
            PutCollectorBack,
        ],
        vec![adult(), Exchange, Offer, Offer, Restart, Take, Take],
        vec![child()],
        vec![child(), Restart, Approve, Exchange, Offer, Take],
    ])
}

/// Lives that once broke a promise.
#[test]
fn regressions() {
    let say = |purposes: Purposes, age| Step::Say(purposes, age);
    let comes = |tenths: u64| Step::Comes(Pick(u64::MAX / 10 * tenths), Disposition::Answered);
    let adult = AgeBand::Adult;
    let lives = [
        vec![
            (say(QA.into(), adult), None),
            (Step::Take, None),
            (Step::Take, None),
            (say(RESEARCH.into(), adult), None),
            (Step::Withdraw(Some(RESEARCH)), None),
            (Step::Take, None),
            (Step::Take, None),
            (say(QA.into(), adult), None),
            (say(QA.into(), adult), None),
            (Step::Reset, None),
            (say(QA.into(), adult), None),
            (comes(8), None),
        ],
        vec![
            (say(both(), adult), None),
            (Step::Take, None),
            (Step::Take, None),
            (say(QA.into(), adult), None),
            (Step::Withdraw(Some(QA)), None),
            (Step::Take, None),
            (Step::Reset, None),
        ],
        vec![
            (say(both(), AgeBand::Child), None),
            (Step::Withdraw(Some(QA)), None),
            (say(RESEARCH.into(), AgeBand::Unknown), None),
            (say(QA.into(), AgeBand::Unknown), None),
            (Step::Approve, None),
        ],
        vec![
            (say(QA.into(), adult), None),
            (Step::Take, None),
            (comes(0), None),
            (Step::Take, None),
            (Step::Withdraw(None), None),
            (Step::Take, None),
            (comes(6), None),
            (comes(0), Some((1, false))),
        ],
        vec![
            (say(both(), adult), None),
            (Step::Exchange, None),
            (Step::Offer, None),
            (Step::Exchange, None),
            (Step::BackUpDevice, None),
            (Step::Withdraw(None), None),
            (Step::Exchange, None),
            (Step::PutDeviceBack, None),
            (Step::Offer, None),
            (Step::ChangeCollector, None),
            (say(QA.into(), adult), None),
        ],
        vec![
            (say(both(), adult), None),
            (Step::Offer, None),
            (Step::Exchange, None),
            (Step::BackUpCollector, None),
            (Step::DeleteAll, None),
            (Step::Withdraw(Some(QA)), None),
            (Step::Exchange, None),
            (Step::PutCollectorBack, None),
            (Step::Jump(365), None),
        ],
    ];
    for steps in lives {
        World::new(&Coverage::default()).live_through(&steps);
    }
}

/// What must have happened in random lives before they are enough.
fn can_happen() -> BTreeSet<String> {
    let mut all: BTreeSet<String> = [
        "approve: refused",
        "approve: taken",
        "approve: taken, after a restart",
        "check: a deletion has to reach the collector",
        "check: granted",
        "check: nothing is allowed",
        "check: said, and not granted any more",
        "come of age: refused",
        "come of age: taken",
        "delete all: a sample is on its way",
        "delete all: there are samples",
        "delete: answered 204",
        "delete: the sample is on its way",
        "end: held",
        "end: held for what is left of its purposes",
        "end: pulled",
        "end: the collector heard of a no",
        "end: the collector holds nothing of a record",
        "change collector: a record is registered",
        "confirm: answered 200",
        "epoch: answered 200",
        "offer: not queued",
        "offer: queued",
        "pull: a copy goes",
        "pull: a copy that the token may not read",
        "pull: copies",
        "restored collector: a withdrawal is lost",
        "put device back: a no was said since",
        "put device back: the collector knows of a no",
        "register: answered 200",
        "register: answered 201",
        "reset: a record is registered",
        "reset: done",
        "reset: the collector has samples",
        "say: a record of its own",
        "say: awaiting-guardian",
        "say: granted",
        "say: none",
        "say: to the record before",
        "say: withdrawn",
        "send: answered 201",
        "send: comes after the no",
        "settle: after a reset",
        "take: nothing",
        "withdraw: a sample waits",
        "withdraw: answered 200",
        "withdraw: answered 404",
        "withdraw: an earlier collector knows the record",
        "withdraw: awaiting-guardian",
        "withdraw: granted",
        "withdraw: none",
        "withdraw: the collector has samples",
        "withdraw: the record is registered",
        "withdraw: withdrawn",
    ]
    .map(str::to_owned)
    .into();
    let fates = [
        "answered",
        "answer lost",
        "never arrives",
        "portal",
        "busy",
        "refused",
    ];
    for task in ["plan", "register", "confirm", "withdraw", "send", "delete"] {
        all.insert(format!("take: {task}"));
        all.insert(format!("{task}: comes after a restart"));
        all.extend(fates.map(|fate| format!("{task}: {fate}")));
    }
    for task in ["register", "withdraw", "send", "delete"] {
        all.insert(format!("withdraw: a {task} is on its way"));
        all.insert(format!("reset: a {task} is on its way"));
    }
    all.extend(BUSY.map(|status| format!("status: {status}")));
    all.extend(REFUSED.map(|(_, kind)| format!("refused: {kind}")));
    let pulls = tokens().into_iter().map(Step::Pull);
    all.extend(pulls.map(|pull| format!("step: {}", pull.name())));
    for state in [
        "Pending",
        "Sent",
        "DeletionAsked",
        "Deleted",
        "Dropped",
        "Refused",
    ] {
        all.insert(format!("check: {state}"));
    }
    for state in ["Pending", "Sent", "Deleted"] {
        all.insert(format!("delete: {state}"));
    }
    for purposes in [QA.into(), RESEARCH.into(), both()] {
        for age in [AgeBand::Adult, AgeBand::Child, AgeBand::Unknown] {
            all.insert(format!("step: {}", Step::Say(purposes.clone(), age).name()));
        }
    }
    for withdrawn in [None, Some(QA), Some(RESEARCH)] {
        all.insert(format!("step: {}", Step::Withdraw(withdrawn).name()));
    }
    for days in JUMPS {
        all.insert(format!("step: {}", Step::Jump(days).name()));
    }
    all
}

/// What more must have happened where writes are cut short: a crash in each step that writes, at each of the first
/// writes.
fn can_be_cut_short() -> BTreeSet<String> {
    let steps = [
        "say",
        "offer",
        "withdraw",
        "delete",
        "delete-all",
        "take",
        "comes",
        "exchange",
        "reset",
    ];
    let in_steps = steps.map(|step| format!("crash: in {step}"));
    let at_writes = (1..=MANY).map(|write| format!("crash: at write {write}"));
    in_steps.into_iter().chain(at_writes).collect()
}

/// What is rarer: met twice at least in lives with crashes.
fn can_happen_too() -> BTreeSet<String> {
    let rare = [
        "crash: at a later write",
        "crash: in approve",
        "crash: in come-of-age",
        "pull: a copy loses a purpose",
        "send: answered 200",
        "send: answered 410",
        "send: of before the reset",
    ];
    let power_lost = (1..=MANY).map(|write| format!("crash: at write {write}, power lost"));
    power_lost.chain(rare.map(str::to_owned)).collect()
}

/// What thousands of lives meet.
fn can_happen_at_last() -> BTreeSet<String> {
    let rarest = [
        "register: answered 409",
        "register: answered 410",
        "send: answered 403",
    ];
    rarest.map(str::to_owned).into()
}

/// Lives random lives, and returns what they met. All but keys is the same in every usual run, so that what
/// was met once is always met.
fn live(
    usual: u32,
    soak: u32,
    test: &'static str,
    cuts: impl Strategy<Value = Option<(u32, bool)>>,
) -> Coverage {
    let cases = cases(usual, soak);
    let config = ProptestConfig {
        source_file: Some(file!()),
        test_name: Some(test),
        rng_seed: match is_soak() {
            true => cases.rng_seed,
            false => RngSeed::Fixed(1),
        },
        ..cases
    };
    let coverage = Coverage::default();
    let lives = Cell::new(0);
    let life = (beginnings(), prop::collection::vec((steps(), cuts), 1..45));
    let lived = TestRunner::new(config).run(&life, |(beginning, steps)| {
        lives.set(lives.get() + 1);
        let _draws = (!is_soak()).then(|| draws::seeded(lives.get()));
        let beginning = beginning.into_iter().map(|step| (step, None));
        let steps: Vec<_> = beginning.chain(steps).collect();
        World::new(&coverage).live_through(&steps);
        Ok(())
    });
    if let Err(failure) = lived {
        panic!("{failure}");
    }
    coverage
}

#[test]
fn no_schedule_violates_consent() {
    let coverage = live(120, 3_000, "whatever_happens", Just(None));
    coverage.assert_each(1, &can_happen());
}

#[test]
fn no_schedule_with_crashes_violates_consent() {
    let coverage = live(400, 7_000, "nor_does_it", cuts());
    coverage.assert_each(4, &can_happen());
    coverage.assert_each(10, &can_be_cut_short());
    coverage.assert_each(2, &can_happen_too());
    if is_soak() {
        coverage.assert_each(3, &can_happen_at_last());
    }
}
