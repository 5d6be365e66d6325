//! Requests and their results, and what is pulled from the collectors.

use super::{World, done, task_name};
use crate::{
    Id, Purposes,
    endpoint::Endpoint,
    engine::tests::{
        collector::{OnItsWay, answer, refusal},
        model::steps::{Disposition, Token},
    },
    testing::crash,
    upload::{HttpResponse, TaskKind, TaskStatus, UploadResult, UploadTask},
};

impl World<'_> {
    pub(super) fn take(&mut self) -> bool {
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
    pub(super) fn exchange(&mut self) {
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

    pub(super) fn comes(&mut self, request: &OnItsWay, fate: &Disposition) {
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
    pub(super) fn granted_purposes(&self) -> Purposes {
        let consent = self.engine().consent();
        consent.map_or_else(|_| Purposes::default(), |status| status.purposes)
    }

    /// `sordino pull`, in short: what may no longer be used goes, whatever the token may read; then what the token may
    /// read is copied.
    pub(super) fn pull(&mut self, token: &Token) {
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
}
