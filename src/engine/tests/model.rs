//! Random lives of a device: everything that a person, a guardian, the app, the network and the clock can
//! do, in any order, with crashes at any write, against the reference of `said.rs`.

use proptest::prelude::*;

use super::world::World;
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
    Delete(prop::sample::Index),
    DeleteAll,
    /// The host takes what is due.
    Take,
    /// Something comes of a request on its way, in any order.
    Comes(prop::sample::Index, Fate),
    Pull,
    Pass(i64),
    Jump(i64),
    Restart,
    Reset,
}

#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// It arrives and so does the answer.
    Answered,
    /// It arrives, but the answer is lost.
    AnswerLost,
    NeverArrives,
    Portal,
    Busy(u16),
    Refused(u16),
}

impl Step {
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

fn steps() -> impl Strategy<Value = Step> {
    let purposes = prop::sample::select(vec![QA.into(), RESEARCH.into(), both()]);
    let ages = prop_oneof![
        4 => Just(AgeBand::Adult),
        1 => Just(AgeBand::Child),
        1 => Just(AgeBand::Unknown),
    ];
    let withdrawn = prop::sample::select(vec![None, Some(QA), Some(RESEARCH)]);
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (purposes, ages).prop_map(|(purposes, age)| Step::Say(purposes, age)),
        1 => Just(Step::Approve),
        1 => Just(Step::ComeOfAge),
        8 => Just(Step::Offer),
        2 => withdrawn.prop_map(Step::Withdraw),
        1 => index().prop_map(Step::Delete),
        1 => Just(Step::DeleteAll),
        12 => Just(Step::Take),
        12 => (index(), fates()).prop_map(|(index, fate)| Step::Comes(index, fate)),
        1 => Just(Step::Pull),
        3 => (1_i64..3_000).prop_map(Step::Pass),
        1 => prop::sample::select(vec![-365_i64, -1, 1, 365]).prop_map(Step::Jump),
        2 => Just(Step::Restart),
        1 => Just(Step::Reset),
    ]
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Answered),
        2 => Just(Fate::AnswerLost),
        1 => Just(Fate::NeverArrives),
        1 => Just(Fate::Portal),
        1 => prop::sample::select(vec![408_u16, 425, 429, 500, 503]).prop_map(Fate::Busy),
        1 => prop::sample::select(vec![400_u16, 401, 403, 409, 413, 422]).prop_map(Fate::Refused),
    ]
}

/// A crash at one of the next writes, with a power cut or without, in one step of six.
fn cuts() -> impl Strategy<Value = Option<(u32, bool)>> {
    prop::option::weighted(1.0 / 6.0, (1_u32..30, any::<bool>()))
}

/// So many sequences, or as many more as PROPTEST_CASES asks for.
fn at_least(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(ProptestConfig::default().cases.max(cases))
}

proptest! {
    #![proptest_config(at_least(3_000))]
    #[test]
    fn whatever_happens_nothing_goes_without_a_yes_and_a_no_reaches_everywhere(
        steps in prop::collection::vec(steps(), 1..45),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.live(step, None);
        }
        world.settle();
    }
}

proptest! {
    #![proptest_config(at_least(7_000))]
    #[test]
    fn nor_does_it_through_crashes_at_any_write(
        steps in prop::collection::vec((steps(), cuts()), 1..45),
    ) {
        let mut world = World::new();
        for (step, cut) in &steps {
            world.live(step, *cut);
        }
        world.settle();
    }
}
