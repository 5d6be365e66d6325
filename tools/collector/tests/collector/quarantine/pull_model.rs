//! Pulls, quarantines, releases and deletions in random order, compared with a model.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use proptest::{
    prelude::*,
    test_runner::{Config as Cases, RngSeed, TestRunner},
};
use serde_json::Value;
use test_tiers::is_soak;

use super::*;
use crate::support::*;

/// An event during a pull, for one of a few samples.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The pull requests the next page of samples.
    List,
    /// It downloads a listed sample.
    Fetch,
    /// It reads a page of withdrawn samples and removes them.
    Remove,
    Quarantine(usize),
    Release(usize),
    Delete(usize),
    WithdrawFromPurpose(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let one = 0..3_usize;
    prop_oneof![
        3 => Just(Step::List),
        3 => Just(Step::Fetch),
        3 => Just(Step::Remove),
        4 => one.clone().prop_map(Step::Quarantine),
        4 => one.clone().prop_map(Step::Release),
        1 => one.clone().prop_map(Step::Delete),
        1 => one.prop_map(Step::WithdrawFromPurpose),
    ]
}

/// A pull as docs/protocol.md defines it.
struct Pull<'a> {
    collector: &'a Collector,
    token: &'a str,
    met: &'a Met,
    samples: String,
    withdrawn: String,
    message: Vec<String>,
    copies: BTreeSet<String>,
}

impl Pull<'_> {
    /// Returns whether there was anything.
    fn list(&mut self) -> bool {
        let page = self.page("samples", &self.samples);
        self.samples = format!("&after={}", page["next"].as_str().unwrap());
        let message = page["samples"].as_array().unwrap();
        let ids = message.iter().map(|sample| sample["id"].as_str().unwrap());
        self.message.extend(ids.map(str::to_owned));
        !message.is_empty()
    }

    fn fetch(&mut self) -> bool {
        let Some(id) = self.message.pop() else {
            return false;
        };
        let target = format!("/v1/samples/{id}?purpose={QA}");
        let answer = self.collector.read(self.token, &target);
        if answer.status == 200 {
            self.copies.insert(id);
        } else {
            answer.problem(410, "deleted");
            count(&self.met.refused);
        }
        true
    }

    fn remove(&mut self) -> bool {
        let page = self.page("withdrawn", &self.withdrawn);
        self.withdrawn = format!("&after={}", page["next"].as_str().unwrap());
        let ids = page["ids"].as_array().unwrap();
        for id in ids {
            if self.copies.remove(id.as_str().unwrap()) {
                count(&self.met.removed);
            }
        }
        !ids.is_empty()
    }

    fn page(&self, list: &str, after: &str) -> Value {
        let target = format!("/v1/{list}?purpose={QA}&limit=2{after}");
        self.collector.read(self.token, &target).expect(200).json()
    }
}

/// Counts of events that must occur often enough over all cases.
#[derive(Debug, Default)]
struct Met {
    /// A listed sample was deleted before its download.
    refused: Cell<usize>,
    /// The pull removed a copy.
    removed: Cell<usize>,
    /// A sample with a copy was quarantined and released later.
    released_after_copy: Cell<usize>,
    /// A quarantined sample was deleted or withdrawn.
    ended_in_quarantine: Cell<usize>,
}

fn count(cell: &Cell<usize>) {
    cell.set(cell.get() + 1);
}

/// 48 fixed cases, in which each event of [`Met`] occurs at least ten times, or many random ones.
fn cases() -> Cases {
    let (cases, rng_seed) = match is_soak() {
        true => (1000, RngSeed::Random),
        false => (48, RngSeed::Fixed(1)),
    };
    Cases {
        cases,
        rng_seed,
        failure_persistence: None,
        ..Cases::default()
    }
}

#[test]
fn a_pull_converges_to_released_and_granted_samples() {
    let collector = Collector::start();
    let token = collector.token(QA);
    let met = Met::default();
    // Each case has its own samples and continues after the pulls of the previous ones.
    let cursors = RefCell::<[String; 2]>::default();
    let mut runner = TestRunner::new(cases());
    let outcome = runner.run(&prop::collection::vec(step(), 1..40), |steps| {
        let samples: Vec<_> = (0..3)
            .map(|_| Device::with_sample(&collector, BOTH))
            .collect();
        let own: BTreeSet<_> = samples.iter().map(|(_, id)| id.to_string()).collect();
        let mut available = own.clone();
        // Whether the pull had a copy.
        let mut held_back = BTreeMap::new();
        let [samples_seen, withdrawn_seen] = cursors.borrow().clone();
        let mut pull = Pull {
            collector: &collector,
            token: &token,
            met: &met,
            samples: samples_seen,
            withdrawn: withdrawn_seen,
            message: Vec::new(),
            copies: BTreeSet::new(),
        };
        for step in steps {
            match step {
                Step::List => drop(pull.list()),
                Step::Fetch => drop(pull.fetch()),
                Step::Remove => drop(pull.remove()),
                Step::Quarantine(number) => {
                    let id = samples[number].1;
                    heard(&collector, &token, id, "3.1.0").expect(204);
                    if available.remove(&id.to_string()) {
                        let has_copy = pull.copies.contains(&id.to_string());
                        held_back.insert(number, has_copy);
                    }
                }
                Step::Release(number) => {
                    if let Some(had_copy) = held_back.remove(&number) {
                        let id = samples[number].1;
                        release(&collector.config, id);
                        available.insert(id.to_string());
                        if had_copy {
                            count(&met.released_after_copy);
                        }
                    }
                }
                Step::Delete(number) | Step::WithdrawFromPurpose(number) => {
                    let (device, id) = &samples[number];
                    match step {
                        Step::Delete(_) => collector.send(&device.delete(*id)).expect(204),
                        _ => collector.send(&device.withdraw(QA)).expect(200),
                    };
                    available.remove(&id.to_string());
                    if held_back.remove(&number).is_some() {
                        count(&met.ended_in_quarantine);
                    }
                }
            }
        }
        while pull.fetch() {}
        while pull.remove() {}
        while pull.list() {}
        while pull.fetch() {}
        while pull.remove() {}
        *cursors.borrow_mut() = [pull.samples, pull.withdrawn];
        // After a failed case, a pull sees its leftovers.
        let copies: BTreeSet<_> = pull.copies.intersection(&own).cloned().collect();
        prop_assert_eq!(&copies, &available);
        let listed: BTreeSet<_> = collector.listed(&token, QA).into_iter().collect();
        let listed: BTreeSet<_> = listed.intersection(&own).cloned().collect();
        prop_assert_eq!(listed, available);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let counts = [
        &met.refused,
        &met.removed,
        &met.released_after_copy,
        &met.ended_in_quarantine,
    ];
    assert!(counts.iter().all(|count| count.get() >= 10), "{met:?}");
}
