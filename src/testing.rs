//! Fixtures shared by the tests of several stages: a clock, a plan, a consent response.

pub(crate) mod audit_log;
pub(crate) mod crash;
pub(crate) mod draws;

// Shared with the tests of other packages, which have them from the crate test-fixtures.
#[path = "../tools/fixtures/src/clock.rs"]
#[allow(unreachable_pub, reason = "public in that crate")]
mod clock;
#[path = "../tools/fixtures/src/folder.rs"]
#[allow(unreachable_pub, reason = "public in that crate")]
mod folder;
#[cfg(unix)]
#[path = "../tools/fixtures/src/fork.rs"]
#[allow(unreachable_pub, reason = "public in that crate")]
pub(crate) mod fork;
#[path = "../tools/fixtures/src/organization.rs"]
#[allow(unreachable_pub, reason = "public in that crate")]
mod organization;

pub(crate) use clock::TestClock;
pub(crate) use folder::folder;
pub(crate) use organization::{Organization, key_pair, plan};

use jiff::SignedDuration;
use proptest::test_runner::Config as ProptestConfig;
use serde_json::{Value, json};
use test_tiers::sized;

use crate::{
    Purpose, Purposes,
    consent::{
        self, AgeBand, App, ConsentResponse, Grants, Guardian, GuardianMethod, Notice, Terms,
        TestGrant,
    },
};

pub(crate) const QA: Purpose = Purpose::QualityAssurance;
pub(crate) const RESEARCH: Purpose = Purpose::RecognitionResearch;

/// The number of cases of a property: `usual` in a normal run, and in a soak run `soak`, or PROPTEST_CASES
/// if that is higher.
pub(crate) fn cases(usual: u32, soak: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = sized(usual, soak.max(asked.cases));
    ProptestConfig { cases, ..asked }
}

pub(crate) fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// A JSON value of each type, to replace the members of a document by. No empty array: serde takes it for an object all of
/// whose members have a default.
pub(crate) fn values_of_each_type() -> [Value; 6] {
    [
        json!(true),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!([7]),
        json!({}),
    ]
}

pub(crate) fn both() -> Purposes {
    Purposes::all()
}

/// The terms of [`plan`].
pub(crate) fn terms(notice_version: u32) -> Terms {
    Terms {
        purposes: both(),
        notice_version,
        days: 365,
        controller: consent::Organization {
            key: "7f".repeat(32).parse().unwrap(),
            named: None,
        },
    }
}

/// The bundled English notice of an app in a test.
pub(crate) fn notice(version: u32) -> Notice {
    let app = App::new("Etude", "privacy@etude.example").unwrap();
    let bundled = Notice::bundled(version, "en", &app, 365).unwrap();
    bundled.into_notice()
}

/// Consent to a notice's text.
pub(crate) fn response(
    purposes: impl Into<Purposes>,
    age_band: AgeBand,
    guardian: Option<GuardianMethod>,
    notice: &Notice,
) -> ConsentResponse<'_> {
    ConsentResponse {
        purposes: purposes.into(),
        age_band,
        guardian: guardian.map(Guardian::from),
        notice,
    }
}

/// Grants of both purposes that are never withdrawn.
pub(crate) fn grants() -> Grants {
    let record = crate::Id::random().unwrap();
    Grants::for_test(record, both(), &TestGrant::new())
}
