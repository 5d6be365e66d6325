//! The steps of a schedule, and how they are drawn.

use proptest::prelude::*;

use crate::{
    Purpose, Purposes,
    consent::AgeBand,
    testing::{QA, RESEARCH, both},
};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Consent(Purposes, AgeBand),
    Approve,
    ComeOfAge,
    Submit,
    Withdraw(Option<Purpose>),
    Delete(Pick),
    DeleteAll,
    /// The host takes the next task.
    TakeTask,
    /// A request in flight gets its result, in any order.
    Deliver(Pick, Disposition),
    /// The network works for a while: everything that is due is sent and answered.
    Exchange,
    /// A reader pulls, with a token of that kind.
    Pull(Token),
    Advance(i64),
    SetClock(i64),
    Restart,
    Reset,
    /// The state folder is copied; later the copy replaces it.
    BackUpDevice,
    RestoreDevice,
    /// The same with the collector's database.
    BackUpCollector,
    RestoreCollector,
    /// The app is opened with another collector than before.
    ChangeCollector,
}

/// A reader's token.
#[derive(Clone, Debug)]
pub(super) enum Token {
    For(Purposes),
    /// It was revoked or has expired.
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

/// A choice of one element of a list, as a fraction of its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick(pub(super) u64);

impl Pick {
    pub(super) fn index(self, length: usize) -> usize {
        ((u128::from(self.0) * length as u128) >> 64) as usize
    }
}

#[derive(Clone, Debug)]
pub(super) enum Disposition {
    /// The request and the response arrive.
    Answered,
    /// The request arrives, but the response is lost.
    AnswerLost,
    NeverArrives,
    Portal,
    Busy(u16),
    /// It is refused with this status and problem.
    Refused(u16, &'static str),
}

impl Step {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Consent(purposes, age) => format!("consent {purposes} {age:?}"),
            Self::Approve => "approve".to_owned(),
            Self::ComeOfAge => "come-of-age".to_owned(),
            Self::Submit => "submit".to_owned(),
            Self::Withdraw(None) => "withdraw all".to_owned(),
            Self::Withdraw(Some(purpose)) => format!("withdraw {purpose}"),
            Self::Delete(_) => "delete".to_owned(),
            Self::DeleteAll => "delete-all".to_owned(),
            Self::TakeTask => "take".to_owned(),
            Self::Deliver(..) => "deliver".to_owned(),
            Self::Exchange => "exchange".to_owned(),
            Self::Pull(Token::For(purposes)) => format!("pull for {purposes}"),
            Self::Pull(Token::Revoked) => "pull with a revoked token".to_owned(),
            Self::Advance(_) => "advance".to_owned(),
            Self::SetClock(days) => format!("set clock {days}"),
            Self::Restart => "restart".to_owned(),
            Self::Reset => "reset".to_owned(),
            Self::BackUpDevice => "back-up-device".to_owned(),
            Self::RestoreDevice => "restore-device".to_owned(),
            Self::BackUpCollector => "back-up-collector".to_owned(),
            Self::RestoreCollector => "restore-collector".to_owned(),
            Self::ChangeCollector => "change-collector".to_owned(),
        }
    }

    /// Whether a person, who notices a crash, wanted the step.
    pub(super) fn is_repeated_after_crash(&self) -> bool {
        matches!(
            self,
            Self::Consent(..)
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

pub(super) fn steps() -> impl Strategy<Value = Step> {
    let purposes = prop::sample::select(vec![QA.into(), RESEARCH.into(), both()]);
    let ages = prop_oneof![
        4 => Just(AgeBand::Adult),
        1 => Just(AgeBand::Child),
        1 => Just(AgeBand::Unknown),
    ];
    let withdrawn = prop::sample::select(vec![None, Some(QA), Some(RESEARCH)]);
    let pick = || any::<u64>().prop_map(Pick);
    prop_oneof![
        4 => (purposes, ages).prop_map(|(purposes, age)| Step::Consent(purposes, age)),
        2 => Just(Step::Approve),
        2 => Just(Step::ComeOfAge),
        8 => Just(Step::Submit),
        2 => withdrawn.prop_map(Step::Withdraw),
        2 => pick().prop_map(Step::Delete),
        1 => Just(Step::DeleteAll),
        12 => Just(Step::TakeTask),
        12 => (pick(), dispositions()).prop_map(|(pick, disposition)| Step::Deliver(pick, disposition)),
        4 => Just(Step::Exchange),
        2 => prop::sample::select(tokens()).prop_map(Step::Pull),
        3 => (1_i64..3_000).prop_map(Step::Advance),
        1 => prop::sample::select(CLOCK_CHANGES.to_vec()).prop_map(Step::SetClock),
        2 => Just(Step::Restart),
        1 => Just(Step::Reset),
        2 => Just(Step::BackUpDevice),
        2 => Just(Step::RestoreDevice),
        1 => Just(Step::BackUpCollector),
        2 => Just(Step::RestoreCollector),
        1 => Just(Step::ChangeCollector),
    ]
}

pub(super) fn tokens() -> Vec<Token> {
    let good = [QA.into(), RESEARCH.into(), both()].map(Token::For);
    good.into_iter().chain([Token::Revoked]).collect()
}

fn dispositions() -> impl Strategy<Value = Disposition> {
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

/// Changes of the clock, in days.
pub(super) const CLOCK_CHANGES: [i64; 4] = [-365, -1, 1, 365];
pub(super) const BUSY: [u16; 5] = [408, 425, 429, 500, 503];
/// The first three are temporary, the others permanent.
pub(super) const REFUSED: [(u16, &str); 6] = [
    (400, "malformed"),
    (401, "bad-signature"),
    (422, "bad-digest"),
    (409, "different-content"),
    (413, "too-large"),
    (422, "not-sealed"),
];

/// A crash at one of the next writes, with a power cut or without, in three steps of ten. Few steps write more
/// than `MANY` times.
pub(super) fn cuts() -> impl Strategy<Value = Option<(u32, bool)>> {
    let writes = prop_oneof![6 => 1..=MANY, 1 => MANY + 1..=LATEST];
    prop::option::weighted(0.3, (writes, any::<bool>()))
}

pub(super) const MANY: u32 = 16;
const LATEST: u32 = 30;

/// The beginnings of schedules: empty, or a state that few random schedules would reach. Consent is in flight
/// to the collector or known there, a guardian's too; samples wait, are in flight, or were sent and pulled.
pub(super) fn beginnings() -> impl Strategy<Value = Vec<Step>> {
    use Step::{
        Approve, BackUpCollector, BackUpDevice, Consent, DeleteAll, Exchange, Restart,
        RestoreCollector, RestoreDevice, Submit, TakeTask, Withdraw,
    };
    let pull = || Step::Pull(Token::For(both()));

    let adult = || Consent(both(), AgeBand::Adult);
    let child = || Consent(both(), AgeBand::Child);
    prop::sample::select(vec![
        vec![],
        vec![adult(), TakeTask, TakeTask],
        vec![adult(), Exchange, Submit, Submit],
        vec![adult(), Exchange, Submit, Submit, TakeTask],
        vec![adult(), Exchange, Submit, Submit, Exchange, pull(), Submit],
        vec![
            adult(),
            Exchange,
            Submit,
            Exchange,
            DeleteAll,
            Submit,
            TakeTask,
            TakeTask,
        ],
        vec![
            adult(),
            Exchange,
            Submit,
            Exchange,
            pull(),
            Withdraw(Some(QA)),
            TakeTask,
        ],
        vec![
            adult(),
            Exchange,
            Submit,
            Exchange,
            BackUpDevice,
            Withdraw(None),
            Exchange,
            RestoreDevice,
            Submit,
        ],
        vec![
            adult(),
            Submit,
            Exchange,
            BackUpCollector,
            pull(),
            DeleteAll,
            Withdraw(Some(QA)),
            Exchange,
            RestoreCollector,
        ],
        vec![
            adult(),
            Exchange,
            Submit,
            Submit,
            Restart,
            TakeTask,
            TakeTask,
        ],
        vec![child()],
        vec![child(), Restart, Approve, Exchange, Submit, TakeTask],
    ])
}
