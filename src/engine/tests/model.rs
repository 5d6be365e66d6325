//! Random lives of a device against a fake collector and an unreliable network.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::*;

use super::{
    Device,
    collector::{FakeCollector, OnItsWay, answer},
};
use crate::{
    Event, Id, Purpose, Purposes,
    outbox::{Quota, SampleState},
    testing::{QA, RESEARCH, both, days, folder, plan},
    upload::{Answer, Finished, Outcome, Task},
};

#[derive(Clone, Debug)]
enum Step {
    Say(Purposes),
    Offer,
    Withdraw(Option<Purpose>),
    Delete(prop::sample::Index),
    /// The host takes what is due.
    Take,
    /// Something comes of a request on its way, in any order.
    Comes(prop::sample::Index, Fate),
    Pass(i64),
    Jump(i64),
    Restart,
}

#[derive(Clone, Debug)]
enum Fate {
    /// It arrives and so does the answer.
    Answered,
    /// It arrives, but the answer is lost.
    AnswerLost,
    NeverArrives,
    Portal,
    Busy(u16),
    Refused(u16),
}

fn steps() -> impl Strategy<Value = Step> {
    let purposes = prop::sample::select(vec![QA.into(), RESEARCH.into(), both()]);
    let withdrawn = prop::sample::select(vec![None, Some(QA), Some(RESEARCH)]);
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => purposes.prop_map(Step::Say),
        8 => Just(Step::Offer),
        2 => withdrawn.prop_map(Step::Withdraw),
        1 => index().prop_map(Step::Delete),
        12 => Just(Step::Take),
        12 => (index(), fates()).prop_map(|(index, fate)| Step::Comes(index, fate)),
        3 => (1_i64..3_000).prop_map(Step::Pass),
        1 => prop::sample::select(vec![-365_i64, -1, 1, 365]).prop_map(Step::Jump),
        2 => Just(Step::Restart),
    ]
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Answered),
        2 => Just(Fate::AnswerLost),
        1 => Just(Fate::NeverArrives),
        1 => Just(Fate::Portal),
        1 => prop::sample::select(vec![408_u16, 425, 429, 500, 503]).prop_map(Fate::Busy),
        1 => prop::sample::select(vec![400_u16, 401, 403, 409, 413, 422]).prop_map(Fate::Refused),
    ]
}

/// A device, what its person said, and the rest of the world.
struct World {
    device: Option<Device>,
    collector: FakeCollector,
    on_their_way: Vec<OnItsWay>,
    /// What the person says yes to at present.
    yes: Purposes,
    /// What each record ever held, and what of that was taken back.
    held: BTreeMap<Id, Purposes>,
    taken_back: BTreeMap<Id, Purposes>,
    deleted: BTreeSet<Id>,
    refused: BTreeSet<Id>,
}

impl World {
    fn new() -> Self {
        let quota = Quota {
            samples: 4,
            ..Quota::default()
        };
        Self {
            device: Some(Device::with(folder(), plan(1), quota)),
            collector: FakeCollector::default(),
            on_their_way: Vec::new(),
            yes: Purposes::default(),
            held: BTreeMap::new(),
            taken_back: BTreeMap::new(),
            deleted: BTreeSet::new(),
            refused: BTreeSet::new(),
        }
    }

    fn device(&self) -> &Device {
        self.device.as_ref().unwrap()
    }

    fn live(&mut self, step: Step) {
        match step {
            Step::Say(purposes) => self.say(purposes),
            Step::Offer => drop(self.device().queue()),
            Step::Withdraw(purpose) => self.withdraw(purpose),
            Step::Delete(index) => self.delete(&index),
            Step::Take => drop(self.take()),
            Step::Comes(index, fate) if !self.on_their_way.is_empty() => {
                let at = index.index(self.on_their_way.len());
                let request = self.on_their_way.remove(at);
                self.comes(&request, &fate);
            }
            Step::Comes(..) => {}
            Step::Pass(minutes) => self
                .device()
                .clock
                .advance(SignedDuration::from_mins(minutes)),
            Step::Jump(jump) => self.device().clock.advance(days(jump)),
            Step::Restart => self.device = self.device.take().map(|device| device.restart(|_| {})),
        }
        self.check();
    }

    fn say(&mut self, purposes: Purposes) {
        let record = self.device().says(purposes);
        let status = self.device().engine.consent().unwrap();
        // Whether it extends the record or begins another is tested beside consent.
        self.held.insert(record, status.purposes.clone());
        self.yes = status.purposes;
        self.taken_back.entry(record).or_default();
    }

    fn withdraw(&mut self, purpose: Option<Purpose>) {
        self.device()
            .engine
            .withdraw(purpose)
            .expect("\"no\" always succeeds");
        let purposes = purpose.map_or_else(both, Purposes::from);
        self.yes = self.yes.difference(&purposes);
        for (record, taken) in &mut self.taken_back {
            let of_it = self.held[record]
                .iter()
                .filter(|&purpose| purposes.contains(purpose));
            *taken = taken.union(&of_it.collect());
        }
    }

    fn delete(&mut self, index: &prop::sample::Index) {
        let samples = self.device().engine.samples().unwrap();
        if !samples.is_empty() {
            let sample = index.get(&samples).id;
            self.device()
                .engine
                .delete(sample)
                .expect("\"no\" always succeeds");
            self.deleted.insert(sample);
        }
    }

    fn take(&mut self) -> bool {
        let engine = &self.device().engine;
        let Some(request) = engine.next_request().unwrap() else {
            return false;
        };
        let request = OnItsWay::read(&request);
        if let Task::Send { sample } = &request.task {
            assert!(!self.deleted.contains(sample));
            assert!(!self.refused.contains(sample), "refused, yet sent again");
            let record = request.signer().unwrap();
            let taken = &self.taken_back[&record];
            assert!(!request.purposes().is_empty());
            assert!(
                request.purposes().is_subset(&self.yes),
                "sent without a yes"
            );
            assert!(
                request
                    .purposes()
                    .iter()
                    .all(|purpose| !taken.contains(purpose))
            );
            let grants = engine.grants().expect("sent without a grant");
            assert!(grants.record() == record && grants.is_live());
            assert!(request.purposes().is_subset(&grants.purposes()));
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
        let finished = self.device().engine.finish(&task, outcome).unwrap();
        if let (Task::Send { sample }, Finished::Refused { .. }) = (task, finished) {
            self.refused.insert(sample);
        }
    }

    /// What holds at every instant.
    fn check(&self) {
        for entry in self.device().engine.samples().unwrap() {
            let held = self.collector.samples.get(&entry.id);
            let file = self.device().file(entry.id);
            match entry.state {
                SampleState::Deleted | SampleState::Dropped => {
                    assert!(held.is_none(), "{:?}, yet held", entry.state);
                }
                SampleState::Refused => assert!(self.refused.contains(&entry.id)),
                _ => {}
            }
            assert_eq!(file.exists(), entry.state == SampleState::Pending);
            if entry.state == SampleState::Dropped {
                assert!(self.device().was_told(&Event::Dropped(entry.id)));
            }
        }
    }

    /// The network holds from here on: everything comes to its end.
    fn settle(&mut self) {
        for request in std::mem::take(&mut self.on_their_way) {
            self.comes(&request, &Fate::Answered);
            self.check();
        }
        // What was taken before a restart and never came to anything.
        self.live(Step::Restart);
        for _ in 0..3 {
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
        let entries = self.device().engine.samples().unwrap();
        for entry in &entries {
            assert!(
                !matches!(
                    entry.state,
                    SampleState::Pending | SampleState::DeletionAsked
                ),
                "{entry:?} came to no end"
            );
        }
        for (sample, held) in &self.collector.samples {
            let taken = &self.taken_back[&held.record];
            assert!(!self.deleted.contains(sample), "deleted, yet held");
            assert!(held.purposes.iter().all(|purpose| !taken.contains(purpose)));
            let entry = entries.iter().find(|entry| entry.id == *sample).unwrap();
            assert!(matches!(
                entry.state,
                SampleState::Sent | SampleState::Refused
            ));
        }
        for (record, known) in &self.collector.records {
            let taken = &self.taken_back[record];
            assert!(known.granted.iter().all(|purpose| !taken.contains(purpose)));
        }
        let sent = entries
            .iter()
            .filter(|entry| entry.state == SampleState::Sent);
        for entry in sent {
            assert!(
                self.collector.samples.contains_key(&entry.id),
                "sent, yet not held"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_nothing_goes_without_a_yes_and_a_no_reaches_everywhere(
        steps in prop::collection::vec(steps(), 1..80),
    ) {
        let mut world = World::new();
        for step in steps {
            world.live(step);
        }
        world.settle();
    }
}
