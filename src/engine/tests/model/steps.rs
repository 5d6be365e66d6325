//! The steps of a schedule, and how they are drawn.

use proptest::prelude::*;

use crate::{
    Purpose, Purposes,
    consent::AgeBand,
    testing::{QA, RESEARCH, both},
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
pub(super) struct Pick(pub(super) u64);

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

pub(super) fn tokens() -> Vec<Token> {
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
pub(super) const JUMPS: [i64; 4] = [-365, -1, 1, 365];
pub(super) const BUSY: [u16; 5] = [408, 425, 429, 500, 503];
/// The first three may pass, the others never do.
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

/// How a life begins: with nothing said, or further on, where few lives would come by themselves. Consent is on its way
/// to the collector or known there, a guardian's too; samples wait, are on their way, or were sent and pulled.
pub(super) fn beginnings() -> impl Strategy<Value = Vec<Step>> {
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
