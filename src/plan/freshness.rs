//! Statements of the organization that a plan is the newest one.
//!
//! A collector that responds "nothing new" can hide a newer plan, for example one that pauses sampling. Only the
//! organization's key can sign that there is none, so a plan with [`Plan::fresh_days`] applies for that number of days
//! after the last day for which that key signed this.
//!
//! * **Input**: a [`SignedFreshness`] in the header [`HEADER`] of a response, a byte sequence of RFC 9651 section 3.3.5;
//!   [`Plan::signed_on`] of each plan that a device installs, which is such a statement too.
//! * **Output**: whether the installed plan is fresh.
//! * **Guarantees**: a device keeps the newest statement, by version and then by day, and never replaces it by an older one.
//! * **Never**: counts from a day that the device has yet to reach.

#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::{Span, civil::Date};
use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};

use super::{MOST, Plan};
use crate::signed::{PublicKey, Signed, SignedError};

/// A statement whose signature was verified.
pub type SignedFreshness = Signed<Freshness>;

/// The header in which a collector forwards the newest statement, in lower case.
pub const HEADER: &str = "sordino-plan-freshness";

/// The statement that on this day this version of the plan is the newest. Ordered by version, then by day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// Distinguishes this document from all others that the same key signs.
    statement: Kind,
    /// The version of the plan.
    pub plan: u64,
    /// The day, in UTC.
    pub day: Date,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "plan-freshness")]
    PlanFreshness,
}

/// Why a statement was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FreshnessError {
    /// The statement is larger than any valid one.
    #[error("the plan's freshness statement is {0} bytes long, and at most {max} are read", max = Freshness::MAX_HEADER)]
    TooLong(usize),
    /// The header's value is not a byte sequence.
    #[error("the plan's freshness statement is not a byte sequence like `:BASE64:` (RFC 9651)")]
    Header,
    /// The statement is not signed by the organization, or was modified.
    #[error("the plan's freshness statement is refused: {0}")]
    Signature(#[from] SignedError),
    /// The version is out of bounds.
    #[error("the freshness statement's `plan` must be 1 to 2^53 - 1")]
    Version,
}

impl Freshness {
    /// The maximum length of the header, in bytes. A statement takes about 400.
    pub const MAX_HEADER: usize = 4096;

    /// The statement that `plan` is the newest version on `day`.
    pub fn new(plan: u64, day: Date) -> Self {
        Self {
            statement: Kind::PlanFreshness,
            plan,
            day,
        }
    }

    /// Signs the statement that `plan` is the newest version on `day`.
    ///
    /// # Errors
    /// No known case: a statement is always a JSON object.
    pub fn sign(
        plan: u64,
        day: Date,
        key: &Ed25519KeyPair,
    ) -> Result<SignedFreshness, SignedError> {
        SignedFreshness::sign(Self::new(plan, day), key)
    }

    /// Verifies a statement against the organization's key.
    ///
    /// # Errors
    /// [`FreshnessError::TooLong`], [`FreshnessError::Signature`], [`FreshnessError::Version`].
    pub fn verify(
        json: &[u8],
        organization: &PublicKey,
    ) -> Result<SignedFreshness, FreshnessError> {
        if json.len() > Self::MAX_HEADER {
            return Err(FreshnessError::TooLong(json.len()));
        }
        let signed = SignedFreshness::verify(json, organization)?;
        match (1..=MOST).contains(&signed.content().plan) {
            true => Ok(signed),
            false => Err(FreshnessError::Version),
        }
    }

    /// Parses a statement from the value of [`HEADER`] and verifies it.
    ///
    /// # Errors
    /// As [`Self::verify`], and [`FreshnessError::Header`].
    pub fn from_header(
        value: &str,
        organization: &PublicKey,
    ) -> Result<SignedFreshness, FreshnessError> {
        if value.len() > Self::MAX_HEADER {
            return Err(FreshnessError::TooLong(value.len()));
        }
        let encoded = value.trim_matches([' ', '\t']).strip_prefix(':');
        let json = encoded
            .and_then(|encoded| encoded.strip_suffix(':'))
            .and_then(|encoded| BASE64.decode(encoded).ok())
            .ok_or(FreshnessError::Header)?;
        Self::verify(&json, organization)
    }

    /// The value of [`HEADER`] for the statement in `json`, as it was signed.
    pub fn to_header(json: &str) -> String {
        format!(":{}:", BASE64.encode(json))
    }
}

/// The newest statement that a device holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Newest {
    statement: Freshness,
    /// The day from which the plan's `fresh_days` count: the statement's, or the day on which it was received if its
    /// own day was still in the future.
    counts_from: Date,
    signer: PublicKey,
}

impl Newest {
    /// The new value of a device that held `known` and receives `statement` on `today`; `None` if it is not newer.
    ///
    /// The day is fixed when the statement is received: a statement with a future day would otherwise count again from
    /// each day until its own. No time zone is a day ahead of UTC, but a device's clock may be behind.
    pub(crate) fn after(
        known: Option<Self>,
        statement: Freshness,
        signer: PublicKey,
        today: Date,
    ) -> Option<Self> {
        let known = known.filter(|known| known.signer == signer);
        if known.is_some_and(|known| known.statement >= statement) {
            return None;
        }
        let counts_from = match statement.day > later(today, 1) {
            true => {
                tracing::warn!(
                    day = %statement.day, %today,
                    "a plan's freshness statement is from a later day than this device's; it counts from today"
                );
                today
            }
            false => statement.day,
        };
        Some(Self {
            statement,
            counts_from,
            signer,
        })
    }
}

impl Plan {
    /// The day on which the plan was signed, as a statement of that day; `None` if the plan need not be fresh.
    pub fn freshness_as_signed(&self) -> Option<Freshness> {
        self.fresh_days?;
        Some(Freshness::new(self.version, self.signed_on?))
    }

    /// The last day (UTC) on which the plan is fresh by `statement`, or by its own statement if that is newer; `None`
    /// if the plan need not be fresh.
    pub fn fresh_through(&self, statement: Option<Freshness>) -> Option<Date> {
        let days = self.fresh_days?;
        let statement = statement.filter(|statement| statement.plan == self.version);
        let newest = self.freshness_as_signed().max(statement)?;
        Some(later(newest.day, days.into()))
    }

    /// Whether the organization recently stated that this is the newest plan; `newest` is the device's stored statement.
    /// After a statement about a newer version, this plan is no longer fresh.
    pub(crate) fn is_fresh(
        &self,
        newest: Option<&Newest>,
        signer: &PublicKey,
        today: Date,
    ) -> bool {
        let Some(days) = self.fresh_days else {
            return true;
        };
        newest.is_some_and(|newest| {
            newest.signer == *signer
                && newest.statement.plan == self.version
                && today <= later(newest.counts_from, days.into())
        })
    }
}

/// `days` after `day`, at most the last representable day.
fn later(day: Date, days: i64) -> Date {
    day.saturating_add(Span::new().days(days))
}
