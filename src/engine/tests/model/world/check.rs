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
    /// What holds at every instant.
    pub(super) fn check(&self) {
        for entry in self.engine().samples().unwrap() {
            let is_held = self.is_held(entry.id);
            // Until the requests are sent again, a collector that was put back may hold what was deleted there.
            let is_unsure = self.collector_was_put_back || self.before_put_back.contains(&entry.id);
            let file = self.device().file(entry.id);
            self.met(format!("check: {:?}", entry.state));
            self.met_if(
                is_held && entry.state == SampleState::DeletionAsked,
                "check: a deletion has to reach the collector",
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
                assert!(self.device().was_told(&Event::Dropped(entry.id)));
            }
        }
        let allowed = self.said.allows();
        let granted = self.engine().grants().map(|grants| grants.purposes());
        let granted = granted.unwrap_or_default();
        self.met_if(!granted.is_empty(), "check: granted");
        self.met_if(
            granted.is_empty() && !allowed.is_empty(),
            "check: said, and not granted any more",
        );
        self.met_if(allowed.is_empty(), "check: nothing is allowed");
        assert!(
            granted.is_subset(&allowed),
            "{granted} is granted, {allowed} allowed"
        );
    }

    /// The network holds from here on: everything comes to its end.
    pub(super) fn settle(&mut self) {
        for request in std::mem::take(&mut self.on_their_way) {
            self.comes(&request, &Disposition::Answered);
            self.check();
        }
        // What was taken before a restart and never came to anything.
        self.restart(false);
        // A withdrawal is repeated for two days where a registration may still arrive.
        let is_unsure = self.was_reset || self.has_crashed;
        self.met_if(self.was_reset, "settle: after a reset");
        self.met_if(self.has_crashed, "settle: after a crash");
        for _ in 0..if is_unsure { 25 } else { 3 } {
            self.device().clock.advance(SignedDuration::from_hours(25));
            self.exchange();
        }
        // Who was once let in and is no more still has copies.
        self.pull(&Token::Revoked);
        self.check_end();
    }

    pub(super) fn check_end(&self) {
        let entries = self.engine().samples().unwrap();
        for entry in &entries {
            self.met(format!("end: {:?}", entry.state));
            let is_open = matches!(
                entry.state,
                SampleState::Pending | SampleState::DeletionAsked
            );
            assert!(!is_open, "{entry:?} came to no end");
        }
        assert_eq!(self.engine().status().unwrap().deletions_pending, 0);
        for collector in self.collectors.values() {
            self.check_collector(collector, &entries);
        }
        for ((collector, sample), purposes) in &self.pulled {
            self.met("end: pulled");
            let held = self.collectors[collector].samples.get(sample);
            assert!(held.is_some_and(|held| purposes.is_subset(&held.purposes)));
        }
        let sent = entries
            .iter()
            .filter(|entry| entry.state == SampleState::Sent);
        for entry in sent {
            let is_unsure = self.collector_was_put_back || self.before_put_back.contains(&entry.id);
            assert!(is_unsure || self.is_held(entry.id), "sent, yet not held");
        }
    }

    pub(super) fn check_collector(&self, collector: &FakeCollector, entries: &[SampleEntry]) {
        // Of a record that was made after the backup that the device was put back from, it knows nothing.
        let taken_back = |record: &Id| match self.taken_back.get(record) {
            Some(taken) => taken.clone(),
            None => {
                assert!(self.was_put_back);
                Purposes::default()
            }
        };
        for (sample, held) in &collector.samples {
            let taken = taken_back(&held.record);
            self.met("end: held");
            self.met_if(
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
            assert!(is_listed || self.before_put_back.contains(sample));
        }
        for (record, known) in &collector.records {
            let taken = taken_back(record);
            self.met_if(!taken.is_empty(), "end: the collector heard of a no");
            self.met_if(
                known.granted.is_empty(),
                "end: the collector holds nothing of a record",
            );
            assert!(known.granted.intersection(&taken).is_empty());
        }
    }
}
