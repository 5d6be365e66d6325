//! What an outcome changes: nothing counts as done that the collector itself did not acknowledge, and nothing
//! as impossible that may still come to pass.

use std::time::Duration;

use super::{PLAN_ASKED, Protocol};
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
        retry::{self, Waits},
    },
};

/// The wait before a refused registration is tried again: what it depends on may change with an update of
/// either side.
const AFTER_REFUSAL: Duration = Duration::from_secs(24 * 3600);
/// How often a withdrawal is told to a collector that does not know the record, while a registration may still
/// arrive there: over some two days, which is longer than a phone keeps an upload.
const WHILE_ON_ITS_WAY: u32 = 20;

/// What a refusal comes to.
enum End {
    /// What was asked for is so all the same.
    Done,
    /// Asking again would not change it.
    Final,
    /// It is due again after that wait, or after the usual one.
    Again(Option<Duration>),
}

/// What came of an outcome.
pub(crate) struct Settled {
    pub(crate) status: TaskStatus,
    /// Whether the collector knew of a "no" that this device had not heard.
    pub(crate) was_withdrawn: bool,
}

impl From<TaskStatus> for Settled {
    fn from(finished: TaskStatus) -> Self {
        Self {
            status: finished,
            was_withdrawn: false,
        }
    }
}

impl Protocol {
    /// Takes in what came of `task`, while `plan` is in force. What is said of the plan is handed to `take_plan`.
    pub(crate) fn process_result(
        &self,
        task: &UploadTask,
        outcome: UploadResult,
        plan: Option<&Plan>,
        take_plan: impl FnOnce(PlanResponse<'_>) -> Result<(), UploadError>,
    ) -> Result<Settled, UploadError> {
        Self::lock(&self.under_way).remove(task);
        let answer = match outcome {
            UploadResult::Unreachable(reason) => {
                Self::lock(&self.unreached).insert(task.collector.clone());
                return Ok(self.later(task, None, reason)?.into());
            }
            UploadResult::Response(answer) => answer,
        };
        Self::lock(&self.unreached).remove(&task.collector);
        if answer.header(PROTOCOL_HEADER) != Some(PROTOCOL_VERSION) {
            let reason = format!(
                "status {} from something that is no collector",
                answer.status
            );
            return Ok(self.later(task, None, reason)?.into());
        }
        self.note_epoch(&task.collector, &answer)?;
        match answer.status {
            200..=299 => Ok(self.acknowledged(task, &answer, take_plan)?.into()),
            304 if task.kind == TaskKind::FetchPlan => {
                Ok(self.acknowledged(task, &answer, take_plan)?.into())
            }
            400..=499 => self.refused(task, &answer, plan),
            _ => Ok(self
                .later(task, answer.retry_after(), problem(&answer))?
                .into()),
        }
    }

    fn acknowledged(
        &self,
        task: &UploadTask,
        answer: &HttpResponse,
        take_plan: impl FnOnce(PlanResponse<'_>) -> Result<(), UploadError>,
    ) -> Result<TaskStatus, UploadError> {
        let done = self.done(task, answer, take_plan);
        self.settle(task)?;
        match done {
            // The device keeps the plan that it has; only the app can be told.
            Err(UploadError::Plan(error)) => Ok(TaskStatus::Refused {
                status: answer.status,
                reason: error.to_string(),
            }),
            done => done.map(|()| TaskStatus::Done),
        }
    }

    fn done(
        &self,
        task: &UploadTask,
        answer: &HttpResponse,
        take_plan: impl FnOnce(PlanResponse<'_>) -> Result<(), UploadError>,
    ) -> Result<(), UploadError> {
        let collector = &task.collector;
        match &task.kind {
            TaskKind::FetchPlan => {
                self.plan_asked()?;
                take_plan(PlanResponse {
                    plan: (answer.status == 200).then_some(&answer.body),
                    freshness: answer.header(freshness::HEADER),
                })
            }
            TaskKind::Register { record, revision } | TaskKind::Confirm { record, revision } => {
                self.consent.registered(*record, *revision, collector)?;
                Self::lock(&self.confirmed).insert((*record, collector.clone()));
                self.hurry_withdrawal(*record, collector)
            }
            TaskKind::Withdraw { record, purposes } => {
                self.note_no(&task.collector)?;
                self.withdrawal_done(*record, collector, purposes)
            }
            TaskKind::Delete { sample } => {
                self.note_no(&task.collector)?;
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
        // A slip says no to everything, and is heard only when everything is.
        if Purposes::all().is_subset(purposes) {
            self.consent.slip_heard(record, collector)?;
        }
        Ok(self.state.write(|transaction| {
            let heard_all =
                self.consent
                    .withdrawal_done(transaction, record, collector, purposes)?;
            // While more is to be taken back, it is not known which samples are gone there.
            if heard_all {
                self.outbox.record_deleted(transaction, record, collector)?;
            }
            Ok::<(), ConsentError>(())
        })?)
    }

    /// A collector knows that the person took `purposes` back from `record`, though this device does not: its
    /// state was put back from a backup, say. The "no" counts, everywhere.
    fn withdrawn_elsewhere(&self, record: Id, purposes: &Purposes) -> Result<bool, UploadError> {
        let of = |id| match id == record {
            true => purposes.clone(),
            false => Purposes::default(),
        };
        self.consent.end_grants();
        self.consent.mark_refused(of)?;
        let written = self.state.write(|transaction| -> Result<_, ConsentError> {
            let withdrawn = ConsentStore::withdraw(transaction, of)?;
            let gone = self.outbox.withdraw(transaction, &withdrawn)?;
            Ok((gone, !withdrawn.is_empty()))
        });
        self.consent.end_grants();
        let (gone, is_news) = written?;
        self.outbox.shred(&gone);
        Ok(is_news)
    }

    fn refused(
        &self,
        task: &UploadTask,
        answer: &HttpResponse,
        plan: Option<&Plan>,
    ) -> Result<Settled, UploadError> {
        let refusal = Problem::of(answer).refusal();
        // Whatever was asked for: that the person said no is what matters.
        let withdrawn = match &refusal {
            Refusal::Withdrawn(purposes) => Some(purposes),
            Refusal::Stale { withdrawn, .. } => Some(withdrawn),
            _ => None,
        };
        let was_withdrawn = match (withdrawn, self.record_of(task)?) {
            (Some(purposes), Some(record)) => self.withdrawn_elsewhere(record, purposes)?,
            _ => false,
        };
        let end = match &task.kind {
            TaskKind::FetchPlan => self.plan_refused(answer, &refusal)?,
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
                    End::Done
                }
                _ => End::Again(None),
            },
            TaskKind::Send { sample } => {
                self.sample_refused(*sample, &task.collector, &refusal, plan)?
            }
            TaskKind::AskEpoch | TaskKind::ReadAccesses { .. } => End::Final,
        };
        let finished = match end {
            End::Done => {
                self.settle(task)?;
                TaskStatus::Done
            }
            End::Final => {
                self.settle(task)?;
                TaskStatus::Refused {
                    status: answer.status,
                    reason: problem(answer),
                }
            }
            End::Again(wait) => self.later(task, answer.retry_after().or(wait), problem(answer))?,
        };
        Ok(Settled {
            status: finished,
            was_withdrawn,
        })
    }

    fn plan_refused(&self, answer: &HttpResponse, refusal: &Refusal) -> Result<End, StateError> {
        match (answer.status, refusal) {
            (404, _) => {
                self.plan_asked()?;
                Ok(End::Done)
            }
            (_, Refusal::Later) => Ok(End::Again(None)),
            _ => {
                self.plan_asked()?;
                Ok(End::Final)
            }
        }
    }

    fn registration_refused(
        &self,
        record: Id,
        refusal: Refusal,
        was_withdrawn: bool,
    ) -> Result<End, UploadError> {
        Ok(match refusal {
            Refusal::Withdrawn(_) if was_withdrawn => End::Final,
            Refusal::Stale { revision, .. } if Self::lock(&self.overtaken).insert(record) => {
                self.consent.overtake(record, revision)?;
                End::Again(None)
            }
            Refusal::Withdrawn(_) | Refusal::Stale { .. } | Refusal::NotAsked => {
                End::Again(Some(AFTER_REFUSAL))
            }
            _ => End::Again(None),
        })
    }

    /// A "no" is repeated until it is acknowledged, whatever the collector says.
    fn withdrawal_refused(
        &self,
        task: &UploadTask,
        record: Id,
        purposes: &Purposes,
        refusal: &Refusal,
    ) -> Result<End, UploadError> {
        if *refusal != Refusal::UnknownRecord {
            return Ok(End::Again(None));
        }
        // It would be held there then, and whether this device hears of it is not certain.
        let may_yet_arrive = self.consent.may_yet_arrive(record, &task.collector)?;
        if may_yet_arrive && self.failures(task)? < WHILE_ON_ITS_WAY {
            return Ok(End::Again(None));
        }
        // What the collector does not know is not held there: the "no" has its effect.
        self.withdrawal_done(record, &task.collector, purposes)?;
        Ok(End::Done)
    }

    fn sample_refused(
        &self,
        sample: Id,
        collector: &Endpoint,
        refusal: &Refusal,
        plan: Option<&Plan>,
    ) -> Result<End, UploadError> {
        let entry = self.outbox.entry(sample)?;
        match refusal {
            // The collector lost its records, or the registration: it comes first again.
            Refusal::UnknownRecord => {
                self.consent.not_registered(entry.consent, collector)?;
                Ok(End::Again(None))
            }
            // One that is left for another purpose is due again for that.
            Refusal::Withdrawn(_) if entry.state != SampleState::Pending => Ok(End::Final),
            Refusal::Deleted => {
                self.outbox.deleted(sample, collector)?;
                Ok(End::Final)
            }
            Refusal::Never => {
                self.outbox.refused(sample)?;
                Ok(End::Final)
            }
            // The collector may have a plan later that this device has already; what is sealed to recipients
            // that even this device's plan names no more will never be taken.
            Refusal::WrongRecipients
                if plan.is_some_and(|plan| entry.recipients != recipients_of(plan)) =>
            {
                self.outbox.refused(sample)?;
                Ok(End::Final)
            }
            _ => Ok(End::Again(None)),
        }
    }

    /// The record in whose name `task` was signed.
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

    fn later(
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
            .write(|transaction| retry::failed(transaction, task, now, asked, &reason))?;
        Ok(TaskStatus::Retry { reason })
    }

    /// A registration has come to its end, and it is not known whether it arrived.
    fn registration_ended(
        &self,
        record: Id,
        revision: u32,
        collector: &Endpoint,
    ) -> Result<(), UploadError> {
        self.consent.maybe_registered(record, revision, collector)?;
        self.hurry_withdrawal(record, collector)
    }

    /// Now that a registration has come to its end, a withdrawal that met no record before is due at once.
    fn hurry_withdrawal(&self, record: Id, collector: &Endpoint) -> Result<(), UploadError> {
        for due in self.consent.withdrawals_due()? {
            if due.record == record && due.collector == *collector {
                let kind = TaskKind::Withdraw {
                    record,
                    purposes: due.purposes,
                };
                self.settle(&kind.at(collector))?;
            }
        }
        Ok(())
    }

    fn failures(&self, task: &UploadTask) -> Result<u32, StateError> {
        Ok(Waits::load(&self.state)?.failures(task))
    }

    fn settle(&self, task: &UploadTask) -> Result<(), StateError> {
        self.state
            .write(|transaction| retry::settled(transaction, task))
    }

    fn plan_asked(&self) -> Result<(), StateError> {
        let now = self.state.system_time();
        self.state
            .write(|change| change.set_value(PLAN_ASKED, &now))
    }
}

/// As a sample's request states them.
fn recipients_of(plan: &Plan) -> String {
    hex::encode(&recipients_digest(&plan.recipients))
}
