//! A device, what its person said, and the rest of the world: an unreliable network, a collector, a folder
//! that somebody pulls into.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::Path,
};

use jiff::SignedDuration;
use tempfile::TempDir;

use super::{
    Device,
    collector::{FakeCollector, OnItsWay, answer, refusal},
    coverage::Coverage,
    model::{Disposition, MANY, Pick, Step, Token},
    said::ExpectedConsent,
};
use crate::{
    Event, Id, Purpose, Purposes, Sordino,
    consent::{AgeBand, ConsentState, GuardianMethod},
    endpoint::Endpoint,
    outbox::{Quota, SampleEntry, SampleState},
    testing::{both, crash, days, folder, plan},
    upload::{HttpResponse, TaskKind, TaskStatus, UploadResult, UploadTask},
};

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

struct Backup {
    folder: TempDir,
    said: ExpectedConsent,
    taken_back: BTreeMap<Id, Purposes>,
    deleted: BTreeSet<Id>,
    refused: BTreeSet<Id>,
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
        self.met(match self.taken_back.contains_key(&record) {
            true => "say: to the record before",
            false => "say: a record of its own",
        });
        self.met(format!("say: {}", status.state));
        self.said.says(purposes, age, stood);
        self.taken_back.entry(record).or_default();
        self.starts_at_yes = self.starts;
    }

    fn approve(&mut self) {
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

    fn come_of_age(&mut self) {
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

    fn offer(&self) {
        let queued = self.device().queue();
        self.met(match queued {
            Ok(_) => "offer: queued",
            Err(_) => "offer: not queued",
        });
    }

    fn state(&self) -> Option<ConsentState> {
        self.engine().consent().ok().map(|status| status.state)
    }

    fn withdraw(&mut self, purpose: Option<Purpose>) {
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

    /// Somebody copies the state folder.
    fn back_up_device(&mut self) {
        let copy = folder();
        copy_folder(self.device().folder.path(), copy.path());
        self.backup = Some(Backup {
            folder: copy,
            said: self.said.clone(),
            taken_back: self.taken_back.clone(),
            deleted: self.deleted.clone(),
            refused: self.refused.clone(),
        });
    }

    /// Somebody puts the copy in the place of the state folder. What was said since is known to nobody but the
    /// collectors, where they heard it.
    fn put_device_back(&mut self) {
        let Some(backup) = self.backup.take() else {
            return;
        };
        let off = self.device.take().unwrap().off();
        fs::remove_dir_all(off.folder.path()).unwrap();
        copy_folder(backup.folder.path(), off.folder.path());
        // It was put back while nothing ran.
        crash::restart(false);
        self.device = Some(off.on());
        self.starts += 1;
        self.keep_plan();
        self.was_put_back = true;
        let is_lost = self.said.allows().len() < backup.said.allows().len();
        self.met_if(is_lost, "put device back: a no was said since");
        self.said = backup.said;
        self.taken_back = backup.taken_back;
        self.deleted = backup.deleted;
        self.refused = backup.refused;
        for collector in self.collectors.values() {
            self.before_put_back.extend(collector.samples.keys());
            self.before_put_back.extend(&collector.tombstones);
            for (record, known) in &collector.records {
                // Of a record that it knows, the device is to learn this before anything goes.
                if let Some(taken) = self.taken_back.get_mut(record) {
                    let is_news = !known.withdrawn.is_subset(taken);
                    *taken = taken.union(&known.withdrawn);
                    self.coverage
                        .met_if(is_news, "put device back: the collector knows of a no");
                }
            }
        }
        let samples = self.engine().samples().unwrap();
        self.before_put_back
            .extend(samples.iter().map(|entry| entry.id));
        let on_their_way = self.on_their_way.iter().map(|request| &request.task.kind);
        self.before_put_back
            .extend(on_their_way.filter_map(|kind| match kind {
                TaskKind::Send { sample } => Some(*sample),
                _ => None,
            }));
    }

    fn put_collector_back(&mut self) {
        let before = self.present().withdrawals();
        if self.present().restore() {
            self.collector_was_put_back = true;
            let after = self.present().withdrawals();
            self.met("put collector back: done");
            self.met_if(before > after, "restored collector: a withdrawal is lost");
        }
    }

    /// The app names another collector from now on.
    fn change_collector(&mut self) {
        let mut off = self.device.take().unwrap().off();
        crash::restart(false);
        let known = self.collectors[&off.collector].grants_something();
        self.met_if(known, "change collector: a record is registered");
        let other = self.collectors.keys().find(|url| **url != off.collector);
        let (from, to) = (off.collector.clone(), other.unwrap().clone());
        off.collector = to.clone();
        self.device = Some(off.on());
        self.starts += 1;
        self.keep_plan();
        assert!(
            self.device()
                .was_told(&Event::CollectorChanged { from, to })
        );
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

    fn reset(&mut self) {
        let held = self.held_by_records();
        let off = self.device.take().unwrap().off();
        let clock = off.config().clock;
        let is_done = done(Sordino::reset_by(off.folder.path(), &clock)).is_some();
        // A crash comes to its end here, since an engine must be there to continue with.
        if crash::has_come() {
            self.met_crash("reset");
            self.has_crashed = true;
        }
        crash::restart(true);
        self.device = Some(off.on());
        self.keep_plan();
        self.starts += 1;
        match is_done {
            true => {
                self.met("reset: done");
                self.met_if(self.is_registered(), "reset: a record is registered");
                self.met_if(self.are_held(), "reset: the collector has samples");
                for kind in ["register", "withdraw", "send", "delete"] {
                    self.met_if(
                        self.is_on_its_way(kind),
                        format!("reset: a {kind} is on its way"),
                    );
                }
                self.was_reset = true;
                self.said = ExpectedConsent::default();
                self.take_back(&held, &both());
            }
            false => self.reset(),
        }
    }

    fn delete(&mut self, pick: Pick) {
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

    fn delete_all(&mut self) {
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
    fn is_sending(&self, sample: Id) -> bool {
        let task = TaskKind::Send { sample };
        let mut tasks = self.on_their_way.iter().map(|request| &request.task.kind);
        tasks.any(|kind| *kind == task)
    }

    fn take(&mut self) -> bool {
        let Some(Some(request)) = done(self.engine().next_upload_task()) else {
            self.met("take: nothing");
            return false;
        };
        let request = OnItsWay::read(&request, self.starts);
        self.met(format!("take: {}", task_name(&request.task.kind)));
        match &request.task.kind {
            TaskKind::Send { sample } => {
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
            TaskKind::Register { .. } | TaskKind::Confirm { .. } => {
                let registers = request.registers().unwrap();
                assert!(!registers.is_empty());
                assert!(registers.is_subset(&self.said.allows()), "no yes");
            }
            _ => {}
        }
        self.on_their_way.push(request);
        true
    }

    /// All that is due is taken and answered, as far as a device gets in a while.
    fn exchange(&mut self) {
        for _ in 0..200 {
            if !self.take() {
                break;
            }
            let request = self.on_their_way.pop().unwrap();
            self.comes(&request, &Disposition::Answered);
            if !crash::has_come() {
                self.check();
            }
        }
    }

    fn comes(&mut self, request: &OnItsWay, fate: &Disposition) {
        let name = task_name(&request.task.kind);
        self.met(format!("{name}: {}", fate.name()));
        match fate {
            Disposition::Busy(status) => self.met(format!("status: {status}")),
            Disposition::Refused(_, kind) => self.met(format!("refused: {kind}")),
            _ => {}
        }
        self.met_if(
            request.starts < self.starts,
            format!("{name}: comes after a restart"),
        );
        if let TaskKind::Send { .. } = &request.task.kind {
            let stands = request.purposes().is_subset(&self.said.allows());
            self.met_if(!stands, "send: comes after the no");
        }
        let collector = self.collectors.get_mut(&request.task.collector).unwrap();
        let outcome = match fate {
            Disposition::Answered => UploadResult::Response(collector.take(request)),
            Disposition::AnswerLost => {
                collector.take(request);
                UploadResult::Unreachable("closed midway".to_owned())
            }
            Disposition::NeverArrives => UploadResult::Unreachable("no route".to_owned()),
            Disposition::Portal => UploadResult::Response(HttpResponse {
                status: 200,
                ..HttpResponse::default()
            }),
            Disposition::Busy(status) => {
                let mut busy = answer(*status);
                busy.headers
                    .push(("retry-after".to_owned(), "600".to_owned()));
                UploadResult::Response(busy)
            }
            Disposition::Refused(status, kind) => {
                UploadResult::Response(refusal(*status, kind, &Purposes::default()))
            }
        };
        // The host hands it back by its text, since the app may have ended meanwhile.
        let task: UploadTask = request.task.to_string().parse().unwrap();
        if let (Disposition::Answered, UploadResult::Response(answer)) = (fate, &outcome) {
            self.met(format!("{name}: answered {}", answer.status));
        }
        let before = self.granted_purposes();
        let finished = self.engine().process_upload_result(&task, outcome);
        if (self.was_reset || self.was_put_back) && finished.is_err() && !crash::has_come() {
            // Of a sample that the device does not know.
            self.met(format!("{name}: of before the reset"));
            return;
        }
        if let (TaskKind::Send { sample }, Some(TaskStatus::Refused { .. })) =
            (task.kind, done(finished))
        {
            self.refused.insert(sample);
        }
        // A withdrawal that only a collector knows of is one all the same.
        let taken = before.difference(&self.granted_purposes());
        if !taken.is_empty() && !crash::has_come() {
            self.met(format!("{name}: the collector knows of the withdrawal"));
            self.said.says_no(&taken);
        }
    }

    /// What stands, whether or not it is granted at present.
    fn granted_purposes(&self) -> Purposes {
        let consent = self.engine().consent();
        consent.map_or_else(|_| Purposes::default(), |status| status.purposes)
    }

    /// `sordino pull`, in short: what may no longer be used goes, whatever the token may read; then what the token may
    /// read is copied.
    fn pull(&mut self, token: &Token) {
        for (collector, known) in &self.collectors {
            let is_its = |(of, _): &(Endpoint, Id)| of == collector;
            for (copy, purposes) in &mut self.pulled {
                if !is_its(copy) {
                    continue;
                }
                let held = known.samples.get(&copy.1);
                let left = held.map_or_else(Purposes::default, |held| {
                    purposes.intersection(&held.purposes)
                });
                self.coverage.met_if(left.is_empty(), "pull: a copy goes");
                self.coverage.met_if(
                    !left.is_empty() && left != *purposes,
                    "pull: a copy loses a purpose",
                );
                let is_beyond = !purposes.difference(&left).is_subset(&token.reads());
                self.coverage
                    .met_if(is_beyond, "pull: a copy that the token may not read");
                *purposes = left;
            }
            for (sample, held) in &known.samples {
                let read = held.purposes.intersection(&token.reads());
                if !read.is_empty() {
                    self.coverage.met("pull: copies");
                    let copy = self.pulled.entry((collector.clone(), *sample)).or_default();
                    *copy = copy.union(&read);
                }
            }
        }
        self.pulled.retain(|_, purposes| !purposes.is_empty());
    }

    /// What holds at every instant.
    fn check(&self) {
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
    fn settle(&mut self) {
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

    fn check_end(&self) {
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

    fn check_collector(&self, collector: &FakeCollector, entries: &[SampleEntry]) {
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

/// Copies the files of a state folder.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &copy),
            false => drop(fs::copy(entry.path(), copy).unwrap()),
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
