//! Consent, withdrawals and deletions by the person.

use super::{World, done};
use crate::{
    Id, Purpose, Purposes,
    consent::{AgeBand, ConsentState, GuardianMethod},
    engine::tests::model::steps::Pick,
    testing::both,
    upload::TaskKind,
};

impl World<'_> {
    pub(super) fn give_consent(&mut self, purposes: &Purposes, age: AgeBand) {
        let Some(status) = done(self.engine().consent()) else {
            return;
        };
        let stood = matches!(
            status.state,
            ConsentState::Granted | ConsentState::AwaitingGuardian
        );
        let Some(record) = self.device().try_consent_as(purposes, age).and_then(done) else {
            return;
        };
        self.record(match self.withdrawn.contains_key(&record) {
            true => "consent: extends the record",
            false => "consent: a new record",
        });
        self.record(format!("consent: {}", status.state));
        self.expected.consents(purposes, age, stood);
        self.withdrawn.entry(record).or_default();
        self.starts_at_consent = self.starts;
    }

    pub(super) fn approve(&mut self) {
        // The reasons of a refusal are tested with consent.
        let is_done = self.engine().approve(GuardianMethod::SignedForm).is_ok();
        let is_taken = is_done || self.has_crashed && self.state() == Some(ConsentState::Granted);
        self.record(match (is_taken, self.starts > self.starts_at_consent) {
            (true, true) => "approve: accepted, after a restart",
            (true, false) => "approve: accepted",
            (false, _) => "approve: refused",
        });
        if is_taken {
            self.expected.guardian_agrees();
        }
    }

    pub(super) fn come_of_age(&mut self) {
        let is_done = self.engine().come_of_age().is_ok();
        let status = self.engine().consent().ok();
        let is_taken = is_done || status.is_some_and(|status| status.came_of_age);
        self.record(match is_taken {
            true => "come of age: accepted",
            false => "come of age: refused",
        });
        if is_taken {
            self.expected.comes_of_age();
        }
    }

    pub(super) fn submit(&self) {
        let queued = self.device().queue();
        self.record(match queued {
            Ok(_) => "submit: queued",
            Err(_) => "submit: not queued",
        });
    }

    pub(super) fn state(&self) -> Option<ConsentState> {
        self.engine().consent().ok().map(|status| status.state)
    }

    pub(super) fn withdraw(&mut self, purpose: Option<Purpose>) {
        let purposes = purpose.map_or_else(both, Purposes::from);
        let held = self.held_by_records();
        let before = self.state();
        let waits = self
            .engine()
            .status()
            .is_ok_and(|status| status.pending > 0);
        if done(self.engine().withdraw(purpose)).is_none() {
            return;
        }
        if let Some(state) = before {
            self.record(format!("withdraw: {state}"));
        }
        self.record_if(waits, "withdraw: a sample waits");
        for kind in ["register", "withdraw", "send", "delete"] {
            self.record_if(
                self.is_in_flight(kind),
                format!("withdraw: a {kind} is in flight"),
            );
        }
        self.record_if(self.is_registered(), "withdraw: the record is registered");
        self.record_if(self.are_held(), "withdraw: the collector has samples");
        let present = &self.device().collector;
        self.record_if(
            self.collectors
                .iter()
                .any(|(collector, known)| collector != present && known.grants_something()),
            "withdraw: an earlier collector knows the record",
        );
        self.expected.withdraws(&purposes);
        self.note_withdrawal(&held, &purposes);
    }

    pub(super) fn delete(&mut self, pick: Pick) {
        let samples = self.engine().samples().unwrap();
        if !samples.is_empty() {
            let before = &samples[pick.index(samples.len())];
            let sample = before.id;
            if done(self.engine().delete(sample)).is_some() {
                self.record(format!("delete: {:?}", before.state));
                self.record_if(self.is_sending(sample), "delete: the sample is in flight");
                self.deleted.insert(sample);
            }
        }
    }

    pub(super) fn delete_all(&mut self) {
        let samples = self.engine().samples().unwrap();
        if done(self.engine().delete_all()).is_some() {
            self.record_if(!samples.is_empty(), "delete all: there are samples");
            self.record_if(
                self.is_in_flight("send"),
                "delete all: a sample is in flight",
            );
            self.deleted.extend(samples.iter().map(|entry| entry.id));
        }
    }

    /// Whether that sample is in flight.
    pub(super) fn is_sending(&self, sample: Id) -> bool {
        let task = TaskKind::Send { sample };
        let mut tasks = self.in_flight.iter().map(|request| &request.task.kind);
        tasks.any(|kind| *kind == task)
    }
}
