//! A device, what its person said, and the rest of the world: an unreliable network, a collector, a folder
//! that somebody pulls into.

mod check;
mod consent;
mod exchange;
mod restore;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use jiff::SignedDuration;

use super::{
    coverage::Coverage,
    expected_consent::ExpectedConsent,
    steps::{MANY, Step},
};
use crate::{
    Id, Purposes, Sordino,
    endpoint::Endpoint,
    engine::tests::{
        Device,
        collector::{FakeCollector, OnItsWay},
    },
    outbox::Quota,
    testing::{crash, days, folder, plan},
    upload::TaskKind,
};
use restore::Backup;

pub(super) struct World<'a> {
    coverage: &'a Coverage,
    device: Option<Device>,
    /// The one that there is at first, and the one that the app names later.
    collectors: BTreeMap<Endpoint, FakeCollector>,
    on_their_way: Vec<OnItsWay>,
    said: ExpectedConsent,
    /// What of each record was withdrawn; all that it ever held where the device was reset.
    taken_back: BTreeMap<Id, Purposes>,
    deleted: BTreeSet<Id>,
    refused: BTreeSet<Id>,
    /// Copies in the folders that were pulled into, one for each collector, and what each may be used for.
    pulled: BTreeMap<(Endpoint, Id), Purposes>,
    has_crashed: bool,
    was_reset: bool,
    /// A copy of the state folder, with what was known when it was made.
    backup: Option<Backup>,
    /// Whether the state folder was ever put back.
    was_put_back: bool,
    /// Samples that there were when it was: the device may not know of them, or not what became of them.
    before_put_back: BTreeSet<Id>,
    /// Whether a collector's database was ever put back.
    collector_was_put_back: bool,
    /// How often the device has started.
    starts: u32,
    /// Which of its starts it was when the person last consented.
    starts_at_yes: u32,
    /// The write at which the present step is cut short, and whether power is lost.
    cut: Option<(u32, bool)>,
}

/// The collectors' URLs.
const COLLECTORS: [&str; 2] = ["https://collector.example", "https://elsewhere.example/qa"];

impl<'a> World<'a> {
    pub(super) fn new(coverage: &'a Coverage) -> Self {
        let quota = Quota {
            samples: 4,
            ..Quota::default()
        };
        crash::with_power_cuts();
        Self {
            coverage,
            device: Some(Device::with(folder(), plan(1), quota)),
            collectors: COLLECTORS
                .map(|url| (url.parse().unwrap(), FakeCollector::new()))
                .into(),
            on_their_way: Vec::new(),
            said: ExpectedConsent::default(),
            taken_back: BTreeMap::new(),
            deleted: BTreeSet::new(),
            refused: BTreeSet::new(),
            pulled: BTreeMap::new(),
            has_crashed: false,
            was_reset: false,
            backup: None,
            was_put_back: false,
            before_put_back: BTreeSet::new(),
            collector_was_put_back: false,
            starts: 1,
            starts_at_yes: 0,
            cut: None,
        }
    }

    /// Each step with its cut, and then on to the end.
    pub(super) fn live_through(mut self, steps: &[(Step, Option<(u32, bool)>)]) {
        for (step, cut) in steps {
            self.live(step, *cut);
        }
        self.settle();
    }

    /// One step, cut short by a crash at that write, perhaps with a power cut.
    fn live(&mut self, step: &Step, cut: Option<(u32, bool)>) {
        if let Some((writes, _)) = cut {
            crash::after(writes);
        }
        self.cut = cut;
        self.met(format!("step: {}", step.name()));
        self.act(step);
        match cut {
            Some((_, loses_power)) if crash::has_come() => {
                self.has_crashed = true;
                self.met_crash(&step.name());
                self.restart(loses_power);
                // What was cut short may or may not have happened; anyone who wanted it says it again.
                if step.is_said_again() {
                    self.act(step);
                }
            }
            Some(_) => crash::restart(false),
            None => {}
        }
        self.check();
    }

    fn met(&self, what: impl Into<String>) {
        self.coverage.met(what);
    }

    fn met_if(&self, has_happened: bool, what: impl Into<String>) {
        self.coverage.met_if(has_happened, what);
    }

    fn met_crash(&self, step: &str) {
        let step = step.split(' ').next().unwrap_or_default();
        self.met(format!("crash: in {step}"));
        let Some((write, loses_power)) = self.cut else {
            return;
        };
        let at = match write <= MANY {
            true => format!("crash: at write {write}"),
            false => "crash: at a later write".to_owned(),
        };
        self.met_if(loses_power, format!("{at}, power lost"));
        self.met(at);
    }

    /// Whether a request of such a task is on its way.
    fn is_on_its_way(&self, kind: &str) -> bool {
        let mut tasks = self.on_their_way.iter().map(|request| &request.task.kind);
        tasks.any(|task| task_name(task) == kind)
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
        self.starts += 1;
        self.keep_plan();
    }

    /// A reset that is cut short may lose the plan.
    fn keep_plan(&self) {
        if self.engine().plan().is_none() {
            let device = self.device();
            let plan = device.organization.sign(plan(1));
            device.engine.install_plan(&plan).unwrap();
        }
    }

    fn act(&mut self, step: &Step) {
        match step {
            Step::Say(purposes, age) => self.say(purposes, *age),
            Step::Approve => self.approve(),
            Step::ComeOfAge => self.come_of_age(),
            Step::Offer => self.offer(),
            Step::Withdraw(purpose) => self.withdraw(*purpose),
            Step::Delete(pick) => self.delete(*pick),
            Step::DeleteAll => self.delete_all(),
            Step::Take => drop(self.take()),
            Step::Comes(pick, fate) if !self.on_their_way.is_empty() => {
                let at = pick.index(self.on_their_way.len());
                let request = self.on_their_way.remove(at);
                self.comes(&request, fate);
            }
            Step::Comes(..) => {}
            Step::Exchange => self.exchange(),
            Step::Pull(token) => self.pull(token),
            Step::BackUpDevice => self.back_up_device(),
            Step::PutDeviceBack => self.put_device_back(),
            Step::BackUpCollector => self.present().back_up(),
            Step::PutCollectorBack => self.put_collector_back(),
            Step::ChangeCollector => self.change_collector(),
            Step::Pass(minutes) => self
                .device()
                .clock
                .advance(SignedDuration::from_mins(*minutes)),
            Step::Jump(jump) => self.device().clock.advance(days(*jump)),
            Step::Restart => self.restart(false),
            Step::Reset => self.reset(),
        }
    }

    fn is_registered(&self) -> bool {
        self.collectors
            .values()
            .any(FakeCollector::grants_something)
    }

    fn are_held(&self) -> bool {
        let mut collectors = self.collectors.values();
        collectors.any(|collector| !collector.samples.is_empty())
    }

    /// The collector with which the device is open.
    fn present(&mut self) -> &mut FakeCollector {
        let present = self.device().collector.clone();
        self.collectors.get_mut(&present).unwrap()
    }

    fn is_held(&self, sample: Id) -> bool {
        let mut collectors = self.collectors.values();
        collectors.any(|collector| collector.samples.contains_key(&sample))
    }

    /// What each record holds, read before it is withdrawn.
    fn held_by_records(&self) -> BTreeMap<Id, Purposes> {
        let history = self.engine().inner().unwrap().consent.history().unwrap();
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
}

fn task_name(task: &TaskKind) -> &'static str {
    match task {
        TaskKind::FetchPlan => "plan",
        TaskKind::AskEpoch => "epoch",
        TaskKind::Register { .. } => "register",
        TaskKind::Confirm { .. } => "confirm",
        TaskKind::Withdraw { .. } => "withdraw",
        TaskKind::Delete { .. } => "delete",
        TaskKind::Send { .. } => "send",
        TaskKind::ReadAccesses { .. } => "accesses",
    }
}

/// The result of a call; `None` where the crash cut it short. Nothing else may fail it.
fn done<T, E: Debug>(outcome: Result<T, E>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(_) if crash::has_come() => None,
        Err(error) => panic!("{error:?}"),
    }
}
