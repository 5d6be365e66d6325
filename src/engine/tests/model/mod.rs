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

mod coverage;
mod expected_consent;
mod steps;
mod world;

use std::cell::Cell;

use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use test_tiers::is_soak;

use self::{
    coverage::{Coverage, can_be_cut_short, can_happen, can_happen_at_last, can_happen_too},
    steps::{Disposition, Pick, Step, beginnings, cuts, steps},
    world::World,
};
use crate::{
    Purposes,
    consent::AgeBand,
    testing::{QA, RESEARCH, both, cases, draws},
};

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
