//! Upload, over the host's HTTP or with the built-in client.

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

/// The result of one round of uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UploadSummary {
    /// Registered consent records.
    pub registrations: usize,
    /// Uploaded samples.
    pub samples: usize,
    /// Acknowledged withdrawals and deletions.
    pub deletions: usize,
    /// Requests that the collector refused permanently.
    pub refused: usize,
    /// Requests that failed and will be retried.
    pub failed: usize,
    /// The reason of the first refused or failed request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Tasks that still wait after the round, why, and until when.
    pub waiting: Vec<Waiting>,
}

impl Sordino {
    /// The next request that is due, if any. The host sends it and passes its result to
    /// [`Self::process_upload_result`].
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_upload_task(&self) -> Result<Option<Request>, Error> {
        Ok(self.inner()?.next_upload_task(Urgency::Scheduled)?)
    }

    /// The next withdrawal or deletion that is due, if any. A host that uploads through the
    /// operating system sends these separately, at once and over any network.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_urgent_upload_task(&self) -> Result<Option<Request>, Error> {
        Ok(self.inner()?.next_urgent_upload_task()?)
    }

    /// The next request that is due and not urgent ([`Self::next_urgent_upload_task`]). It may wait
    /// until the system schedules it, as in a background session of iOS.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_deferrable_upload_task(&self) -> Result<Option<Request>, Error> {
        Ok(self.inner()?.next_deferrable_upload_task()?)
    }

    /// Processes the result of a request.
    ///
    /// # Errors
    /// The state cannot be written; the request is retried.
    pub fn process_upload_result(
        &self,
        task: &UploadTask,
        result: UploadResult,
    ) -> Result<TaskStatus, Error> {
        Ok(self.inner()?.process_upload_result(task, result)?)
    }

    /// Whether a request that was issued should still be sent. A host that uploads through the
    /// operating system calls this when consent or samples change, and cancels requests that are no
    /// longer wanted.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn is_still_wanted(&self, task: &UploadTask) -> Result<bool, Error> {
        Ok(self.inner()?.is_still_wanted(task)?)
    }

    /// The next request for an upload that a person started: backoff after failures is ignored,
    /// except where the collector requested it. `tried` are the tasks that failed since then; a
    /// collector that one of them did not reach is not contacted again.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_upload_task_now(
        &self,
        tried: &BTreeSet<UploadTask>,
    ) -> Result<Option<Request>, Error> {
        Ok(self.inner()?.next_upload_task(Urgency::Now { tried })?)
    }

    /// Has the next requests include one for a newer plan, no matter when the last one was.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn renew_plan(&self) -> Result<(), Error> {
        Ok(self.inner()?.protocol.mark_plan_stale()?)
    }

    /// Sends everything that is due with the built-in client, ignoring backoff, and asks for a
    /// newer plan. A collector that cannot be reached is contacted once.
    ///
    /// # Errors
    /// The state cannot be used. Failed requests are not errors: see the summary.
    #[cfg(feature = "http")]
    pub fn upload(&self, client: &Client) -> Result<UploadSummary, Error> {
        let mut summary = UploadSummary::default();
        let mut tried = BTreeSet::new();
        self.renew_plan()?;
        while let Some(request) = self.next_upload_task_now(&tried)? {
            let result = client.send(&request);
            let status = self.inner()?.process_upload_result(&request.task, result)?;
            summary.record(&request.task, &status);
            if !matches!(status, TaskStatus::Done) {
                tried.insert(request.task);
            }
        }
        summary.waiting = self.inner()?.waiting()?;
        Ok(summary)
    }
}

impl UploadSummary {
    /// Counts the status of a request.
    pub fn record(&mut self, task: &UploadTask, status: &TaskStatus) {
        match (status, &task.kind) {
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

    /// A withdrawal that could not be written on a full disk is sent as soon as there is space.
    fn retry_revocations(&self) {
        if let Err(error) = self.write_revocations() {
            tracing::warn!(%error, "a withdrawal is yet to be written");
        }
    }

    fn next_upload_task(&self, urgency: Urgency<'_>) -> Result<Option<Request>, UploadError> {
        self.retry_revocations();
        self.with_scope(|scope| self.protocol.next(scope, urgency))
    }

    /// Calls `ask` with what may be sent now besides withdrawals and deletions.
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
            // A newer plan may still be fetched.
            Some(_) => Scope::Plan {
                version: plan_version,
            },
        }))
    }

    /// The tasks that no collector has acknowledged yet, and why they wait.
    pub(super) fn waiting(&self) -> Result<Vec<Waiting>, UploadError> {
        let plan = self.plan();
        let grants = self.grants().ok();
        let permit = match (&plan, &grants) {
            (None, _) => Err(WithheldReason::NoPlan),
            (Some(plan), grants) => match self.plan_block(plan) {
                Some(reason) => Err(reason),
                None => grants.as_ref().ok_or(WithheldReason::NoConsent),
            },
        };
        self.protocol
            .waiting(permit.map_err(|reason| reason.to_string()))
    }

    fn process_upload_result(
        &self,
        task: &UploadTask,
        result: UploadResult,
    ) -> Result<TaskStatus, UploadError> {
        let plan = self.plan();
        let settled = self
            .protocol
            .process_result(task, result, plan.as_ref(), |response| {
                self.accept_plan(response)
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

    /// Accepts a plan, and a statement that the installed one is the newest. Each is accepted
    /// without the other: the collector can forge neither.
    fn accept_plan(&self, response: PlanResponse<'_>) -> Result<(), UploadError> {
        let installed = response.plan.map_or(Ok(()), |json| self.install_plan(json));
        let taken = response
            .freshness
            .map_or(Ok(()), |value| self.accept_freshness(value));
        installed.and(taken)
    }

    /// Whether `task`, which was issued, should still be sent: a withdrawal or deletion always,
    /// a registration or a sample while consent covers it and the sample is queued.
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
