//! A device, what its person said, and the rest of the world: an unreliable network, a collector, a folder
//! that somebody pulls into.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use jiff::SignedDuration;

use super::{
    Device,
    collector::{FakeCollector, OnItsWay, answer},
    model::{Fate, Step},
    said::Said,
};
use crate::{
    Event, Id, Purpose, Purposes, Sordino,
    consent::{AgeBand, ConsentState, GuardianMethod},
    outbox::{Quota, SampleState},
    testing::{both, crash, days, folder, plan},
    upload::{Answer, Finished, Outcome, Task},
};

pub(super) struct World {
    device: Option<Device>,
    collector: FakeCollector,
    on_their_way: Vec<OnItsWay>,
    said: Said,
    /// What of each record was taken back; all that it ever held where the device was reset.
    taken_back: BTreeMap<Id, Purposes>,
    deleted: BTreeSet<Id>,
    refused: BTreeSet<Id>,
    /// Copies in the folder that was pulled into, and what each may be used for.
    pulled: BTreeMap<Id, Purposes>,
    has_crashed: bool,
    was_reset: bool,
}

impl World {
    pub(super) fn new() -> Self {
        let quota = Quota {
            samples: 4,
            ..Quota::default()
        };
        crash::with_power_cuts();
        Self {
            device: Some(Device::with(folder(), plan(1), quota)),
            collector: FakeCollector::default(),
            on_their_way: Vec::new(),
            said: Said::default(),
            taken_back: BTreeMap::new(),
            deleted: BTreeSet::new(),
            refused: BTreeSet::new(),
            pulled: BTreeMap::new(),
            has_crashed: false,
            was_reset: false,
        }
    }

    /// One step, cut short by a crash at that write, perhaps with a power cut.
    pub(super) fn live(&mut self, step: &Step, cut: Option<(u32, bool)>) {
        if let Some((writes, _)) = cut {
            crash::after(writes);
        }
        self.act(step);
        match cut {
            Some((_, loses_power)) if crash::has_come() => {
                self.has_crashed = true;
                self.restart(loses_power);
                // What was cut short may or may not have happened; whoever wanted it says it again.
                if step.is_said_again() {
                    self.act(step);
                }
            }
            Some(_) => crash::restart(false),
            None => {}
        }
        self.check();
    }

    fn device(&self) -> &Device {
        self.device.as_ref().unwrap()
    }

    fn engine(&self) -> &Sordino {
        &self.device().engine
    }

    fn restart(&mut self, loses_power: bool) {
        let device = self.device.take().unwrap();
        self.device = Some(device.restart(|_| crash::restart(loses_power)));
        self.keep_plan();
    }

    /// A reset that is cut short may lose the plan.
    fn keep_plan(&self) {
        if self.engine().plan().is_none() {
            let device = self.device();
            let plan = device.organisation.sign(plan(1));
            device.engine.install_plan(&plan).unwrap();
        }
    }

    fn act(&mut self, step: &Step) {
        match step {
            Step::Say(purposes, age) => self.say(purposes, *age),
            Step::Approve => self.approve(),
            Step::ComeOfAge => self.come_of_age(),
            Step::Offer => drop(self.device().queue()),
            Step::Withdraw(purpose) => self.withdraw(*purpose),
            Step::Delete(index) => self.delete(index),
            Step::DeleteAll => self.delete_all(),
            Step::Take => drop(self.take()),
            Step::Comes(index, fate) if !self.on_their_way.is_empty() => {
                let at = index.index(self.on_their_way.len());
                let request = self.on_their_way.remove(at);
                self.comes(&request, fate);
            }
            Step::Comes(..) => {}
            Step::Pull => self.pull(),
            Step::Pass(minutes) => self
                .device()
                .clock
                .advance(SignedDuration::from_mins(*minutes)),
            Step::Jump(jump) => self.device().clock.advance(days(*jump)),
            Step::Restart => self.restart(false),
            Step::Reset => self.reset(),
        }
    }

    fn say(&mut self, purposes: &Purposes, age: AgeBand) {
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
        self.said.says(purposes, age, stood);
        self.taken_back.entry(record).or_default();
    }

    fn approve(&mut self) {
        // Whether it is refused is tested beside consent.
        let is_done = self.engine().approve(GuardianMethod::SignedForm).is_ok();
        if is_done || self.has_crashed && self.state() == Some(ConsentState::Granted) {
            self.said.guardian_agrees();
        }
    }

    fn come_of_age(&mut self) {
        let is_done = self.engine().come_of_age().is_ok();
        let status = self.engine().consent().ok();
        if is_done || status.is_some_and(|status| status.came_of_age) {
            self.said.comes_of_age();
        }
    }

    fn state(&self) -> Option<ConsentState> {
        self.engine().consent().ok().map(|status| status.state)
    }

    fn withdraw(&mut self, purpose: Option<Purpose>) {
        let purposes = purpose.map_or_else(both, Purposes::from);
        let held = self.held_by_records();
        if done(self.engine().withdraw(purpose)).is_none() {
            return;
        }
        self.said.says_no(&purposes);
        self.take_back(&held, &purposes);
    }

    /// What each record holds, read before it is taken back.
    fn held_by_records(&self) -> BTreeMap<Id, Purposes> {
        let history = self.engine().inner.consent.history().unwrap();
        history
            .receipts
            .iter()
            .map(|receipt| (receipt.content().id, receipt.content().purposes.clone()))
            .collect()
    }

    fn take_back(&mut self, held: &BTreeMap<Id, Purposes>, purposes: &Purposes) {
        for (record, held) in held {
            let taken = self.taken_back.entry(*record).or_default();
            *taken = taken.union(&held.intersection(purposes));
        }
    }

    fn reset(&mut self) {
        let held = self.held_by_records();
        let off = self.device.take().unwrap().off();
        let clock = off.config().clock;
        let is_done = done(Sordino::reset_by(off.folder.path(), &clock)).is_some();
        // A crash comes to its end here, since an engine must be there to go on with.
        self.has_crashed |= crash::has_come();
        crash::restart(true);
        self.device = Some(off.on());
        self.keep_plan();
        match is_done {
            true => {
                self.was_reset = true;
                self.said = Said::default();
                self.take_back(&held, &both());
            }
            false => self.reset(),
        }
    }

    fn delete(&mut self, index: &proptest::sample::Index) {
        let samples = self.engine().samples().unwrap();
        if !samples.is_empty() {
            let sample = index.get(&samples).id;
            if done(self.engine().delete(sample)).is_some() {
                self.deleted.insert(sample);
            }
        }
    }

    fn delete_all(&mut self) {
        let samples = self.engine().samples().unwrap();
        if done(self.engine().delete_all()).is_some() {
            self.deleted.extend(samples.iter().map(|entry| entry.id));
        }
    }

    fn take(&mut self) -> bool {
        let Some(Some(request)) = done(self.engine().next_request()) else {
            return false;
        };
        let request = OnItsWay::read(&request);
        match &request.task {
            Task::Send { sample } => {
                assert!(!self.deleted.contains(sample));
                assert!(!self.refused.contains(sample), "refused, yet sent again");
                let record = request.signer().unwrap();
                let taken = &self.taken_back[&record];
                assert!(!request.purposes().is_empty());
                assert!(request.purposes().is_subset(&self.said.allows()), "no yes");
                assert!(request.purposes().intersection(taken).is_empty());
                let grants = self.engine().grants().expect("sent without a grant");
                assert!(grants.record() == record && grants.is_live());
                assert!(request.purposes().is_subset(&grants.purposes()));
            }
            Task::Register { .. } => {
                let registers = request.registers().unwrap();
                assert!(!registers.is_empty());
                assert!(registers.is_subset(&self.said.allows()), "no yes");
            }
            _ => {}
        }
        self.on_their_way.push(request);
        true
    }

    fn comes(&mut self, request: &OnItsWay, fate: &Fate) {
        let outcome = match fate {
            Fate::Answered => Outcome::Answered(self.collector.take(request)),
            Fate::AnswerLost => {
                self.collector.take(request);
                Outcome::Unreachable("closed midway".to_owned())
            }
            Fate::NeverArrives => Outcome::Unreachable("no route".to_owned()),
            Fate::Portal => Outcome::Answered(Answer {
                status: 200,
                ..Answer::default()
            }),
            Fate::Busy(status) => {
                let mut busy = answer(*status);
                busy.headers
                    .push(("retry-after".to_owned(), "600".to_owned()));
                Outcome::Answered(busy)
            }
            Fate::Refused(status) => Outcome::Answered(answer(*status)),
        };
        // The host hands it back by its text, since the app may have ended meanwhile.
        let task = request.task.to_string().parse().unwrap();
        let finished = self.engine().finish(&task, outcome);
        if self.was_reset && finished.is_err() && !crash::has_come() {
            // Of a sample that the device knows no more.
            return;
        }
        match (task, done(finished)) {
            (Task::Send { sample }, Some(Finished::Refused { .. })) => {
                self.refused.insert(sample);
            }
            // A "no" that only the collector knows of is one all the same.
            (Task::Register { .. }, Some(Finished::Refused { status: 410, .. }))
                if self.state() == Some(ConsentState::Withdrawn) =>
            {
                self.said.says_no(&both());
            }
            _ => {}
        }
    }

    /// `sordino pull`, in short: what the collector lists is copied, what it no longer does goes.
    fn pull(&mut self) {
        let held = &self.collector.samples;
        self.pulled = held
            .iter()
            .map(|(sample, held)| (*sample, held.purposes.clone()))
            .collect();
    }

    /// What holds at every instant.
    fn check(&self) {
        for entry in self.engine().samples().unwrap() {
            let held = self.collector.samples.get(&entry.id);
            let file = self.device().file(entry.id);
            match entry.state {
                SampleState::Deleted | SampleState::Dropped => {
                    assert!(held.is_none(), "{:?}, yet held", entry.state);
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
        assert!(
            granted.is_subset(&allowed),
            "{granted} is granted, {allowed} allowed"
        );
    }

    /// The network holds from here on: everything comes to its end.
    pub(super) fn settle(&mut self) {
        for request in std::mem::take(&mut self.on_their_way) {
            self.comes(&request, &Fate::Answered);
            self.check();
        }
        // What was taken before a restart and never came to anything.
        self.restart(false);
        // A withdrawal is repeated for two days where a registration may still arrive.
        let is_unsure = self.was_reset || self.has_crashed;
        for _ in 0..if is_unsure { 25 } else { 3 } {
            self.device().clock.advance(SignedDuration::from_hours(25));
            for _ in 0..200 {
                if !self.take() {
                    break;
                }
                let request = self.on_their_way.pop().unwrap();
                self.comes(&request, &Fate::Answered);
                self.check();
            }
        }
        self.pull();
        self.check_end();
    }

    fn check_end(&self) {
        let entries = self.engine().samples().unwrap();
        for entry in &entries {
            let is_open = matches!(
                entry.state,
                SampleState::Pending | SampleState::DeletionAsked
            );
            assert!(!is_open, "{entry:?} came to no end");
        }
        assert_eq!(self.engine().status().unwrap().deletions_pending, 0);
        for (sample, held) in &self.collector.samples {
            let taken = &self.taken_back[&held.record];
            assert!(!self.deleted.contains(sample), "deleted, yet held");
            assert!(
                held.purposes.intersection(taken).is_empty(),
                "taken back, yet held"
            );
            let entry = entries.iter().find(|entry| entry.id == *sample);
            let states = [SampleState::Sent, SampleState::Refused];
            assert!(entry.is_some_and(|entry| states.contains(&entry.state)));
        }
        for (record, known) in &self.collector.records {
            let taken = &self.taken_back[record];
            assert!(known.granted.intersection(taken).is_empty());
        }
        for (sample, purposes) in &self.pulled {
            let held = self.collector.samples.get(sample);
            assert!(held.is_some_and(|held| purposes.is_subset(&held.purposes)));
        }
        let sent = entries
            .iter()
            .filter(|entry| entry.state == SampleState::Sent);
        for entry in sent {
            let is_held = self.collector.samples.contains_key(&entry.id);
            assert!(is_held, "sent, yet not held");
        }
    }
}

/// What came of a call; `None` where the crash cut it short. Nothing else may fail it.
fn done<T, E: Debug>(outcome: Result<T, E>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(_) if crash::has_come() => None,
        Err(error) => panic!("{error:?}"),
    }
}
