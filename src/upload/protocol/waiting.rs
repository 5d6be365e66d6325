//! Tasks that no collector has acknowledged yet, and why they wait.

use jiff::Timestamp;
use serde::Serialize;

use super::Protocol;
use crate::{
    consent::Grants,
    outbox::SampleState,
    upload::{
        TaskKind, UploadError, UploadTask,
        retry::{Backoff, Backoffs},
        revocation,
    },
};

/// The kind of what waits on this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitingKind {
    /// The withdrawal of a consent record.
    Withdrawal,
    /// The deletion of a sample.
    Deletion,
    /// The registration of a consent record.
    Registration,
    /// A sample.
    Sample,
}

/// Items that wait for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Their kind.
    pub kind: WaitingKind,
    /// The number of tasks.
    pub count: usize,
    /// Why they wait; `None` if they are due now.
    pub reason: Option<String>,
    /// When the first of them is due again, by the system's clock; `None` if they are due now, or
    /// if time alone does not make them due.
    pub until: Option<Timestamp>,
}

impl Protocol {
    /// The waiting tasks: withdrawals and deletions first, then the registration, then samples. `leave`
    /// holds the grants, or why registrations and samples are blocked.
    pub(crate) fn waiting(
        &self,
        allowed: Result<&Grants, String>,
    ) -> Result<Vec<Waiting>, UploadError> {
        let mut all = WaitingList {
            waits: Backoffs::load(&self.state)?,
            now: self.state.system_time(),
            found: Vec::new(),
        };
        for due in self.consent.withdrawals_due()? {
            let kind = TaskKind::Withdraw {
                record: due.record,
                purposes: due.purposes,
            };
            all.add(WaitingKind::Withdrawal, &kind.for_collector(&due.collector));
        }
        for (record, revocation) in self.consent.revocations_due()? {
            if let Ok(request) = revocation::from_bytes(record, &revocation) {
                all.add(WaitingKind::Withdrawal, &request.task);
            }
        }
        for entry in self.outbox.entries()? {
            if entry.state == SampleState::DeletionAsked {
                for collector in &entry.deletion_due {
                    let kind = TaskKind::Delete { sample: entry.id };
                    all.add(WaitingKind::Deletion, &kind.for_collector(collector));
                }
            }
        }
        match allowed {
            Ok(grants) => self.add_granted(grants, &mut all)?,
            Err(reason) => {
                for _ in self.outbox.pending()? {
                    all.put(WaitingKind::Sample, Some(reason.clone()), None);
                }
            }
        }
        Ok(all.found)
    }

    fn add_granted(&self, grants: &Grants, all: &mut WaitingList) -> Result<(), UploadError> {
        let record = grants.record();
        let mut before = None;
        if let Some((revision, _)) = self.consent.document(grants)? {
            let is_registered = self
                .consent
                .is_registered(record, revision, &self.endpoint)?;
            let first = self.prerequisite(&all.waits, record, revision, is_registered)?;
            before = first.and_then(|task| all.waits.wait(&task, all.now));
            if !is_registered {
                let (reason, until) = reason_and_end(&before);
                all.put(WaitingKind::Registration, reason, until);
            }
        }
        let granted = self.granted_samples(grants)?;
        for entry in self.outbox.pending()? {
            if !granted.iter().any(|granted| granted.id == entry.id) {
                let reason = "consent does not cover it as it is".to_owned();
                all.put(WaitingKind::Sample, Some(reason), None);
                continue;
            }
            // No sample is sent before its record.
            match &before {
                Some(_) => {
                    let (reason, until) = reason_and_end(&before);
                    all.put(WaitingKind::Sample, reason, until);
                }
                None => {
                    let kind = TaskKind::Send { sample: entry.id };
                    all.add(WaitingKind::Sample, &kind.for_collector(&self.endpoint));
                }
            }
        }
        Ok(())
    }
}

fn reason_and_end(wait: &Option<Backoff>) -> (Option<String>, Option<Timestamp>) {
    match wait {
        Some(wait) => (Some(wait.reason.clone()), Some(wait.until)),
        None => (None, None),
    }
}

/// The waiting items collected so far.
struct WaitingList {
    waits: Backoffs,
    now: Timestamp,
    found: Vec<Waiting>,
}

impl WaitingList {
    fn add(&mut self, kind: WaitingKind, task: &UploadTask) {
        let (reason, until) = reason_and_end(&self.waits.wait(task, self.now));
        self.put(kind, reason, until);
    }

    fn put(&mut self, kind: WaitingKind, reason: Option<String>, until: Option<Timestamp>) {
        let alike = |waiting: &&mut Waiting| waiting.kind == kind && waiting.reason == reason;
        match self.found.iter_mut().find(alike) {
            Some(waiting) => {
                waiting.count += 1;
                waiting.until = waiting.until.min(until);
            }
            None => self.found.push(Waiting {
                kind,
                count: 1,
                reason,
                until,
            }),
        }
    }
}
