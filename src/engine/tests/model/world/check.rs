//! The promises, at every instant and in the end.

use jiff::SignedDuration;

use super::World;
use crate::{
    Event, Id, Purposes,
    engine::tests::{
        collector::FakeCollector,
        model::steps::{Disposition, Token},
    },
    outbox::{SampleEntry, SampleState},
};

impl World<'_> {
    /// Invariants.
    pub(super) fn check(&self) {
        for entry in self.engine().samples().unwrap() {
            let is_held = self.is_held(entry.id);
            // Until the requests are sent again, a restored collector may hold deleted samples.
            let is_unsure = self.collector_was_restored || self.before_restore.contains(&entry.id);
            let file = self.device().file(entry.id);
            self.record(format!("check: {:?}", entry.state));
            self.record_if(
                is_held && entry.state == SampleState::DeletionAsked,
                "check: a deletion is pending",
            );
            match entry.state {
                SampleState::Deleted | SampleState::Dropped if !is_unsure => {
                    assert!(!is_held, "{:?}, yet held", entry.state);
                }
                SampleState::Refused if !self.has_crashed => {
                    assert!(self.refused.contains(&entry.id));
                }
                _ => {}
            }
            assert_eq!(file.exists(), entry.state == SampleState::Pending);
            if entry.state == SampleState::Dropped && !self.has_crashed {
                assert!(self.device().received(&Event::Dropped(entry.id)));
            }
        }
        let allowed = self.expected.allows();
        let granted = self.engine().grants().map(|grants| grants.purposes());
        let granted = granted.unwrap_or_default();
        self.record_if(!granted.is_empty(), "check: granted");
        self.record_if(
            granted.is_empty() && !allowed.is_empty(),
            "check: consented, and no longer granted",
        );
        self.record_if(allowed.is_empty(), "check: nothing is allowed");
        assert!(
            granted.is_subset(&allowed),
            "{granted} is granted, {allowed} allowed"
        );
    }

    /// Runs with a working network until nothing is due.
    pub(super) fn settle(&mut self) {
        for request in std::mem::take(&mut self.in_flight) {
            self.deliver(&request, &Disposition::Answered);
            self.check();
        }
        // Tasks that were taken before a restart and have no result are due again.
        self.restart(false);
        // A withdrawal is repeated for two days where a registration may still arrive.
        let is_unsure = self.was_reset || self.has_crashed;
        self.record_if(self.was_reset, "settle: after a reset");
        self.record_if(self.has_crashed, "settle: after a crash");
        for _ in 0..if is_unsure { 25 } else { 3 } {
            self.device().clock.advance(SignedDuration::from_hours(25));
            self.exchange();
        }
        // A reader whose token was revoked still has copies.
        self.pull(&Token::Revoked);
        self.check_end();
    }

    pub(super) fn check_end(&self) {
        let entries = self.engine().samples().unwrap();
        for entry in &entries {
            self.record(format!("end: {:?}", entry.state));
            let is_open = matches!(
                entry.state,
                SampleState::Pending | SampleState::DeletionAsked
            );
            assert!(!is_open, "{entry:?} is unfinished");
        }
        assert_eq!(self.engine().status().unwrap().deletions_pending, 0);
        for collector in self.collectors.values() {
            self.check_collector(collector, &entries);
        }
        for ((collector, sample), purposes) in &self.pulled {
            self.record("end: pulled");
            let held = self.collectors[collector].samples.get(sample);
            assert!(held.is_some_and(|held| purposes.is_subset(&held.purposes)));
        }
        let sent = entries
            .iter()
            .filter(|entry| entry.state == SampleState::Sent);
        for entry in sent {
            let is_unsure = self.collector_was_restored || self.before_restore.contains(&entry.id);
            assert!(is_unsure || self.is_held(entry.id), "sent, yet not held");
        }
    }

    pub(super) fn check_collector(&self, collector: &FakeCollector, entries: &[SampleEntry]) {
        // A restored device does not know a record that is newer than its backup.
        let withdrawn = |record: &Id| match self.withdrawn.get(record) {
            Some(taken) => taken.clone(),
            None => {
                assert!(self.was_restored);
                Purposes::default()
            }
        };
        for (sample, held) in &collector.samples {
            let taken = withdrawn(&held.record);
            self.record("end: held");
            self.record_if(
                !taken.is_empty(),
                "end: held for what is left of its purposes",
            );
            assert!(!self.deleted.contains(sample), "deleted, yet held");
            assert!(
                held.purposes.intersection(&taken).is_empty(),
                "withdrawn, yet held"
            );
            let entry = entries.iter().find(|entry| entry.id == *sample);
            let states = [SampleState::Sent, SampleState::Refused];
            let is_listed = entry.is_some_and(|entry| states.contains(&entry.state));
            assert!(is_listed || self.before_restore.contains(sample));
        }
        for (record, known) in &collector.records {
            let taken = withdrawn(record);
            self.record_if(
                !taken.is_empty(),
                "end: the collector knows of a withdrawal",
            );
            self.record_if(
                known.granted.is_empty(),
                "end: the collector holds nothing of a record",
            );
            assert!(known.granted.intersection(&taken).is_empty());
        }
    }
}
