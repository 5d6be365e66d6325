//! From a raw clip to the outbox: anonymized, sealed, queued, or withheld with the reason.

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

/// What became of a clip that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum SubmitOutcome {
    /// It is sealed and waits to be sent.
    Queued {
        /// The sample.
        sample_id: Id,
    },
    /// It waits for the person to hear it and say yes: see [`Sordino::previews`].
    AwaitsReview {
        /// Its name there.
        preview_id: Id,
    },
    /// It was wiped.
    Withheld {
        /// Why.
        reason: WithheldReason,
    },
}

impl From<SubmitOutcome> for Event {
    fn from(offer: SubmitOutcome) -> Self {
        match offer {
            SubmitOutcome::Queued { sample_id } => Self::Queued(sample_id),
            SubmitOutcome::AwaitsReview { preview_id } => Self::AwaitsReview(preview_id),
            SubmitOutcome::Withheld { reason } => Self::Withheld(reason),
        }
    }
}

/// Why a moment is not sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithheldReason {
    /// No plan is in force.
    NoPlan,
    /// The plan has expired.
    PlanExpired,
    /// The organization has not said lately enough that the plan is the newest.
    PlanNotFresh,
    /// The plan's kill switch is set.
    Paused,
    /// Nobody said yes, or the yes does not stand.
    NoConsent,
    /// Today's samples or bytes are spent.
    Budget,
    /// A voice, or what may be one, could not be taken out safely.
    Voice,
    /// There is nothing to hear in it.
    Silence,
    /// Too little is left of it.
    TooShort,
    /// The person was to hear it first, and did not say yes.
    Unreviewed,
    /// A stage failed. When in doubt, withhold.
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

/// What must stand before sound may become a sample.
pub(super) struct SamplingPermit {
    plan: Plan,
    pub(super) grants: Grants,
}

impl Sordino {
    /// Offers a clip, as the app's own mark does: it skips the random draw, and keeps consent, the
    /// budget and the anonymizer's gate. A longer clip than the plan's is cut to its end.
    ///
    /// # Errors
    /// A stage failed, a full disk say. The clip is wiped then too.
    pub fn submit(&self, clip: RawClip) -> Result<SubmitOutcome, Error> {
        let inner = self.inner()?;
        let offer = inner.sample(clip)?;
        inner.emit(&offer.into());
        Ok(offer)
    }
}

impl Inner {
    /// What must stand, or which of it does not.
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

    /// Why `plan` lets nothing be sampled, registered or sent, if it does not.
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
        let leave = match self.sampling_permit()? {
            Ok(leave) => leave,
            Err(reason) => return Ok(SubmitOutcome::Withheld { reason }),
        };
        let clip = clip.keep_last(f64::from(leave.plan.clip_seconds));
        let anonymous = {
            let mut anonymizer = self
                .anonymizer
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // Taken out while it works: one that panicked is not used again.
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
        if Review::Required == self.review || Review::Required == leave.plan.review {
            // Who withdrew meanwhile finds it there, and wipes it.
            let SamplingPermit { grants, .. } = &leave;
            let offer = self.queue_for_review(anonymous, grants.record(), grants.purposes())?;
            if !grants.is_live() {
                self.reviews.keep_only(None);
                return Ok(SubmitOutcome::Withheld {
                    reason: WithheldReason::NoConsent,
                });
            }
            return Ok(offer);
        }
        self.seal(anonymous, &leave)
    }

    /// Seals and queues what may be sent.
    pub(super) fn seal(
        &self,
        clip: AnonymousClip,
        leave: &SamplingPermit,
    ) -> Result<SubmitOutcome, Error> {
        let SamplingPermit { plan, grants } = leave;
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
