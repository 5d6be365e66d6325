//! Statements of the organization that a plan is the newest one.
//!
//! A collector that answers "nothing new" can hide a newer plan, one that pauses sampling say. Only the
//! organization's key can say that there is none, so that a plan with [`Plan::fresh_days`] rules for so many days
//! after the last day on which that key said so.
//!
//! * **In**: a [`SignedFreshness`] in the header [`HEADER`] of an answer, a byte sequence of RFC 9651 section 3.3.5;
//!   [`Plan::signed_on`] of each plan that a device takes, which is such a statement too.
//! * **Out**: whether the plan in force is fresh.
//! * **Promises**: a device keeps the newest statement, by version and then by day, and never goes back.
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

/// The header by which a collector hands the newest statement on, in lower case.
pub const HEADER: &str = "sordino-plan-freshness";

/// "On this day this version of the plan is the newest." The order is that of the versions, then of the days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// Keeps this document apart from all others that the same key signs.
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

/// Why a statement was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FreshnessError {
    /// Larger than any statement is.
    #[error("the plan's freshness statement is {0} bytes long, and at most {max} are read", max = Freshness::MAX_HEADER)]
    TooLong(usize),
    /// Not as a header carries it.
    #[error("the plan's freshness statement is not a byte sequence like `:BASE64:` (RFC 9651)")]
    Header,
    /// Not signed by the organization, or changed since.
    #[error("the plan's freshness statement is refused: {0}")]
    Signature(#[from] SignedError),
    /// No plan has that version.
    #[error("the freshness statement's `plan` must be 1 to 2^53 - 1")]
    Version,
}

impl Freshness {
    /// The longest header that is read, in bytes. A statement takes some 400.
    pub const MAX_HEADER: usize = 4096;

    /// That `plan` is the newest version on `day`.
    pub fn new(plan: u64, day: Date) -> Self {
        Self {
            statement: Kind::PlanFreshness,
            plan,
            day,
        }
    }

    /// Signs that `plan` is the newest version on `day`.
    ///
    /// # Errors
    /// None that is known: a statement is a JSON object.
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

    /// Reads a statement from the value of [`HEADER`], and verifies it.
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
    /// The day from which the plan's `fresh_days` count: the statement's, or the one on which it came where its own
    /// had not come yet.
    counts_from: Date,
    signer: PublicKey,
}

impl Newest {
    /// What a device holds that held `known` when `statement` came on `today`; `None` if it is not newer.
    ///
    /// The day is fixed when the statement comes: one of a later day than today's would otherwise count again from
    /// each day until its own. Devices are in no time zone that is a day ahead, but their clocks may be behind.
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
    /// The day on which the plan was signed, as a statement of that day; `None` where it need not be fresh.
    pub fn freshness_as_signed(&self) -> Option<Freshness> {
        self.fresh_days?;
        Some(Freshness::new(self.version, self.signed_on?))
    }

    /// Until which day (UTC, the last) the plan is fresh by `statement`, or by its own where that is newer; `None`
    /// where it need not be fresh.
    pub fn fresh_through(&self, statement: Option<Freshness>) -> Option<Date> {
        let days = self.fresh_days?;
        let statement = statement.filter(|statement| statement.plan == self.version);
        let newest = self.freshness_as_signed().max(statement)?;
        Some(later(newest.day, days.into()))
    }

    /// Whether the organization said lately enough that this is the newest plan; `newest` is what the device holds.
    /// Once it named a newer version, this one is not fresh any more.
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

/// So many days later, or the last day that there is.
fn later(day: Date, days: i64) -> Date {
    day.saturating_add(Span::new().days(days))
}
