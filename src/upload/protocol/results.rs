//! Processing of upload results: nothing counts as done until the collector has acknowledged it.

use std::time::Duration;

use super::{PLAN_FETCHED, Protocol};
use crate::{
    consent::ConsentError,
    endpoint::Endpoint,
    id::Id,
    plan::{Plan, freshness},
    purpose::Purposes,
    state::StateError,
    upload::{
        HttpResponse, PROTOCOL_HEADER, PROTOCOL_VERSION, PlanResponse, TaskKind, TaskStatus,
        UploadError, UploadResult, UploadTask,
        problem::problem,
        retry::{self, Backoffs},
    },
};

/// A processed result.
pub(crate) struct ProcessedResult {
    pub(crate) status: TaskStatus,
    /// Whether the collector knew of a withdrawal that this device did not know of.
    pub(crate) was_withdrawn: bool,
}

impl From<TaskStatus> for ProcessedResult {
    fn from(status: TaskStatus) -> Self {
        Self {
            status,
            was_withdrawn: false,
        }
    }
}

impl Protocol {
    /// Processes the result of `task` under `plan`. The response to a plan request is passed to
    /// `take_plan`.
    pub(crate) fn process_result(
        &self,
        task: &UploadTask,
        result: UploadResult,
        plan: Option<&Plan>,
        take_plan: impl FnOnce(PlanResponse<'_>) -> Result<(), UploadError>,
    ) -> Result<ProcessedResult, UploadError> {
        Self::lock(&self.in_flight).remove(task);
        let response = match result {
            UploadResult::Unreachable(reason) => {
                Self::lock(&self.unreachable).insert(task.collector.clone());
                return Ok(self.retry_later(task, None, reason)?.into());
            }
            UploadResult::Response(response) => response,
        };
        Self::lock(&self.unreachable).remove(&task.collector);
        if response.header(PROTOCOL_HEADER) != Some(PROTOCOL_VERSION) {
            let reason = format!(
                "status {} from a server that is not a collector",
                response.status
            );
            return Ok(self.retry_later(task, None, reason)?.into());
        }
        self.note_epoch(&task.collector, &response)?;
        match response.status {
            200..=299 => Ok(self.acknowledged(task, &response, take_plan)?.into()),
            304 if task.kind == TaskKind::FetchPlan => {
                Ok(self.acknowledged(task, &response, take_plan)?.into())
            }
            400..=499 => self.refused(task, &response, plan),
            _ => Ok(self
                .retry_later(task, response.retry_after(), problem(&response))?
                .into()),
        }
    }

    fn acknowledged(
        &self,
        task: &UploadTask,
        response: &HttpResponse,
        take_plan: impl FnOnce(PlanResponse<'_>) -> Result<(), UploadError>,
    ) -> Result<TaskStatus, UploadError> {
        let done = self.done(task, response, take_plan);
        self.clear_failures(task)?;
        match done {
            // The device keeps its plan; the app is notified.
            Err(UploadError::Plan(error)) => Ok(TaskStatus::Refused {
                status: response.status,
                reason: error.to_string(),
            }),
            done => done.map(|()| TaskStatus::Done),
        }
    }

    fn done(
        &self,
        task: &UploadTask,
        response: &HttpResponse,
        take_plan: impl FnOnce(PlanResponse<'_>) -> Result<(), UploadError>,
    ) -> Result<(), UploadError> {
        let collector = &task.collector;
        match &task.kind {
            TaskKind::FetchPlan => {
                self.mark_plan_fetched()?;
                take_plan(PlanResponse {
                    plan: (response.status == 200).then_some(&response.body),
                    freshness: response.header(freshness::HEADER),
                })
            }
            TaskKind::Register { record, revision } | TaskKind::Confirm { record, revision } => {
                self.consent.registered(*record, *revision, collector)?;
                Self::lock(&self.confirmed).insert((*record, collector.clone()));
                self.expedite_withdrawal(*record, collector)
            }
            TaskKind::Withdraw { record, purposes } => {
                self.revocation_acknowledged(&task.collector)?;
                self.withdrawal_done(*record, collector, purposes)
            }
            TaskKind::Delete { sample } => {
                self.revocation_acknowledged(&task.collector)?;
                Ok(self.outbox.deleted(*sample, collector)?)
            }
            TaskKind::Send { sample } => Ok(self.outbox.sent(*sample)?),
            TaskKind::AskEpoch | TaskKind::ReadAccesses { .. } => Ok(()),
        }
    }

    pub(super) fn withdrawal_done(
        &self,
        record: Id,
        collector: &Endpoint,
        purposes: &Purposes,
    ) -> Result<(), UploadError> {
        // A revocation record withdraws all purposes, and is acknowledged only when all are.
        if Purposes::all().is_subset(purposes) {
            self.consent.revocation_acknowledged(record, collector)?;
        }
        Ok(self.state.write(|txn| {
            let is_complete = self
                .consent
                .withdrawal_done(txn, record, collector, purposes)?;
            // While more withdrawals are due, it is unknown which samples are deleted there.
            if is_complete {
                self.outbox.record_deleted(txn, record, collector)?;
            }
            Ok::<(), ConsentError>(())
        })?)
    }

    pub(super) fn retry_later(
        &self,
        task: &UploadTask,
        asked: Option<Duration>,
        reason: String,
    ) -> Result<TaskStatus, UploadError> {
        if let TaskKind::Register { record, revision } | TaskKind::Confirm { record, revision } =
            &task.kind
        {
            self.registration_ended(*record, *revision, &task.collector)?;
        }
        let now = self.state.system_time();
        self.state
            .write(|txn| retry::failed(txn, task, now, asked, &reason))?;
        Ok(TaskStatus::Retry { reason })
    }

    /// A registration has ended, and it is unknown whether it arrived.
    pub(super) fn registration_ended(
        &self,
        record: Id,
        revision: u32,
        collector: &Endpoint,
    ) -> Result<(), UploadError> {
        self.consent.maybe_registered(record, revision, collector)?;
        self.expedite_withdrawal(record, collector)
    }

    /// After a registration has ended, a withdrawal that found no record before is due at once.
    fn expedite_withdrawal(&self, record: Id, collector: &Endpoint) -> Result<(), UploadError> {
        for due in self.consent.withdrawals_due()? {
            if due.record == record && due.collector == *collector {
                let kind = TaskKind::Withdraw {
                    record,
                    purposes: due.purposes,
                };
                self.clear_failures(&kind.for_collector(collector))?;
            }
        }
        Ok(())
    }

    pub(super) fn failures(&self, task: &UploadTask) -> Result<u32, StateError> {
        Ok(Backoffs::load(&self.state)?.failures(task))
    }

    pub(super) fn clear_failures(&self, task: &UploadTask) -> Result<(), StateError> {
        self.state.write(|txn| retry::clear(txn, task))
    }

    pub(super) fn mark_plan_fetched(&self) -> Result<(), StateError> {
        let now = self.state.system_time();
        self.state.write(|txn| txn.set_value(PLAN_FETCHED, &now))
    }
}
