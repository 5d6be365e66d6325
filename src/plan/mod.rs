//! The sampling plan: what the organization requires of devices.
//!
//! * **Input**: JSON signed with the organization's Ed25519 key, whose public half the app pins.
//! * **Output**: a [`Plan`], verified and checked: recipients, purposes, rates, budgets, kill switch.
//! * **Guarantees**: a plan that is unsigned, expired or older than the installed one has no effect;
//!   a plan with [`Plan::fresh_days`] has no effect once the organization has not confirmed for
//!   that long that it is the newest.
//! * **Never**: grants anything. A plan limits what may be sampled; only the person allows it.

mod controller;
pub mod freshness;
mod recipient;

use std::{collections::BTreeMap, ops::RangeInclusive};

use jiff::{Timestamp, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};

pub use controller::Controller;
pub use freshness::{Freshness, FreshnessError, SignedFreshness};
pub use recipient::{Recipient, RecipientError};

use crate::{
    purpose::{Purpose, Purposes},
    signed::{PublicKey, Signed, SignedError},
};

/// A plan whose signature was verified.
pub type SignedPlan = Signed<Plan>;

/// The largest integer that is interoperable in JSON (RFC 8259 section 6).
const MOST: u64 = (1 << 53) - 1;

/// The organization's instructions to devices: what they may sample, for whom, and within which limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version, which increases; a device never installs a lower one.
    pub version: u64,
    /// The first day (UTC) on which the plan is no longer valid.
    pub expires: Date,
    /// The number of days after the day of the newest [`Freshness`] statement for which the plan lets a device sample
    /// and send, 1 to 60; without it no statement is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_days: Option<u16>,
    /// The day (UTC) on which the plan was signed, which is a statement of that day; given just where `fresh_days` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_on: Option<Date>,
    /// The kill switch: while it is set, nothing is sampled or uploaded. Withdrawals and deletions
    /// are still sent.
    #[serde(default)]
    pub paused: bool,
    /// The data controller, as stated in receipts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<Controller>,
    /// The recipients whose keys open the samples.
    pub recipients: Vec<Recipient>,
    /// The purposes that a person may be asked for.
    pub purposes: Purposes,
    /// The notice version that a person must have consented to.
    pub notice_version: u32,
    /// The validity of consent, in days, at most 366.
    pub consent_days: u32,
    /// The retention period of a sample at the collector for a purpose, in days after its week's end, 1 to
    /// 3650; a missing purpose has no limit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retention_days: BTreeMap<Purpose, u16>,
    /// Whether the person reviews each sample before it is sealed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub review: Review,
    /// The probabilities with which moments are selected.
    pub triggers: Triggers,
    /// Samples that one device may make in a day.
    pub samples_per_day: u32,
    /// Bytes of sealed samples that one device may make in a day.
    pub bytes_per_day: u64,
    /// Length of a sample in seconds, 2 to 30.
    pub clip_seconds: u32,
    /// The part of a marked clip that precedes the mark, in seconds.
    pub pre_roll_seconds: u32,
    /// Sample rate in Hz; currently always 16 000.
    pub sample_rate: u32,
}

/// Whether the person reviews a sample before it is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Review {
    /// A sample is sealed as soon as it is made.
    #[default]
    None,
    /// A sample is sealed only after the person has accepted it.
    Required,
}

/// Plans from before review existed do not have the member, and stay as they were signed.
fn is_none(review: &Review) -> bool {
    *review == Review::None
}

/// Probabilities of sampling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// The probability of sampling a marked moment, 0 to 1.
    pub mark_probability: f64,
    /// The probability of sampling each window of `clip_seconds` at random, 0 to 1.
    pub random_probability: f64,
}

/// Why a plan was not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Not signed by the organization, or changed since.
    #[error("the plan is refused: {0}")]
    Signature(#[from] SignedError),
    /// A value out of its bounds.
    #[error("the plan's `{field}` {reason}")]
    Field {
        /// The member that is wrong.
        field: &'static str,
        /// The problem.
        reason: &'static str,
    },
    /// Its last day is past.
    #[error("the plan expired on {0}; sign a new one")]
    Expired(Date),
    /// Its freshness statement.
    #[error(transparent)]
    Freshness(#[from] FreshnessError),
    /// Lower version than the one in force.
    #[error(
        "the plan has version {offered}, but version {in_force} is in force; plans never go back"
    )]
    Older {
        /// The version offered.
        offered: u64,
        /// The version in force.
        in_force: u64,
    },
    /// The same version with other content.
    #[error(
        "the plan has version {0} like the one in force, but says something else; raise its version"
    )]
    SameVersion(u64),
}

impl Plan {
    /// The sample rate of all samples, in Hz: that of the anonymizer.
    pub const SAMPLE_RATE: u32 = sordino_dsp::SAMPLE_RATE;

    /// Bounds of [`Self::consent_days`].
    pub(crate) const CONSENT_DAYS: RangeInclusive<u32> = 1..=366;

    /// Bounds of a value of [`Self::retention_days`].
    pub(crate) const RETENTION_DAYS: RangeInclusive<u32> = 1..=3650;

    /// Bounds of [`Self::fresh_days`].
    pub(crate) const FRESH_DAYS: RangeInclusive<u16> = 1..=60;

    /// Verifies a plan against the organization's key and checks its bounds. Whether it has expired
    /// is for the moment of use: [`Self::check_in_force`].
    ///
    /// # Errors
    /// [`PlanError::Signature`], [`PlanError::Field`].
    pub fn verify(json: &[u8], organization: &PublicKey) -> Result<SignedPlan, PlanError> {
        let signed = SignedPlan::verify(json, organization)?;
        signed.content().check_bounds()?;
        Ok(signed)
    }

    /// The retention period of a sample for `purpose`, in days after the end of its week; `None` where
    /// the plan sets no limit.
    pub fn retention_days(&self, purpose: Purpose) -> Option<u16> {
        self.retention_days.get(&purpose).copied()
    }

    /// Whether the plan still rules at `now`.
    ///
    /// # Errors
    /// [`PlanError::Expired`].
    pub fn check_in_force(&self, now: Timestamp) -> Result<(), PlanError> {
        let today = Offset::UTC.to_datetime(now).date();
        if today < self.expires {
            Ok(())
        } else {
            Err(PlanError::Expired(self.expires))
        }
    }

    /// Checks every bound that the fields' documentation states.
    ///
    /// # Errors
    /// [`PlanError::Field`] for the first that is out of bounds.
    pub fn check_bounds(&self) -> Result<(), PlanError> {
        let probability = |value: f64| (0.0..=1.0).contains(&value);
        let bounds = [
            (
                "version",
                (1..=MOST).contains(&self.version),
                "must be 1 to 2^53 - 1",
            ),
            (
                "fresh_days",
                (self.fresh_days).is_none_or(|days| Self::FRESH_DAYS.contains(&days)),
                "must be 1 to 60",
            ),
            (
                "signed_on",
                self.signed_on.is_some() == self.fresh_days.is_some(),
                "must be given where `fresh_days` is, and only there; `sordino plan sign` writes it",
            ),
            (
                "bytes_per_day",
                self.bytes_per_day <= MOST,
                "must be at most 2^53 - 1",
            ),
            (
                "recipients",
                !self.recipients.is_empty(),
                "names no recipients",
            ),
            (
                "recipients",
                self.recipients.len() <= 20,
                "names more than 20",
            ),
            (
                "recipients",
                self.has_distinct_recipients(),
                "names one twice",
            ),
            ("purposes", !self.purposes.is_empty(), "names none"),
            (
                "notice_version",
                self.notice_version >= 1,
                "must be at least 1",
            ),
            (
                "consent_days",
                Self::CONSENT_DAYS.contains(&self.consent_days),
                "must be 1 to 366",
            ),
            (
                "triggers.mark_probability",
                probability(self.triggers.mark_probability),
                "must be 0 to 1",
            ),
            (
                "triggers.random_probability",
                probability(self.triggers.random_probability),
                "must be 0 to 1",
            ),
            (
                "retention_days",
                (self.retention_days.values())
                    .all(|&days| Self::RETENTION_DAYS.contains(&days.into())),
                "must be 1 to 3650 for each purpose",
            ),
            (
                "clip_seconds",
                (2..=30).contains(&self.clip_seconds),
                "must be 2 to 30",
            ),
            (
                "pre_roll_seconds",
                self.pre_roll_seconds <= self.clip_seconds,
                "must be at most clip_seconds",
            ),
            (
                "sample_rate",
                self.sample_rate == Self::SAMPLE_RATE,
                "must be 16000",
            ),
        ];
        if let Some((field, _, reason)) = bounds.into_iter().find(|(_, holds, _)| !holds) {
            return Err(PlanError::Field { field, reason });
        }
        match self.controller.as_ref().map(Controller::check_bounds) {
            Some(Err((field, reason))) => Err(PlanError::Field { field, reason }),
            Some(Ok(())) | None => Ok(()),
        }
    }

    fn has_distinct_recipients(&self) -> bool {
        let distinct: std::collections::BTreeSet<_> = self.recipients.iter().collect();
        distinct.len() == self.recipients.len()
    }
}
