//! Refused requests: a request that may still succeed is not permanently refused.

use std::time::Duration;

use super::{Protocol, results::ProcessedResult};
use crate::{
    consent::{ConsentError, ConsentStore},
    endpoint::Endpoint,
    hex,
    id::Id,
    outbox::SampleState,
    plan::Plan,
    purpose::Purposes,
    seal::recipients_digest,
    state::StateError,
    upload::{
        HttpResponse, TaskKind, TaskStatus, UploadError, UploadTask,
        problem::{Problem, Refusal, problem},
    },
};

/// The delay before a refused registration is retried: an update of either side may change the
/// result.
const REFUSAL_DELAY: Duration = Duration::from_secs(24 * 3600);
/// The number of times a withdrawal is sent to a collector that does not know the record while a registration
/// may still arrive there: over about two days, longer than a phone keeps an upload.
const MAX_TRIES_IN_FLIGHT: u32 = 20;

/// The next step of a refused task.
enum Resolution {
    /// The intended state is reached anyway.
    Done,
    /// A retry would not change it.
    Final,
    /// The task is due again after this delay, or after the usual backoff.
    Again(Option<Duration>),
}

impl Protocol {
    pub(super) fn refused(
        &self,
        task: &UploadTask,
        response: &HttpResponse,
        plan: Option<&Plan>,
    ) -> Result<ProcessedResult, UploadError> {
        let refusal = Problem::from_response(response).refusal();
        // A withdrawal counts for every kind of request.
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

    /// A withdrawal is repeated until it is acknowledged, for every other response.
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
            let shredded = self.outbox.withdraw(txn, &withdrawn)?;
            Ok((shredded, !withdrawn.is_empty()))
        });
        self.consent.revoke_grants();
        let (shredded, is_news) = written?;
        self.outbox.shred(&shredded);
        Ok(is_news)
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
}

/// The recipients as a sample's request states them.
fn recipients_digest_hex(plan: &Plan) -> String {
    hex::encode(&recipients_digest(&plan.recipients))
}
