//! What an outcome changes: nothing counts as done that the collector itself did not acknowledge.

use std::time::Duration;

use super::{PLAN_ASKED, Protocol};
use crate::{
    consent::{ConsentError, ConsentStore},
    id::Id,
    purpose::Purposes,
    state::StateError,
    upload::{
        Answer, Finished, Outcome, PROTOCOL_HEADER, Task, UploadError,
        problem::problem,
        retry::{self, Waits},
    },
};

/// The wait before a refused registration is tried again.
const AFTER_REFUSAL: Duration = Duration::from_secs(24 * 3600);
/// How often a withdrawal is told to a collector that does not know the record, while a registration may still
/// arrive there: over some two days, which is longer than a phone keeps an upload.
const WHILE_ON_ITS_WAY: u32 = 20;

impl Protocol {
    /// Takes in what came of `task`. A plan that came is handed to `take_plan`.
    pub(crate) fn finish(
        &self,
        task: &Task,
        outcome: Outcome,
        take_plan: impl FnOnce(&[u8]) -> Result<(), UploadError>,
    ) -> Result<Finished, UploadError> {
        self.lock().remove(task);
        let answer = match outcome {
            Outcome::Unreachable(reason) => return self.later(task, None, reason),
            Outcome::Answered(answer) => answer,
        };
        if answer.header(PROTOCOL_HEADER).is_none() {
            let reason = format!(
                "status {} from something that is no collector",
                answer.status
            );
            return self.later(task, None, reason);
        }
        match answer.status {
            200..=299 => self.acknowledged(task, &answer, take_plan),
            304 if *task == Task::FetchPlan => self.acknowledged(task, &answer, take_plan),
            408 | 425 | 429 => self.later(task, answer.retry_after(), problem(&answer)),
            400..=499 => self.refused(task, &answer),
            _ => self.later(task, answer.retry_after(), problem(&answer)),
        }
    }

    fn acknowledged(
        &self,
        task: &Task,
        answer: &Answer,
        take_plan: impl FnOnce(&[u8]) -> Result<(), UploadError>,
    ) -> Result<Finished, UploadError> {
        let done = self.done(task, answer, take_plan);
        self.settle(task)?;
        match done {
            // The device keeps the plan that it has; only the app can be told.
            Err(UploadError::Plan(error)) => Ok(Finished::Refused {
                status: answer.status,
                reason: error.to_string(),
            }),
            done => done.map(|()| Finished::Done),
        }
    }

    fn done(
        &self,
        task: &Task,
        answer: &Answer,
        take_plan: impl FnOnce(&[u8]) -> Result<(), UploadError>,
    ) -> Result<(), UploadError> {
        match task {
            Task::FetchPlan => {
                self.plan_asked()?;
                if answer.status == 200 {
                    take_plan(&answer.body)?;
                }
                Ok(())
            }
            Task::Register { record, revision } => {
                self.consent.registered(*record, *revision)?;
                self.hurry_withdrawal(*record)
            }
            Task::Withdraw { record, purposes } => self.withdrawal_done(*record, purposes),
            Task::Delete { sample } => Ok(self.outbox.deleted(*sample)?),
            Task::Send { sample } => Ok(self.outbox.sent(*sample)?),
            Task::ReadAccesses { .. } => Ok(()),
        }
    }

    fn withdrawal_done(&self, record: Id, purposes: &Purposes) -> Result<(), UploadError> {
        // A slip says no to everything, and is heard only when everything is.
        let everything = Purposes::all();
        self.consent
            .forget_slips(Some(record).filter(|_| everything.is_subset(purposes)))?;
        Ok(self.state.write(|transaction| {
            let heard_all = self
                .consent
                .withdrawal_done(transaction, record, purposes)?;
            // While more is to be taken back, it is not known which samples are gone there.
            if heard_all {
                self.outbox.record_deleted(transaction, record)?;
            }
            Ok::<(), ConsentError>(())
        })?)
    }

    fn withdrawn_elsewhere(&self, record: Id) -> Result<(), UploadError> {
        self.consent.end_grants();
        let gone = self.state.write(|transaction| -> Result<_, ConsentError> {
            let withdrawn = ConsentStore::withdrawn_elsewhere(transaction, record)?;
            Ok(self.outbox.withdraw(transaction, withdrawn.as_slice())?)
        });
        self.consent.end_grants();
        self.outbox.shred(&gone?);
        Ok(())
    }

    fn refused(&self, task: &Task, answer: &Answer) -> Result<Finished, UploadError> {
        match (task, answer.status) {
            // Then it would be held there, and whether this device hears of it is not certain.
            (Task::Withdraw { record, .. }, 404)
                if self.consent.may_yet_arrive(*record)?
                    && self.failures(task)? < WHILE_ON_ITS_WAY =>
            {
                return self.later(task, None, problem(answer));
            }
            // What the collector does not know is not held there: a "no" has its effect.
            (Task::Withdraw { record, purposes }, 404) => {
                self.withdrawal_done(*record, purposes)?;
            }
            (Task::Delete { sample }, 404 | 410) => self.outbox.deleted(*sample)?,
            // A "no" is repeated until it is acknowledged, whatever the collector says.
            (Task::Withdraw { .. } | Task::Delete { .. }, _) => {
                return self.later(task, None, problem(answer));
            }
            // The collector lost its records, or the registration: it comes first again.
            (Task::Send { sample }, 404) => {
                let entry = self.outbox.entry(*sample)?;
                self.consent.not_registered(entry.consent)?;
                return self.later(task, None, problem(answer));
            }
            (Task::FetchPlan, 404) => self.plan_asked()?,
            (task, status) => {
                match task {
                    Task::Send { sample } => self.outbox.refused(*sample)?,
                    Task::FetchPlan => self.plan_asked()?,
                    Task::Register { record, .. } if status == 410 => {
                        self.withdrawn_elsewhere(*record)?;
                    }
                    // What the record depends on may change with an update of either side.
                    _ => drop(self.later(task, Some(AFTER_REFUSAL), String::new())?),
                }
                return Ok(Finished::Refused {
                    status,
                    reason: problem(answer),
                });
            }
        }
        self.settle(task)?;
        Ok(Finished::Done)
    }

    fn later(
        &self,
        task: &Task,
        asked: Option<Duration>,
        reason: String,
    ) -> Result<Finished, UploadError> {
        if let Task::Register { record, revision } = task {
            self.consent.maybe_registered(*record, *revision)?;
            self.hurry_withdrawal(*record)?;
        }
        let now = self.state.system_time();
        self.state
            .write(|transaction| retry::failed(transaction, task, now, asked))?;
        Ok(Finished::Later { reason })
    }

    /// Now that a registration has come to its end, a withdrawal that met no record before is due at once.
    fn hurry_withdrawal(&self, record: Id) -> Result<(), UploadError> {
        for (withdrawn, purposes) in self.consent.withdrawals_due()? {
            if withdrawn == record {
                self.settle(&Task::Withdraw { record, purposes })?;
            }
        }
        Ok(())
    }

    fn failures(&self, task: &Task) -> Result<u32, StateError> {
        Ok(Waits::load(&self.state)?.failures(task))
    }

    fn settle(&self, task: &Task) -> Result<(), StateError> {
        self.state
            .write(|transaction| retry::settled(transaction, task))
    }

    fn plan_asked(&self) -> Result<(), StateError> {
        let now = self.state.system_time();
        self.state
            .write(|change| change.set_value(PLAN_ASKED, &now))
    }
}
