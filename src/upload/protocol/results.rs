//! Processing of upload results: nothing counts as done until the collector has acknowledged it,
//! and nothing counts as refused for good that may still succeed.

use std::time::Duration;

use super::{PLAN_FETCHED, Protocol};
use crate::{
    consent::{ConsentError, ConsentStore},
    endpoint::Endpoint,
    hex,
    id::Id,
    outbox::SampleState,
    plan::{Plan, freshness},
    purpose::Purposes,
    seal::recipients_digest,
    state::StateError,
    upload::{
        HttpResponse, PROTOCOL_HEADER, PROTOCOL_VERSION, PlanResponse, TaskKind, TaskStatus,
        UploadError, UploadResult, UploadTask,
        problem::{Problem, Refusal, problem},
        retry::{self, Backoffs},
    },
};

/// The delay before a refused registration is retried: an update of either side may change the
/// result.
const REFUSAL_DELAY: Duration = Duration::from_secs(24 * 3600);
/// How often a withdrawal is sent to a collector that does not know the record while a registration
/// may still arrive there: over about two days, longer than a phone keeps an upload.
const MAX_TRIES_IN_FLIGHT: u32 = 20;

/// How a refused task continues.
enum Resolution {
    /// The intended state is reached anyway.
    Done,
    /// A retry would not change it.
    Final,
    /// The task is due again after this delay, or after the usual backoff.
    Again(Option<Duration>),
}

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

    fn withdrawal_done(
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
            let heard_all = self
                .consent
                .withdrawal_done(txn, record, collector, purposes)?;
            // While more withdrawals are due, it is unknown which samples are deleted there.
            if heard_all {
                self.outbox.record_deleted(txn, record, collector)?;
            }
            Ok::<(), ConsentError>(())
        })?)
    }

    /// A collector knows a withdrawal of `purposes` from `record` that this device does not know,
    /// for example because its state was restored from a backup. The withdrawal is applied, for
    /// every collector.
    fn reconcile_withdrawal(&self, record: Id, purposes: &Purposes) -> Result<bool, UploadError> {
        let of = |id| match id == record {
            true => purposes.clone(),
            false => Purposes::default(),
        };
        self.consent.revoke_grants();
        self.consent.mark_revoked(of)?;
        let written = self.state.write(|txn| -> Result<_, ConsentError> {
            let withdrawn = ConsentStore::withdraw(txn, of)?;
            let gone = self.outbox.withdraw(txn, &withdrawn)?;
            Ok((gone, !withdrawn.is_empty()))
        });
        self.consent.revoke_grants();
        let (gone, is_news) = written?;
        self.outbox.shred(&gone);
        Ok(is_news)
    }

    fn refused(
        &self,
        task: &UploadTask,
        response: &HttpResponse,
        plan: Option<&Plan>,
    ) -> Result<ProcessedResult, UploadError> {
        let refusal = Problem::from_response(response).refusal();
        // A withdrawal counts, whatever the request was.
        let withdrawn = match &refusal {
            Refusal::Withdrawn(purposes) => Some(purposes),
            Refusal::Stale { withdrawn, .. } => Some(withdrawn),
            _ => None,
        };
        let was_withdrawn = match (withdrawn, self.record_of(task)?) {
            (Some(purposes), Some(record)) => self.reconcile_withdrawal(record, purposes)?,
            _ => false,
        };
        let end = match &task.kind {
            TaskKind::FetchPlan => self.plan_refused(response, &refusal)?,
            TaskKind::Register { record, revision } | TaskKind::Confirm { record, revision } => {
                let end = self.registration_refused(*record, refusal, was_withdrawn)?;
                self.registration_ended(*record, *revision, &task.collector)?;
                end
            }
            TaskKind::Withdraw { record, purposes } => {
                self.withdrawal_refused(task, *record, purposes, &refusal)?
            }
            TaskKind::Delete { sample } => match refusal {
                Refusal::UnknownRecord | Refusal::Deleted => {
                    self.outbox.deleted(*sample, &task.collector)?;
                    Resolution::Done
                }
                _ => Resolution::Again(None),
            },
            TaskKind::Send { sample } => {
                self.sample_refused(*sample, &task.collector, &refusal, plan)?
            }
            TaskKind::AskEpoch | TaskKind::ReadAccesses { .. } => Resolution::Final,
        };
        let status = match end {
            Resolution::Done => {
                self.clear_failures(task)?;
                TaskStatus::Done
            }
            Resolution::Final => {
                self.clear_failures(task)?;
                TaskStatus::Refused {
                    status: response.status,
                    reason: problem(response),
                }
            }
            Resolution::Again(wait) => {
                self.retry_later(task, response.retry_after().or(wait), problem(response))?
            }
        };
        Ok(ProcessedResult {
            status,
            was_withdrawn,
        })
    }

    fn plan_refused(
        &self,
        response: &HttpResponse,
        refusal: &Refusal,
    ) -> Result<Resolution, StateError> {
        match (response.status, refusal) {
            (404, _) => {
                self.mark_plan_fetched()?;
                Ok(Resolution::Done)
            }
            (_, Refusal::Temporary) => Ok(Resolution::Again(None)),
            _ => {
                self.mark_plan_fetched()?;
                Ok(Resolution::Final)
            }
        }
    }

    fn registration_refused(
        &self,
        record: Id,
        refusal: Refusal,
        was_withdrawn: bool,
    ) -> Result<Resolution, UploadError> {
        Ok(match refusal {
            Refusal::Withdrawn(_) if was_withdrawn => Resolution::Final,
            Refusal::Stale { revision, .. } if Self::lock(&self.raised).insert(record) => {
                self.consent.raise_revision(record, revision)?;
                Resolution::Again(None)
            }
            Refusal::Withdrawn(_) | Refusal::Stale { .. } | Refusal::NotAsked => {
                Resolution::Again(Some(REFUSAL_DELAY))
            }
            _ => Resolution::Again(None),
        })
    }

    /// A withdrawal is repeated until it is acknowledged, whatever the collector responds.
    fn withdrawal_refused(
        &self,
        task: &UploadTask,
        record: Id,
        purposes: &Purposes,
        refusal: &Refusal,
    ) -> Result<Resolution, UploadError> {
        if *refusal != Refusal::UnknownRecord {
            return Ok(Resolution::Again(None));
        }
        // The record would then be stored there, possibly without this device knowing.
        let may_yet_arrive = self.consent.may_yet_arrive(record, &task.collector)?;
        if may_yet_arrive && self.failures(task)? < MAX_TRIES_IN_FLIGHT {
            return Ok(Resolution::Again(None));
        }
        // The collector does not have the record: the withdrawal is complete.
        self.withdrawal_done(record, &task.collector, purposes)?;
        Ok(Resolution::Done)
    }

    fn sample_refused(
        &self,
        sample: Id,
        collector: &Endpoint,
        refusal: &Refusal,
        plan: Option<&Plan>,
    ) -> Result<Resolution, UploadError> {
        let entry = self.outbox.entry(sample)?;
        match refusal {
            // The collector lost the record: register it again first.
            Refusal::UnknownRecord => {
                self.consent.not_registered(entry.consent, collector)?;
                Ok(Resolution::Again(None))
            }
            // A sample that is left for another purpose is due again for that.
            Refusal::Withdrawn(_) if entry.state != SampleState::Pending => Ok(Resolution::Final),
            Refusal::Deleted => {
                self.outbox.deleted(sample, collector)?;
                Ok(Resolution::Final)
            }
            Refusal::Permanent => {
                self.outbox.refused(sample)?;
                Ok(Resolution::Final)
            }
            // The collector may still receive a plan that this device already has; a sample sealed
            // to recipients that even this device's plan no longer names is never accepted.
            Refusal::WrongRecipients
                if plan.is_some_and(|plan| entry.recipients != recipients_digest_hex(plan)) =>
            {
                self.outbox.refused(sample)?;
                Ok(Resolution::Final)
            }
            _ => Ok(Resolution::Again(None)),
        }
    }

    /// The record that `task` was signed for.
    fn record_of(&self, task: &UploadTask) -> Result<Option<Id>, UploadError> {
        Ok(match &task.kind {
            TaskKind::FetchPlan | TaskKind::AskEpoch => None,
            TaskKind::Register { record, .. }
            | TaskKind::Confirm { record, .. }
            | TaskKind::Withdraw { record, .. } => Some(*record),
            TaskKind::Delete { sample }
            | TaskKind::Send { sample }
            | TaskKind::ReadAccesses { sample, .. } => Some(self.outbox.entry(*sample)?.consent),
        })
    }

    fn retry_later(
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
    fn registration_ended(
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

    fn failures(&self, task: &UploadTask) -> Result<u32, StateError> {
        Ok(Backoffs::load(&self.state)?.failures(task))
    }

    fn clear_failures(&self, task: &UploadTask) -> Result<(), StateError> {
        self.state.write(|txn| retry::clear(txn, task))
    }

    fn mark_plan_fetched(&self) -> Result<(), StateError> {
        let now = self.state.system_time();
        self.state.write(|txn| txn.set_value(PLAN_FETCHED, &now))
    }
}

/// The recipients as a sample's request states them.
fn recipients_digest_hex(plan: &Plan) -> String {
    hex::encode(&recipients_digest(&plan.recipients))
}
