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
    pub(super) fn say(&mut self, purposes: &Purposes, age: AgeBand) {
        let Some(status) = done(self.engine().consent()) else {
            return;
        };
        let stood = matches!(
            status.state,
            ConsentState::Granted | ConsentState::AwaitingGuardian
        );
        let Some(record) = self.device().try_says_as(purposes, age).and_then(done) else {
            return;
        };
        self.met(match self.taken_back.contains_key(&record) {
            true => "say: to the record before",
            false => "say: a record of its own",
        });
        self.met(format!("say: {}", status.state));
        self.said.says(purposes, age, stood);
        self.taken_back.entry(record).or_default();
        self.starts_at_yes = self.starts;
    }

    pub(super) fn approve(&mut self) {
        // Whether it is refused is tested beside consent.
        let is_done = self.engine().approve(GuardianMethod::SignedForm).is_ok();
        let is_taken = is_done || self.has_crashed && self.state() == Some(ConsentState::Granted);
        self.met(match (is_taken, self.starts > self.starts_at_yes) {
            (true, true) => "approve: taken, after a restart",
            (true, false) => "approve: taken",
            (false, _) => "approve: refused",
        });
        if is_taken {
            self.said.guardian_agrees();
        }
    }

    pub(super) fn come_of_age(&mut self) {
        let is_done = self.engine().come_of_age().is_ok();
        let status = self.engine().consent().ok();
        let is_taken = is_done || status.is_some_and(|status| status.came_of_age);
        self.met(match is_taken {
            true => "come of age: taken",
            false => "come of age: refused",
        });
        if is_taken {
            self.said.comes_of_age();
        }
    }

    pub(super) fn offer(&self) {
        let queued = self.device().queue();
        self.met(match queued {
            Ok(_) => "offer: queued",
            Err(_) => "offer: not queued",
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
            self.met(format!("withdraw: {state}"));
        }
        self.met_if(waits, "withdraw: a sample waits");
        for kind in ["register", "withdraw", "send", "delete"] {
            self.met_if(
                self.is_on_its_way(kind),
                format!("withdraw: a {kind} is on its way"),
            );
        }
        self.met_if(self.is_registered(), "withdraw: the record is registered");
        self.met_if(self.are_held(), "withdraw: the collector has samples");
        let present = &self.device().collector;
        self.met_if(
            self.collectors
                .iter()
                .any(|(collector, known)| collector != present && known.grants_something()),
            "withdraw: an earlier collector knows the record",
        );
        self.said.says_no(&purposes);
        self.take_back(&held, &purposes);
    }

    pub(super) fn delete(&mut self, pick: Pick) {
        let samples = self.engine().samples().unwrap();
        if !samples.is_empty() {
            let before = &samples[pick.index(samples.len())];
            let sample = before.id;
            if done(self.engine().delete(sample)).is_some() {
                self.met(format!("delete: {:?}", before.state));
                self.met_if(self.is_sending(sample), "delete: the sample is on its way");
                self.deleted.insert(sample);
            }
        }
    }

    pub(super) fn delete_all(&mut self) {
        let samples = self.engine().samples().unwrap();
        if done(self.engine().delete_all()).is_some() {
            self.met_if(!samples.is_empty(), "delete all: there are samples");
            self.met_if(
                self.is_on_its_way("send"),
                "delete all: a sample is on its way",
            );
            self.deleted.extend(samples.iter().map(|entry| entry.id));
        }
    }

    /// Whether that sample is on its way.
    pub(super) fn is_sending(&self, sample: Id) -> bool {
        let task = TaskKind::Send { sample };
        let mut tasks = self.on_their_way.iter().map(|request| &request.task.kind);
        tasks.any(|kind| *kind == task)
    }
}
