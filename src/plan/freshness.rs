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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        plan::{PlanError, SignedPlan},
        testing::{Organization, cases, plan},
    };

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn fresh_plan(version: u64) -> Plan {
        Plan {
            fresh_days: Some(7),
            signed_on: Some(day("2026-03-02")),
            ..plan(version)
        }
    }

    #[test]
    fn a_statement_survives_the_header() {
        let organization = Organization::new();
        let signed = organization.freshness(3, day("2026-03-02"));
        let header = Freshness::to_header(&signed.to_json());
        assert!(header.len() < 500, "{header}");
        let read = Freshness::from_header(&header, &organization.key()).unwrap();
        assert_eq!(read.content(), &Freshness::new(3, day("2026-03-02")));
        let blanks = format!(" {header}\t");
        assert!(Freshness::from_header(&blanks, &organization.key()).is_ok());
    }

    #[test]
    fn an_invalid_freshness_header_is_rejected_with_a_reason() {
        let organization = Organization::new();
        let read = |header: &str| Freshness::from_header(header, &organization.key()).err();
        let good = Freshness::to_header(&organization.freshness(3, day("2026-03-02")).to_json());
        let inner = good.trim_matches(':');
        for garbage in [
            "",
            ":",
            "::x",
            "\u{0}",
            inner,
            &good[1..],
            &format!("{good}, {good}"),
        ] {
            let refused = read(garbage);
            assert!(
                matches!(refused, Some(FreshnessError::Header)),
                "{garbage}: {refused:?}"
            );
        }
        assert!(matches!(
            read("::"),
            Some(FreshnessError::Signature(SignedError::Shape(_)))
        ));
        let long = format!(":{}:", "A".repeat(Freshness::MAX_HEADER));
        assert_eq!(read(&long), Some(FreshnessError::TooLong(long.len())));
        let forged = Freshness::to_header(
            &Organization::new()
                .freshness(3, day("2026-03-02"))
                .to_json(),
        );
        assert_eq!(
            read(&forged),
            Some(FreshnessError::Signature(SignedError::WrongKey))
        );
        let changed = organization
            .freshness(3, day("2026-03-02"))
            .to_json()
            .replace("03-02", "03-03");
        let changed = format!(":{}:", BASE64.encode(changed));
        assert_eq!(
            read(&changed),
            Some(FreshnessError::Signature(SignedError::Forged))
        );
        let none = Freshness::to_header(&organization.freshness(0, day("2026-03-02")).to_json());
        assert_eq!(read(&none), Some(FreshnessError::Version));
    }

    #[test]
    fn plans_and_statements_are_not_interchangeable() {
        let organization = Organization::new();
        let statement = organization.freshness(3, day("2026-03-02")).to_json();
        let taken = Plan::verify(statement.as_bytes(), &organization.key());
        assert!(matches!(
            taken,
            Err(PlanError::Signature(SignedError::Shape(_)))
        ));
        let plan = organization.sign(fresh_plan(3));
        let taken = Freshness::verify(&plan, &organization.key());
        assert!(matches!(
            taken,
            Err(FreshnessError::Signature(SignedError::Shape(_)))
        ));
        // A document that says the same without being one.
        for other in [
            r#"{"plan":3,"day":"2026-03-02"}"#,
            r#"{"plan":3,"day":"2026-03-02","statement":"audit-head"}"#,
            r#"{"plan":3,"day":"2026-03-02","statement":"plan-freshness","more":1}"#,
        ] {
            let other = organization.sign_any(other);
            assert!(Freshness::verify(&other, &organization.key()).is_err());
        }
        let same = r#"{"plan":3,"day":"2026-03-02","statement":"plan-freshness"}"#;
        assert!(Freshness::verify(&organization.sign_any(same), &organization.key()).is_ok());
    }

    #[test]
    fn a_plan_is_fresh_through_the_last_of_its_days() {
        let signer = Organization::new().key();
        let plan = fresh_plan(3);
        let newest = Newest::after(
            None,
            Freshness::new(3, day("2026-03-02")),
            signer,
            day("2026-03-02"),
        );
        let fresh = |plan: &Plan, today| plan.is_fresh(newest.as_ref(), &signer, day(today));
        assert!(fresh(&plan, "2026-03-09"));
        assert!(!fresh(&plan, "2026-03-10"));
        assert_eq!(plan.fresh_through(None), Some(day("2026-03-09")));
        let refreshed = Some(Freshness::new(3, day("2026-03-05")));
        assert_eq!(plan.fresh_through(refreshed), Some(day("2026-03-12")));
        // Another version, another key, or no statement at all.
        assert!(!fresh(&fresh_plan(2), "2026-03-02"));
        assert!(!fresh(&fresh_plan(4), "2026-03-02"));
        assert!(!plan.is_fresh(
            newest.as_ref(),
            &Organization::new().key(),
            day("2026-03-02")
        ));
        assert!(!plan.is_fresh(None, &signer, day("2026-03-02")));
        assert!(crate::testing::plan(9).is_fresh(None, &signer, day("2039-01-01")));
    }

    #[test]
    fn a_statement_from_the_future_counts_from_its_arrival() {
        let signer = Organization::new().key();
        let far = Freshness::new(3, day("2099-01-01"));
        let newest = Newest::after(None, far, signer, day("2026-03-02")).unwrap();
        assert_eq!(newest.counts_from, day("2026-03-02"));
        assert_eq!(
            Newest::after(Some(newest), far, signer, day("2026-03-20")),
            None
        );
        let tomorrow = Freshness::new(3, day("2026-03-03"));
        let newest = Newest::after(None, tomorrow, signer, day("2026-03-02")).unwrap();
        assert_eq!(newest.counts_from, day("2026-03-03"));
        let end = Newest::after(None, Freshness::new(3, Date::MAX), signer, Date::MAX).unwrap();
        assert!(fresh_plan(3).is_fresh(Some(&end), &signer, Date::MAX));
    }

    #[test]
    fn a_plan_has_both_members_or_neither() {
        let refused = |fresh_days, signed_on: Option<&str>| {
            let plan = Plan {
                fresh_days,
                signed_on: signed_on.map(day),
                ..plan(1)
            };
            match plan.check_bounds() {
                Ok(()) => None,
                Err(PlanError::Field { field, .. }) => Some(field),
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(refused(None, None), None);
        assert_eq!(refused(Some(1), Some("2026-03-02")), None);
        assert_eq!(refused(Some(60), Some("2026-03-02")), None);
        assert_eq!(refused(Some(0), Some("2026-03-02")), Some("fresh_days"));
        assert_eq!(refused(Some(61), Some("2026-03-02")), Some("fresh_days"));
        assert_eq!(refused(Some(7), None), Some("signed_on"));
        assert_eq!(refused(None, Some("2026-03-02")), Some("signed_on"));
    }

    /// As plans were signed before there was `fresh_days`.
    #[test]
    fn a_plan_without_fresh_days_is_signed_as_before() {
        const BEFORE: &str = r#"{"bytes_per_day":4000000,"clip_seconds":10,"consent_days":365,"expires":"2030-12-31","notice_version":1,"paused":false,"pre_roll_seconds":8,"purposes":["quality-assurance","recognition-research"],"recipients":["age12fscpxgnuwv3n48y89wdzaug6xxe9nyuymnj8j59l307zqf5hs2sdyw4ac"],"sample_rate":16000,"samples_per_day":20,"triggers":{"mark_probability":1,"random_probability":0.02},"version":1}"#;
        let plan: Plan = serde_json::from_str(BEFORE).unwrap();
        assert_eq!(plan.check_bounds(), Ok(()));
        let organization = Organization::new();
        let again = SignedPlan::verify(&organization.sign(plan), &organization.key()).unwrap();
        let before = String::from_utf8(organization.sign_any(BEFORE)).unwrap();
        assert_eq!(again.to_json(), before);
    }

    proptest! {
        #![proptest_config(cases(256, 10_000))]

        #[test]
        fn a_device_never_goes_back_to_an_older_statement(
            came in prop::collection::vec((1..4_u64, 0..40_i64, 0..3_i64), 1..40),
        ) {
            let signer = Organization::new().key();
            let (begin, mut today) = (day("2026-03-02"), day("2026-03-02"));
            let mut held: Option<Newest> = None;
            for (plan, offset, passed) in came {
                today = later(today, passed);
                let statement = Freshness::new(plan, later(begin, offset));
                let next = Newest::after(held, statement, signer, today).or(held).unwrap();
                if let Some(before) = held {
                    prop_assert_eq!(next.statement, before.statement.max(statement));
                    // What was there already is not renewed by being repeated.
                    prop_assert!(next.statement != before.statement || next == before);
                }
                prop_assert!(next.counts_from <= later(today, 1));
                prop_assert!(next.counts_from <= next.statement.day);
                held = Some(next);
            }
        }
    }
}
