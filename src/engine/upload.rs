//! Upload, by the host's own HTTP or by the built-in client.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Event, Inner, Sordino, WithheldReason};
#[cfg(feature = "http")]
use crate::upload::Client;
use crate::{
    Error,
    id::Id,
    upload::{
        PlanResponse, Request, Scope, TaskKind, TaskStatus, UploadError, UploadResult, UploadTask,
        Urgency, Waiting,
    },
};

/// What one round of uploads did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UploadSummary {
    /// Consent records that the collector registered.
    pub registrations: usize,
    /// Samples that it took.
    pub samples: usize,
    /// Withdrawals and deletions that it acknowledged.
    pub deletions: usize,
    /// Requests that it will not have.
    pub refused: usize,
    /// Requests that are due again later.
    pub failed: usize,
    /// Why, for the first that was refused or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What still waits here after the round, why, and until when.
    pub waiting: Vec<Waiting>,
}

impl Sordino {
    /// The next request that is due, if one is. The host sends it and hands its outcome to
    /// [`Self::process_upload_result`].
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_upload_task(&self) -> Result<Option<Request>, Error> {
        Ok(self.inner()?.next_upload_task(Urgency::Scheduled)?)
    }

    /// The next withdrawal or deletion that is due, if one is. A host that hands uploads over to the system sends
    /// these apart from all others, at once and over any network.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_urgent_upload_task(&self) -> Result<Option<Request>, Error> {
        Ok(self.inner()?.next_urgent_upload_task()?)
    }

    /// The next request that is due and that [`Self::next_urgent_upload_task`] does not give. It may wait for a time that
    /// suits the system, as a background session of iOS does.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_deferrable_upload_task(&self) -> Result<Option<Request>, Error> {
        Ok(self.inner()?.next_deferrable_upload_task()?)
    }

    /// Takes in what came of a request.
    ///
    /// # Errors
    /// The state cannot be written; the request is due again.
    pub fn process_upload_result(
        &self,
        task: &UploadTask,
        outcome: UploadResult,
    ) -> Result<TaskStatus, Error> {
        Ok(self.inner()?.process_upload_result(task, outcome)?)
    }

    /// Whether a request that was handed out should still go. A host that hands uploads over to the system, which
    /// sends them when it sees fit, cancels those that this says no to whenever consent or samples change.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn is_still_wanted(&self, task: &UploadTask) -> Result<bool, Error> {
        Ok(self.inner()?.is_still_wanted(task)?)
    }

    /// The next request that is due for a person who asks for it now: waits after failures are
    /// passed over, but for those that the collector asked for. `tried` are the tasks that failed
    /// since the person asked; a collector that one of them did not reach is not asked again.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_upload_task_now(
        &self,
        tried: &BTreeSet<UploadTask>,
    ) -> Result<Option<Request>, Error> {
        Ok(self.inner()?.next_upload_task(Urgency::Now { tried })?)
    }

    /// The collector is asked for a newer plan with the next requests, however lately it was.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn renew_plan(&self) -> Result<(), Error> {
        Ok(self.inner()?.protocol.mark_plan_stale()?)
    }

    /// Sends all that is due with the built-in client, as a person who asks for it now expects, and
    /// asks for a newer plan. A collector that cannot be reached is asked once.
    ///
    /// # Errors
    /// The state cannot be used. What the collector says stands in the summary.
    #[cfg(feature = "http")]
    pub fn upload(&self, client: &Client) -> Result<UploadSummary, Error> {
        let mut summary = UploadSummary::default();
        let mut tried = BTreeSet::new();
        self.renew_plan()?;
        while let Some(request) = self.next_upload_task_now(&tried)? {
            let outcome = client.send(&request);
            let finished = self
                .inner()?
                .process_upload_result(&request.task, outcome)?;
            summary.record(&request.task, &finished);
            if !matches!(finished, TaskStatus::Done) {
                tried.insert(request.task);
            }
        }
        summary.waiting = self.inner()?.waiting()?;
        Ok(summary)
    }
}

impl UploadSummary {
    /// Counts what became of a request.
    pub fn record(&mut self, task: &UploadTask, finished: &TaskStatus) {
        match (finished, &task.kind) {
            (TaskStatus::Done, TaskKind::Register { .. }) => self.registrations += 1,
            (TaskStatus::Done, TaskKind::Send { .. }) => self.samples += 1,
            (TaskStatus::Done, TaskKind::Withdraw { .. } | TaskKind::Delete { .. }) => {
                self.deletions += 1;
            }
            (
                TaskStatus::Done,
                TaskKind::FetchPlan
                | TaskKind::AskEpoch
                | TaskKind::Confirm { .. }
                | TaskKind::ReadAccesses { .. },
            ) => {}
            (TaskStatus::Refused { reason, .. }, _) => {
                self.refused += 1;
                self.problem.get_or_insert_with(|| reason.clone());
            }
            (TaskStatus::Retry { reason }, _) => {
                self.failed += 1;
                self.problem.get_or_insert_with(|| reason.clone());
            }
        }
    }
}

impl Inner {
    fn next_urgent_upload_task(&self) -> Result<Option<Request>, UploadError> {
        self.retry_revocations();
        self.protocol.next_urgent(Urgency::Scheduled)
    }

    fn next_deferrable_upload_task(&self) -> Result<Option<Request>, UploadError> {
        self.retry_revocations();
        self.with_scope(|scope| self.protocol.next_deferrable(scope, Urgency::Scheduled))
    }

    /// A "no" that a full disk held up goes out as soon as there is room.
    fn retry_revocations(&self) {
        if let Err(error) = self.write_revocations() {
            tracing::warn!(%error, "a withdrawal is yet to be written");
        }
    }

    fn next_upload_task(&self, urgency: Urgency<'_>) -> Result<Option<Request>, UploadError> {
        self.retry_revocations();
        self.with_scope(|scope| self.protocol.next(scope, urgency))
    }

    /// What may go out now beside what says no.
    fn with_scope<T>(
        &self,
        ask: impl FnOnce(Option<Scope<'_>>) -> Result<T, UploadError>,
    ) -> Result<T, UploadError> {
        let Some(plan) = self.plan() else {
            return ask(None);
        };
        self.drop_uncovered()?;
        let grants = self.grants().ok();
        let plan_version = plan.version;
        ask(grants.as_ref().map(|grants| match self.plan_block(&plan) {
            None => Scope::Samples {
                grants,
                plan_version,
            },
            // The next plan may still be asked for.
            Some(_) => Scope::Plan {
                version: plan_version,
            },
        }))
    }

    /// What has yet to reach a collector, and why it has not.
    pub(super) fn waiting(&self) -> Result<Vec<Waiting>, UploadError> {
        let plan = self.plan();
        let grants = self.grants().ok();
        let leave = match (&plan, &grants) {
            (None, _) => Err(WithheldReason::NoPlan),
            (Some(plan), grants) => match self.plan_block(plan) {
                Some(reason) => Err(reason),
                None => grants.as_ref().ok_or(WithheldReason::NoConsent),
            },
        };
        self.protocol
            .waiting(leave.map_err(|reason| reason.to_string()))
    }

    fn process_upload_result(
        &self,
        task: &UploadTask,
        outcome: UploadResult,
    ) -> Result<TaskStatus, UploadError> {
        let plan = self.plan();
        let settled = self
            .protocol
            .process_result(task, outcome, plan.as_ref(), |answer| {
                self.accept_plan(answer)
            })?;
        if settled.was_withdrawn {
            self.bump_epoch();
            self.discard_audio();
            self.emit_consent()?;
        }
        self.emit(&Event::Uploaded {
            task: task.clone(),
            status: settled.status.clone(),
        });
        Ok(settled.status)
    }

    /// Takes a plan, and a statement that the one in force is the newest. Each counts without the other: the collector
    /// cannot make either.
    fn accept_plan(&self, answer: PlanResponse<'_>) -> Result<(), UploadError> {
        let installed = answer.plan.map_or(Ok(()), |json| self.install_plan(json));
        let taken = answer
            .freshness
            .map_or(Ok(()), |value| self.accept_freshness(value));
        installed.and(taken)
    }

    /// Whether `task`, which was handed out, should still go: a "no" always, a registration or a sample while
    /// the person's yes covers it and the sample waits.
    fn is_still_wanted(&self, task: &UploadTask) -> Result<bool, UploadError> {
        let grants = self.grants().ok();
        let is_of = |record: &Id| {
            grants
                .as_ref()
                .is_some_and(|grants| grants.record() == *record)
        };
        Ok(match &task.kind {
            TaskKind::FetchPlan
            | TaskKind::AskEpoch
            | TaskKind::Withdraw { .. }
            | TaskKind::Delete { .. }
            | TaskKind::ReadAccesses { .. } => true,
            TaskKind::Register { record, .. } | TaskKind::Confirm { record, .. } => is_of(record),
            TaskKind::Send { sample } => {
                let granted = grants.map(|grants| self.protocol.granted_samples(&grants));
                let granted = granted.transpose()?.unwrap_or_default();
                granted.iter().any(|entry| entry.id == *sample)
            }
        })
    }
}
