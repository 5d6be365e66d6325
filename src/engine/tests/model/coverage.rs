//! Coverage: the number of times that each possible event occurred in random schedules. There are enough schedules
//! if all of them occurred, many times.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::steps::{BUSY, CLOCK_CHANGES, MANY, REFUSED, Step, tokens};
use crate::{
    consent::AgeBand,
    testing::{QA, RESEARCH, both},
};

#[derive(Default)]
pub(super) struct Coverage(RefCell<BTreeMap<String, u32>>);

impl Coverage {
    /// Counts an event.
    pub(super) fn record(&self, what: impl Into<String>) {
        *self.0.borrow_mut().entry(what.into()).or_default() += 1;
    }

    pub(super) fn record_if(&self, has_happened: bool, what: impl Into<String>) {
        if has_happened {
            self.record(what);
        }
    }

    /// Fails if an event of `expected` occurred fewer than `times` times.
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
            "fewer than {times} times:\n{}",
            rare.join("\n")
        );
    }
}

/// Events that random schedules must cover.
pub(super) fn can_happen() -> BTreeSet<String> {
    let mut all: BTreeSet<String> = [
        "approve: refused",
        "approve: accepted",
        "approve: accepted, after a restart",
        "check: a deletion is pending",
        "check: granted",
        "check: nothing is allowed",
        "check: consented, and no longer granted",
        "come of age: refused",
        "come of age: accepted",
        "delete all: a sample is in flight",
        "delete all: there are samples",
        "delete: answered 204",
        "delete: the sample is in flight",
        "end: held",
        "end: held for what is left of its purposes",
        "end: pulled",
        "end: the collector knows of a withdrawal",
        "end: the collector holds nothing of a record",
        "change collector: a record is registered",
        "confirm: answered 200",
        "epoch: answered 200",
        "submit: not queued",
        "submit: queued",
        "pull: a copy is deleted",
        "pull: a copy that the token may not read",
        "pull: copies",
        "restored collector: a withdrawal is lost",
        "restore device: a withdrawal followed the backup",
        "restore device: the collector knows of a withdrawal",
        "register: answered 200",
        "register: answered 201",
        "reset: a record is registered",
        "reset: done",
        "reset: the collector has samples",
        "consent: a new record",
        "consent: awaiting-guardian",
        "consent: granted",
        "consent: none",
        "consent: extends the record",
        "consent: withdrawn",
        "send: answered 201",
        "send: arrives after the withdrawal",
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
    let dispositions = [
        "answered",
        "answer lost",
        "never arrives",
        "portal",
        "busy",
        "refused",
    ];
    for task in ["plan", "register", "confirm", "withdraw", "send", "delete"] {
        all.insert(format!("take: {task}"));
        all.insert(format!("{task}: arrives after a restart"));
        all.extend(dispositions.map(|disposition| format!("{task}: {disposition}")));
    }
    for task in ["register", "withdraw", "send", "delete"] {
        all.insert(format!("withdraw: a {task} is in flight"));
        all.insert(format!("reset: a {task} is in flight"));
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
            all.insert(format!(
                "step: {}",
                Step::Consent(purposes.clone(), age).name()
            ));
        }
    }
    for withdrawn in [None, Some(QA), Some(RESEARCH)] {
        all.insert(format!("step: {}", Step::Withdraw(withdrawn).name()));
    }
    for days in CLOCK_CHANGES {
        all.insert(format!("step: {}", Step::SetClock(days).name()));
    }
    all
}

/// Events that schedules with crashes must cover too: a crash in each step that writes, at each of the first
/// writes.
pub(super) fn can_be_cut_short() -> BTreeSet<String> {
    let steps = [
        "consent",
        "submit",
        "withdraw",
        "delete",
        "delete-all",
        "take",
        "deliver",
        "exchange",
        "reset",
    ];
    let in_steps = steps.map(|step| format!("crash: in {step}"));
    let at_writes = (1..=MANY).map(|write| format!("crash: at write {write}"));
    in_steps.into_iter().chain(at_writes).collect()
}

/// Rarer events, at least twice in schedules with crashes.
pub(super) fn can_happen_too() -> BTreeSet<String> {
    let rare = [
        "crash: at a later write",
        "crash: in approve",
        "crash: in come-of-age",
        "pull: a copy loses a purpose",
        "send: answered 200",
        "send: answered 410",
        "send: unknown after the reset",
    ];
    let power_lost = (1..=MANY).map(|write| format!("crash: at write {write}, power lost"));
    power_lost.chain(rare.map(str::to_owned)).collect()
}

/// Events that thousands of schedules cover.
pub(super) fn can_happen_at_last() -> BTreeSet<String> {
    let rarest = [
        "register: answered 409",
        "register: answered 410",
        "send: answered 403",
    ];
    rarest.map(str::to_owned).into()
}
