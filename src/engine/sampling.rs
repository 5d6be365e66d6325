//! From a raw clip to the outbox: anonymize, seal, enqueue, or withhold with a reason.

use std::{fmt, sync::PoisonError};

use serde::Serialize;

use super::{Event, Inner, Sordino};
use crate::{
    Error,
    anonymize::{Anonymizer, AnonymousClip, RejectionReason, Settings},
    consent::{ConsentError, Grants},
    id::Id,
    outbox::OutboxError,
    plan::{Plan, Review},
    sampler::{RawClip, budget},
    seal::{self, SealError},
    state::StateError,
    week::Week,
};

/// The outcome of [`Sordino::submit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum SubmitOutcome {
    /// The clip is sealed and queued.
    Queued {
        /// The sample.
        sample_id: Id,
    },
    /// The clip awaits the person's review: see [`Sordino::previews`].
    AwaitsReview {
        /// The preview's id.
        preview_id: Id,
    },
    /// The clip was wiped.
    Withheld {
        /// Why.
        reason: WithheldReason,
    },
}

impl From<SubmitOutcome> for Event {
    fn from(outcome: SubmitOutcome) -> Self {
        match outcome {
            SubmitOutcome::Queued { sample_id } => Self::Queued(sample_id),
            SubmitOutcome::AwaitsReview { preview_id } => Self::AwaitsReview(preview_id),
            SubmitOutcome::Withheld { reason } => Self::Withheld(reason),
        }
    }
}

/// Why a clip is not sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithheldReason {
    /// No plan is installed.
    NoPlan,
    /// The plan has expired.
    PlanExpired,
    /// The organization has not confirmed within the plan's `fresh_days` that the plan is the
    /// newest.
    PlanNotFresh,
    /// The plan's kill switch is set.
    Paused,
    /// There is no valid consent.
    NoConsent,
    /// Today's budget of samples or bytes is used up.
    Budget,
    /// A possible voice could not be removed safely.
    Voice,
    /// The clip is silent.
    Silence,
    /// Too little audio is left after anonymization.
    TooShort,
    /// The person did not review it in time.
    Unreviewed,
    /// A stage failed.
    Failed,
}

impl fmt::Display for WithheldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPlan => "no sampling plan is in force",
            Self::PlanExpired => "the sampling plan has expired",
            Self::PlanNotFresh => {
                "the sampling plan has not been confirmed by the organization within its `fresh_days`"
            }
            Self::Paused => "sampling is paused by the plan",
            Self::NoConsent => "there is no consent",
            Self::Budget => "today's budget is spent",
            Self::Voice => "it may hold a voice",
            Self::Silence => "there is nothing to hear in it",
            Self::TooShort => "too little of it is left",
            Self::Unreviewed => "the person was to hear it first",
            Self::Failed => "a stage failed",
        })
    }
}

impl From<RejectionReason> for WithheldReason {
    fn from(reason: RejectionReason) -> Self {
        match reason {
            RejectionReason::Voice => Self::Voice,
            RejectionReason::Silence => Self::Silence,
            RejectionReason::TooShort => Self::TooShort,
            RejectionReason::Failed => Self::Failed,
        }
    }
}

/// Permission to turn a clip into a sample: the plan and the grants.
pub(super) struct SamplingPermit {
    plan: Plan,
    pub(super) grants: Grants,
}

impl Sordino {
    /// Submits a clip, without random selection. Consent, the budget and the anonymizer apply. A
    /// clip longer than the plan's clip length is cut to its end.
    ///
    /// # Errors
    /// A stage failed, for example because the disk is full. The clip is wiped.
    pub fn submit(&self, clip: RawClip) -> Result<SubmitOutcome, Error> {
        let inner = self.inner()?;
        let outcome = inner.sample(clip)?;
        inner.emit(&outcome.into());
        Ok(outcome)
    }
}

impl Inner {
    /// The permit to sample, or why there is none.
    pub(super) fn sampling_permit(
        &self,
    ) -> Result<Result<SamplingPermit, WithheldReason>, StateError> {
        let Some(plan) = self.plan() else {
            return Ok(Err(WithheldReason::NoPlan));
        };
        if let Some(reason) = self.plan_block(&plan) {
            return Ok(Err(reason));
        }
        let grants = match self.grants() {
            Ok(grants) => grants,
            Err(ConsentError::State(error)) => return Err(error),
            Err(_) => return Ok(Err(WithheldReason::NoConsent)),
        };
        if !budget::has_budget(&self.state, &plan)? {
            return Ok(Err(WithheldReason::Budget));
        }
        Ok(Ok(SamplingPermit { plan, grants }))
    }

    /// Why `plan` blocks sampling, registration and uploads, if it does.
    pub(super) fn plan_block(&self, plan: &Plan) -> Option<WithheldReason> {
        if plan.check_in_force(self.state.monotonic_time()).is_err() {
            Some(WithheldReason::PlanExpired)
        } else if plan.paused {
            Some(WithheldReason::Paused)
        } else {
            (!self.is_fresh(plan)).then_some(WithheldReason::PlanNotFresh)
        }
    }

    pub(super) fn sample(&self, clip: RawClip) -> Result<SubmitOutcome, Error> {
        let permit = match self.sampling_permit()? {
            Ok(permit) => permit,
            Err(reason) => return Ok(SubmitOutcome::Withheld { reason }),
        };
        let clip = clip.keep_last(f64::from(permit.plan.clip_seconds));
        let anonymous = {
            let mut anonymizer = self
                .anonymizer
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // Taken out while in use: an anonymizer that panicked is not used again.
            let mut ready = match anonymizer.take() {
                Some(ready) => ready,
                None => Anonymizer::new()?,
            };
            let outcome = ready.anonymize(clip, Settings::default());
            *anonymizer = Some(ready);
            outcome
        };
        let anonymous = match anonymous {
            Ok(anonymous) => anonymous,
            Err(withheld) => {
                return Ok(SubmitOutcome::Withheld {
                    reason: withheld.reason.into(),
                });
            }
        };
        if Review::Required == self.review || Review::Required == permit.plan.review {
            // A withdrawal after this line wipes it there.
            let SamplingPermit { grants, .. } = &permit;
            let outcome = self.queue_for_review(anonymous, grants.record(), grants.purposes())?;
            if !grants.is_live() {
                self.reviews.keep_only(None);
                return Ok(SubmitOutcome::Withheld {
                    reason: WithheldReason::NoConsent,
                });
            }
            return Ok(outcome);
        }
        self.seal(anonymous, &permit)
    }

    /// Seals and queues an anonymous clip.
    pub(super) fn seal(
        &self,
        clip: AnonymousClip,
        permit: &SamplingPermit,
    ) -> Result<SubmitOutcome, Error> {
        let SamplingPermit { plan, grants } = permit;
        let week = Week::from_timestamp(self.state.monotonic_time());
        let sealed = match seal::seal(clip, grants, &plan.recipients, week) {
            Ok(sealed) => sealed,
            Err(SealError::Withdrawn) => {
                return Ok(SubmitOutcome::Withheld {
                    reason: WithheldReason::NoConsent,
                });
            }
            Err(error) => return Err(error.into()),
        };
        match self.outbox.enqueue(sealed, grants, plan) {
            Ok(queued) => {
                queued
                    .dropped
                    .iter()
                    .for_each(|&sample| self.emit(&Event::Dropped(sample)));
                Ok(SubmitOutcome::Queued {
                    sample_id: queued.sample,
                })
            }
            Err(OutboxError::Withdrawn) => Ok(SubmitOutcome::Withheld {
                reason: WithheldReason::NoConsent,
            }),
            Err(OutboxError::Budget) => Ok(SubmitOutcome::Withheld {
                reason: WithheldReason::Budget,
            }),
            Err(error) => Err(error.into()),
        }
    }
}
