//! What random lives have met: how often each thing that can happen has happened in them. A number of lives
//! is enough when all of it has, many times.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::steps::{BUSY, JUMPS, MANY, REFUSED, Step, tokens};
use crate::{
    consent::AgeBand,
    testing::{QA, RESEARCH, both},
};

#[derive(Default)]
pub(super) struct Coverage(RefCell<BTreeMap<String, u32>>);

impl Coverage {
    /// It has happened again.
    pub(super) fn met(&self, what: impl Into<String>) {
        *self.0.borrow_mut().entry(what.into()).or_default() += 1;
    }

    pub(super) fn met_if(&self, has_happened: bool, what: impl Into<String>) {
        if has_happened {
            self.met(what);
        }
    }

    /// Fails where something of `expected` was met less than `times`.
    #[track_caller]
    pub(super) fn assert_each(&self, times: u32, expected: &BTreeSet<String>) {
        let met = self.0.borrow();
        let count = |what: &String| met.get(what).copied().unwrap_or(0);
        let rare: Vec<String> = expected
            .iter()
            .filter(|what| count(what) < times)
            .map(|what| format!("{what}: {}", count(what)))
            .collect();
        assert!(
            rare.is_empty(),
            "met less than {times} times:\n{}",
            rare.join("\n")
        );
    }
}

/// What must have happened in random lives before they are enough.
pub(super) fn can_happen() -> BTreeSet<String> {
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
pub(super) fn can_be_cut_short() -> BTreeSet<String> {
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
pub(super) fn can_happen_too() -> BTreeSet<String> {
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
pub(super) fn can_happen_at_last() -> BTreeSet<String> {
    let rarest = [
        "register: answered 409",
        "register: answered 410",
        "send: answered 403",
    ];
    rarest.map(str::to_owned).into()
}
