//! Random schedules: everything that a person, a guardian, the app, the network and the clock can
//! do, in any order, with crashes at any write, compared with the reference of `expected_consent.rs`.
//!
//! The number of schedules is sufficient by count: a normal run has 120 without a crash and 400 with crashes, the
//! same each time. The latter cover each event of [`can_happen`] and [`can_be_cut_short`] at least ten times,
//! the former each event of [`can_happen`] at least once; both are asserted. So each step is taken, each response reaches
//! each kind of request, also after a restart, a reset or a withdrawal, and each of the first sixteen writes is the last one
//! before a crash. The rarest events are a portal that responds to a registration, 10 times, and a reset with a registration
//! in flight and a crash at the sixteenth write, 11 times each; half occur over 70 times. A soak run draws 10 000 schedules or
//! more, and covers [`can_happen_at_last`] too.

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

/// Schedules that once failed.
#[test]
fn regressions() {
    let consent = |purposes: Purposes, age| Step::Consent(purposes, age);
    let deliver = |tenths: u64| Step::Deliver(Pick(u64::MAX / 10 * tenths), Disposition::Answered);
    let adult = AgeBand::Adult;
    let schedules = [
        vec![
            (consent(QA.into(), adult), None),
            (Step::TakeTask, None),
            (Step::TakeTask, None),
            (consent(RESEARCH.into(), adult), None),
            (Step::Withdraw(Some(RESEARCH)), None),
            (Step::TakeTask, None),
            (Step::TakeTask, None),
            (consent(QA.into(), adult), None),
            (consent(QA.into(), adult), None),
            (Step::Reset, None),
            (consent(QA.into(), adult), None),
            (deliver(8), None),
        ],
        vec![
            (consent(both(), adult), None),
            (Step::TakeTask, None),
            (Step::TakeTask, None),
            (consent(QA.into(), adult), None),
            (Step::Withdraw(Some(QA)), None),
            (Step::TakeTask, None),
            (Step::Reset, None),
        ],
        vec![
            (consent(both(), AgeBand::Child), None),
            (Step::Withdraw(Some(QA)), None),
            (consent(RESEARCH.into(), AgeBand::Unknown), None),
            (consent(QA.into(), AgeBand::Unknown), None),
            (Step::Approve, None),
        ],
        vec![
            (consent(QA.into(), adult), None),
            (Step::TakeTask, None),
            (deliver(0), None),
            (Step::TakeTask, None),
            (Step::Withdraw(None), None),
            (Step::TakeTask, None),
            (deliver(6), None),
            (deliver(0), Some((1, false))),
        ],
        vec![
            (consent(both(), adult), None),
            (Step::Exchange, None),
            (Step::Submit, None),
            (Step::Exchange, None),
            (Step::BackUpDevice, None),
            (Step::Withdraw(None), None),
            (Step::Exchange, None),
            (Step::RestoreDevice, None),
            (Step::Submit, None),
            (Step::ChangeCollector, None),
            (consent(QA.into(), adult), None),
        ],
        vec![
            (consent(both(), adult), None),
            (Step::Submit, None),
            (Step::Exchange, None),
            (Step::BackUpCollector, None),
            (Step::DeleteAll, None),
            (Step::Withdraw(Some(QA)), None),
            (Step::Exchange, None),
            (Step::RestoreCollector, None),
            (Step::SetClock(365), None),
        ],
    ];
    for steps in schedules {
        World::new(&Coverage::default()).run(&steps);
    }
}

/// Runs random schedules and returns their coverage. Everything except keys is the same in every normal run, so that
/// the coverage is too.
fn run_schedules(
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
    let count = Cell::new(0);
    let schedule = (beginnings(), prop::collection::vec((steps(), cuts), 1..45));
    let outcome = TestRunner::new(config).run(&schedule, |(beginning, steps)| {
        count.set(count.get() + 1);
        let _draws = (!is_soak()).then(|| draws::seeded(count.get()));
        let beginning = beginning.into_iter().map(|step| (step, None));
        let steps: Vec<_> = beginning.chain(steps).collect();
        World::new(&coverage).run(&steps);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    coverage
}

#[test]
fn no_schedule_violates_consent() {
    let coverage = run_schedules(120, 3_000, "no_schedule_violates_consent", Just(None));
    coverage.assert_each(1, &can_happen());
}

#[test]
fn no_schedule_with_crashes_violates_consent() {
    let coverage = run_schedules(
        400,
        7_000,
        "no_schedule_with_crashes_violates_consent",
        cuts(),
    );
    coverage.assert_each(4, &can_happen());
    coverage.assert_each(10, &can_be_cut_short());
    coverage.assert_each(2, &can_happen_too());
    if is_soak() {
        coverage.assert_each(3, &can_happen_at_last());
    }
}
