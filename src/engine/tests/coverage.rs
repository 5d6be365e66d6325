//! What random lives have met: how often each thing that can happen has happened in them. A number of lives
//! is enough when all of it has, many times.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
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
