//! Upload, by the host's own HTTP or by the built-in client.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Event, Inner, Sordino};
#[cfg(feature = "http")]
use crate::upload::Client;
use crate::{
    Error,
    id::Id,
    state::StateError,
    upload::{
        Accesses, AuditHead, BrokenLog, Finished, Outcome, Request, Scope, Task, UploadError,
        Urgency, accesses,
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
}

impl Sordino {
    /// The next request that is due, if one is. The host sends it and hands its outcome to
    /// [`Self::finish`].
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_request(&self) -> Result<Option<Request>, Error> {
        Ok(self.inner.next_request(Urgency::Scheduled)?)
    }

    /// Takes in what came of a request.
    ///
    /// # Errors
    /// The state cannot be written; the request is due again.
    pub fn finish(&self, task: &Task, outcome: Outcome) -> Result<Finished, Error> {
        Ok(self.inner.finish(task, outcome)?)
    }

    /// The next request that is due for a person who asks for it now: waits after failures are
    /// passed over, but for those that the collector asked for. `tried` are the tasks that failed
    /// since the person asked.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_request_now(&self, tried: &BTreeSet<Task>) -> Result<Option<Request>, Error> {
        Ok(self.inner.next_request(Urgency::Now { tried })?)
    }

    /// The collector is asked for a newer plan with the next requests, however lately it was.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn renew_plan(&self) -> Result<(), Error> {
        Ok(self.inner.protocol.forget_plan_age()?)
    }

    /// The request that asks the collector who opened a sample; [`Self::read_accesses`] reads what
    /// came of it.
    ///
    /// # Errors
    /// There is no such sample.
    pub fn accesses_request(&self, sample: Id) -> Result<Request, Error> {
        let entry = self.inner.outbox.entry(sample)?;
        let identity = self.inner.consent.identity(entry.consent)?;
        let identity = identity.ok_or(UploadError::NotGranted(sample))?;
        Ok(accesses(self.inner.protocol.endpoint(), &identity, sample))
    }

    /// Sends all that is due with the built-in client, as a person who asks for it now expects, and
    /// asks for a newer plan. It stops where the collector cannot be reached.
    ///
    /// # Errors
    /// The state cannot be used. What the collector says stands in the summary.
    #[cfg(feature = "http")]
    pub fn upload_now(&self, client: &Client) -> Result<UploadSummary, Error> {
        let mut summary = UploadSummary::default();
        let mut tried = BTreeSet::new();
        self.renew_plan()?;
        while let Some(request) = self.next_request_now(&tried)? {
            let outcome = client.send(&request);
            let unreachable = matches!(outcome, Outcome::Unreachable(_));
            let finished = self.inner.finish(&request.task, outcome)?;
            summary.note(&request.task, &finished);
            if !matches!(finished, Finished::Done) {
                tried.insert(request.task);
            }
            if unreachable {
                break;
            }
        }
        Ok(summary)
    }

    /// Who opened a sample, asked of the collector with the built-in client.
    ///
    /// # Errors
    /// There is no such sample, or the collector did not answer.
    #[cfg(feature = "http")]
    pub fn accesses(&self, sample: Id, client: &Client) -> Result<Accesses, Error> {
        let request = self.accesses_request(sample)?;
        self.read_accesses(client.send(&request))
    }

    /// Who opened a sample, from what came of the request of [`Self::accesses_request`]. The device
    /// remembers the head of the collector's log, and tells where a later log is not its continuation.
    ///
    /// # Errors
    /// The collector did not answer, or the state cannot be used.
    pub fn read_accesses(&self, outcome: Outcome) -> Result<Accesses, Error> {
        let mut accesses = Accesses::from_outcome(outcome)?;
        if let Some(head) = accesses.head {
            accesses.broken = self.inner.compare_head(head)?.err();
        }
        Ok(accesses)
    }
}

impl UploadSummary {
    /// Counts what became of a request.
    pub fn note(&mut self, task: &Task, finished: &Finished) {
        match (finished, task) {
            (Finished::Done, Task::Register { .. }) => self.registrations += 1,
            (Finished::Done, Task::Send { .. }) => self.samples += 1,
            (Finished::Done, Task::Withdraw { .. } | Task::Delete { .. }) => self.deletions += 1,
            (Finished::Done, Task::FetchPlan | Task::ReadAccesses { .. }) => {}
            (Finished::Refused { reason, .. }, _) => {
                self.refused += 1;
                self.problem.get_or_insert_with(|| reason.clone());
            }
            (Finished::Later { reason }, _) => {
                self.failed += 1;
                self.problem.get_or_insert_with(|| reason.clone());
            }
        }
    }
}

/// The head of a collector's access log, as it was last seen.
#[derive(Serialize, Deserialize)]
struct SeenHead {
    collector: String,
    head: AuditHead,
}

const SEEN_HEAD: &str = "audit-head";

impl Inner {
    /// Whether the log with this head is what became of the one that was seen before. One that is not is
    /// not remembered: the earlier head is the evidence.
    fn compare_head(&self, head: AuditHead) -> Result<Result<(), BrokenLog>, StateError> {
        let collector = self.protocol.endpoint().to_string();
        let seen: Option<SeenHead> = self.state.value(SEEN_HEAD)?;
        let seen = seen.filter(|seen| seen.collector == collector);
        if let Some(seen) = &seen
            && let Err(broken) = head.continues(&seen.head)
        {
            return Ok(Err(broken));
        }
        if seen.is_none_or(|seen| seen.head != head) {
            self.state
                .write(|change| change.set_value(SEEN_HEAD, &SeenHead { collector, head }))?;
        }
        Ok(Ok(()))
    }

    fn next_request(&self, urgency: Urgency<'_>) -> Result<Option<Request>, UploadError> {
        // A "no" that a full disk held up goes out as soon as there is room.
        if let Err(error) = self.write_refused() {
            tracing::warn!(%error, "a withdrawal is yet to be written");
        }
        let Some(plan) = self.plan() else {
            return self.protocol.next(None, urgency);
        };
        self.drop_uncovered()?;
        // The kill switch and the plan's end stop samples. The next plan may still be asked for.
        let rules = !plan.paused && plan.check_in_force(self.state.system_time()).is_ok();
        let grants = self.grants().ok();
        let scope = grants.as_ref().map(|grants| match rules {
            true => Scope::Samples {
                grants,
                plan_version: plan.version,
            },
            false => Scope::Plan {
                version: plan.version,
            },
        });
        self.protocol.next(scope, urgency)
    }

    fn finish(&self, task: &Task, outcome: Outcome) -> Result<Finished, UploadError> {
        let finished = self
            .protocol
            .finish(task, outcome, |json| self.install_plan(json))?;
        if let (Task::Register { .. }, Finished::Refused { status: 410, .. }) = (task, &finished) {
            self.changed();
            self.forget_sound();
            self.tell_consent()?;
        }
        self.tell(&Event::Uploaded {
            task: task.clone(),
            finished: finished.clone(),
        });
        Ok(finished)
    }
}
