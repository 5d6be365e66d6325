//! Requests and their results, and what is pulled from the collectors.

use super::{World, done, task_name};
use crate::{
    Id, Purposes,
    endpoint::Endpoint,
    engine::tests::{
        collector::{InFlight, answer, refusal},
        model::steps::{Disposition, Token},
    },
    testing::crash,
    upload::{HttpResponse, TaskKind, TaskStatus, UploadResult, UploadTask},
};

impl World<'_> {
    pub(super) fn take_task(&mut self) -> bool {
        let Some(Some(request)) = done(self.engine().next_upload_task()) else {
            self.record("take: nothing");
            return false;
        };
        let request = InFlight::read(&request, self.starts);
        self.record(format!("take: {}", task_name(&request.task.kind)));
        match &request.task.kind {
            TaskKind::Send { sample } => {
                assert!(!self.deleted.contains(sample));
                assert!(!self.refused.contains(sample), "refused, yet sent again");
                let record = request.signer().unwrap();
                let taken = &self.withdrawn[&record];
                assert!(!request.purposes().is_empty());
                assert!(
                    request.purposes().is_subset(&self.expected.allows()),
                    "no consent"
                );
                assert!(request.purposes().intersection(taken).is_empty());
                let grants = self.engine().grants().expect("sent without a grant");
                assert!(grants.record() == record && grants.is_live());
                assert!(request.purposes().is_subset(&grants.purposes()));
            }
            TaskKind::Register { .. } | TaskKind::Confirm { .. } => {
                let registers = request.registers().unwrap();
                assert!(!registers.is_empty());
                assert!(registers.is_subset(&self.expected.allows()), "no consent");
            }
            _ => {}
        }
        self.in_flight.push(request);
        true
    }

    /// Takes and answers everything that is due, up to a limit.
    pub(super) fn exchange(&mut self) {
        for _ in 0..200 {
            if !self.take_task() {
                break;
            }
            let request = self.in_flight.pop().unwrap();
            self.deliver(&request, &Disposition::Answered);
            if !crash::has_come() {
                self.check();
            }
        }
    }

    pub(super) fn deliver(&mut self, request: &InFlight, disposition: &Disposition) {
        let name = task_name(&request.task.kind);
        self.record(format!("{name}: {}", disposition.name()));
        match disposition {
            Disposition::Busy(status) => self.record(format!("status: {status}")),
            Disposition::Refused(_, kind) => self.record(format!("refused: {kind}")),
            _ => {}
        }
        self.record_if(
            request.starts < self.starts,
            format!("{name}: arrives after a restart"),
        );
        if let TaskKind::Send { .. } = &request.task.kind {
            let stands = request.purposes().is_subset(&self.expected.allows());
            self.record_if(!stands, "send: arrives after the withdrawal");
        }
        let collector = self.collectors.get_mut(&request.task.collector).unwrap();
        let outcome = match disposition {
            Disposition::Answered => UploadResult::Response(collector.receive(request)),
            Disposition::AnswerLost => {
                collector.receive(request);
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
        // The host returns the task as text, since the app may have ended meanwhile.
        let task: UploadTask = request.task.to_string().parse().unwrap();
        if let (Disposition::Answered, UploadResult::Response(answer)) = (disposition, &outcome) {
            self.record(format!("{name}: answered {}", answer.status));
        }
        let before = self.granted_purposes();
        let finished = self.engine().process_upload_result(&task, outcome);
        if (self.was_reset || self.was_restored) && finished.is_err() && !crash::has_come() {
            // The device does not know the sample.
            self.record(format!("{name}: unknown after the reset"));
            return;
        }
        if let (TaskKind::Send { sample }, Some(TaskStatus::Refused { .. })) =
            (task.kind, done(finished))
        {
            self.refused.insert(sample);
        }
        // A withdrawal that only a collector knows of counts too.
        let taken = before.difference(&self.granted_purposes());
        if !taken.is_empty() && !crash::has_come() {
            self.record(format!("{name}: the collector knows of the withdrawal"));
            self.expected.withdraws(&taken);
        }
    }

    /// The purposes of the record, whether or not they are granted at present.
    pub(super) fn granted_purposes(&self) -> Purposes {
        let consent = self.engine().consent();
        consent.map_or_else(|_| Purposes::default(), |status| status.purposes)
    }

    /// `sordino pull`, in short: copies that may no longer be used are deleted, independent of the token; then the samples
    /// that the token may read are copied.
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
                self.coverage
                    .record_if(left.is_empty(), "pull: a copy is deleted");
                self.coverage.record_if(
                    !left.is_empty() && left != *purposes,
                    "pull: a copy loses a purpose",
                );
                let is_beyond = !purposes.difference(&left).is_subset(&token.reads());
                self.coverage
                    .record_if(is_beyond, "pull: a copy that the token may not read");
                *purposes = left;
            }
            for (sample, held) in &known.samples {
                let read = held.purposes.intersection(&token.reads());
                if !read.is_empty() {
                    self.coverage.record("pull: copies");
                    let copy = self.pulled.entry((collector.clone(), *sample)).or_default();
                    *copy = copy.union(&read);
                }
            }
        }
        self.pulled.retain(|_, purposes| !purposes.is_empty());
    }
}
