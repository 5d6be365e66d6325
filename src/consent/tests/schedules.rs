//! Random schedules of consent.

use proptest::prelude::*;

use super::{METHOD, Person};
use crate::{
    Purpose, Purposes,
    consent::AgeBand,
    testing::{QA, RESEARCH, both, days, terms},
};

/// The steps of a person, a guardian and the clock.
#[derive(Clone, Debug)]
enum Step {
    Say(Purposes, AgeBand, bool),
    Approve,
    Withdraw(Purposes),
    Pass(i64),
    Jump(i64),
    Restart,
}

fn steps() -> impl Strategy<Value = Step> {
    let purposes = prop::sample::select(vec![QA.into(), RESEARCH.into(), both()]);
    let age = prop::sample::select(vec![AgeBand::Adult, AgeBand::Child, AgeBand::Unknown]);
    prop_oneof![
        (purposes.clone(), age, any::<bool>()).prop_map(|(p, a, g)| Step::Say(p, a, g)),
        Just(Step::Approve),
        purposes.prop_map(Step::Withdraw),
        (0_i64..200).prop_map(Step::Pass),
        prop::sample::select(vec![-365_i64, -1, 1, 365]).prop_map(Step::Jump),
        Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(crate::testing::cases(48, 2_000))]

    /// For each purpose the oracle knows on which true day it was last consented to, and whether a
    /// guardian still has to approve or it was withdrawn since.
    #[test]
    fn grants_never_exceed_consent_or_its_term(
        steps in prop::collection::vec(steps(), 1..25),
    ) {
        let mut person = Person::new();
        let mut truly = 0;
        let mut granted: Vec<(Purpose, i64, bool)> = Vec::new();
        for step in steps {
            match step {
                Step::Say(purposes, age, guardian) => {
                    person.says(purposes.clone(), age, guardian);
                    let open = age.needs_guardian() && !guardian;
                    granted.extend(purposes.iter().map(|purpose| (purpose, truly, open)));
                }
                Step::Approve => {
                    if person.consent.approve(METHOD, &terms(1)).is_ok() {
                        granted.iter_mut().for_each(|(.., open)| *open = false);
                    }
                }
                Step::Withdraw(purposes) => {
                    let held = person.consent.grants(&terms(1));
                    person.withdraws(purposes.clone());
                    prop_assert!(!held.is_ok_and(|held| held.is_live()));
                    granted.retain(|(purpose, ..)| !purposes.contains(*purpose));
                }
                Step::Pass(passed) => {
                    // The app is used once a month at least.
                    for month in 0..=passed / 30 {
                        person.clock.advance(days((passed - 30 * month).min(30)));
                        person.state();
                    }
                    truly += passed;
                }
                Step::Jump(jump) => {
                    person.state();
                    person.clock.advance(days(jump));
                }
                Step::Restart => person = person.restart(|_| {}),
            }
            for purpose in person.granted().iter() {
                let covered = granted
                    .iter()
                    .any(|&(consented, day, open)| consented == purpose && !open && truly - day < 365);
                prop_assert!(covered, "{purpose} on day {truly}: {granted:?}");
            }
        }
    }
}
