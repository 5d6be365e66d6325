//! A device, the person's expected consent, and their environment: an unreliable network, collectors, a folder
//! that a reader pulls into.

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
        collector::{FakeCollector, InFlight},
    },
    outbox::Quota,
    testing::{crash, days, folder, plan},
    upload::TaskKind,
};
use restore::Backup;

pub(super) struct World<'a> {
    coverage: &'a Coverage,
    device: Option<Device>,
    /// The first collector, and the one that the app names later.
    collectors: BTreeMap<Endpoint, FakeCollector>,
    in_flight: Vec<InFlight>,
    expected: ExpectedConsent,
    /// The withdrawn purposes of each record; all that it ever held if the device was reset.
    withdrawn: BTreeMap<Id, Purposes>,
    deleted: BTreeSet<Id>,
    refused: BTreeSet<Id>,
    /// Copies in the folders of readers, one folder for each collector, and their purposes.
    pulled: BTreeMap<(Endpoint, Id), Purposes>,
    has_crashed: bool,
    was_reset: bool,
    /// A copy of the state folder, with the expectations at that time.
    backup: Option<Backup>,
    /// Whether the state folder was ever restored.
    was_restored: bool,
    /// Samples that existed when it was: the device may not know of them, or not their state.
    before_restore: BTreeSet<Id>,
    /// Whether a collector's database was ever restored.
    collector_was_restored: bool,
    /// The number of times that the device has started.
    starts: u32,
    /// That number when the person last consented.
    starts_at_consent: u32,
    /// The write at which the current step crashes, and whether power is lost.
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
            in_flight: Vec::new(),
            expected: ExpectedConsent::default(),
            withdrawn: BTreeMap::new(),
            deleted: BTreeSet::new(),
            refused: BTreeSet::new(),
            pulled: BTreeMap::new(),
            has_crashed: false,
            was_reset: false,
            backup: None,
            was_restored: false,
            before_restore: BTreeSet::new(),
            collector_was_restored: false,
            starts: 1,
            starts_at_consent: 0,
            cut: None,
        }
    }

    /// Runs each step with its crash, then everything until nothing is due.
    pub(super) fn run(mut self, steps: &[(Step, Option<(u32, bool)>)]) {
        for (step, cut) in steps {
            self.run_step(step, *cut);
        }
        self.settle();
    }

    /// Runs one step, with a crash at that write, perhaps with a power cut.
    fn run_step(&mut self, step: &Step, cut: Option<(u32, bool)>) {
        if let Some((writes, _)) = cut {
            crash::after(writes);
        }
        self.cut = cut;
        self.record(format!("step: {}", step.name()));
        self.apply(step);
        match cut {
            Some((_, loses_power)) if crash::has_come() => {
                self.has_crashed = true;
                self.record_crash(&step.name());
                self.restart(loses_power);
                // The step may or may not have taken effect; a person repeats it.
                if step.is_repeated_after_crash() {
                    self.apply(step);
                }
            }
            Some(_) => crash::restart(false),
            None => {}
        }
        self.check();
    }

    fn record(&self, what: impl Into<String>) {
        self.coverage.record(what);
    }

    fn record_if(&self, has_happened: bool, what: impl Into<String>) {
        self.coverage.record_if(has_happened, what);
    }

    fn record_crash(&self, step: &str) {
        let step = step.split(' ').next().unwrap_or_default();
        self.record(format!("crash: in {step}"));
        let Some((write, loses_power)) = self.cut else {
            return;
        };
        let at = match write <= MANY {
            true => format!("crash: at write {write}"),
            false => "crash: at a later write".to_owned(),
        };
        self.record_if(loses_power, format!("{at}, power lost"));
        self.record(at);
    }

    /// Whether a request of such a task is in flight.
    fn is_in_flight(&self, kind: &str) -> bool {
        let mut tasks = self.in_flight.iter().map(|request| &request.task.kind);
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
        self.reinstall_plan();
    }

    /// A reset that crashes may lose the plan.
    fn reinstall_plan(&self) {
        if self.engine().plan().is_none() {
            let device = self.device();
            let plan = device.organization.sign(plan(1));
            device.engine.install_plan(&plan).unwrap();
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Consent(purposes, age) => self.give_consent(purposes, *age),
            Step::Approve => self.approve(),
            Step::ComeOfAge => self.come_of_age(),
            Step::Submit => self.submit(),
            Step::Withdraw(purpose) => self.withdraw(*purpose),
            Step::Delete(pick) => self.delete(*pick),
            Step::DeleteAll => self.delete_all(),
            Step::TakeTask => drop(self.take_task()),
            Step::Deliver(pick, disposition) if !self.in_flight.is_empty() => {
                let at = pick.index(self.in_flight.len());
                let request = self.in_flight.remove(at);
                self.deliver(&request, disposition);
            }
            Step::Deliver(..) => {}
            Step::Exchange => self.exchange(),
            Step::Pull(token) => self.pull(token),
            Step::BackUpDevice => self.back_up_device(),
            Step::RestoreDevice => self.restore_device(),
            Step::BackUpCollector => self.present().back_up(),
            Step::RestoreCollector => self.restore_collector(),
            Step::ChangeCollector => self.change_collector(),
            Step::Advance(minutes) => self
                .device()
                .clock
                .advance(SignedDuration::from_mins(*minutes)),
            Step::SetClock(jump) => self.device().clock.advance(days(*jump)),
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

    /// The device's current collector.
    fn present(&mut self) -> &mut FakeCollector {
        let present = self.device().collector.clone();
        self.collectors.get_mut(&present).unwrap()
    }

    fn is_held(&self, sample: Id) -> bool {
        let mut collectors = self.collectors.values();
        collectors.any(|collector| collector.samples.contains_key(&sample))
    }

    /// The purposes of each record, read before a withdrawal.
    fn held_by_records(&self) -> BTreeMap<Id, Purposes> {
        let history = self.engine().inner().unwrap().consent.history().unwrap();
        history
            .receipts
            .iter()
            .map(|receipt| (receipt.content().id, receipt.content().purposes.clone()))
            .collect()
    }

    fn note_withdrawal(&mut self, held: &BTreeMap<Id, Purposes>, purposes: &Purposes) {
        for (record, held) in held {
            let taken = self.withdrawn.entry(*record).or_default();
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

/// The result of a call; `None` after a crash, the only permitted cause of an error.
fn done<T, E: Debug>(outcome: Result<T, E>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(_) if crash::has_come() => None,
        Err(error) => panic!("{error:?}"),
    }
}
