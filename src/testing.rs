//! Fixtures shared by the tests of several stages: a clock, a plan, a consent response.

pub(crate) mod audit_log;
pub(crate) mod crash;
pub(crate) mod draws;
#[cfg(unix)]
pub(crate) mod fork;

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, civil::Date};
use proptest::test_runner::Config as ProptestConfig;
use ring::signature::Ed25519KeyPair;
use tempfile::TempDir;
use test_tiers::sized;

use crate::{
    Purpose, Purposes,
    consent::{
        self, AgeBand, App, ConsentResponse, Grants, Guardian, GuardianMethod, Notice, Terms,
        TestGrant,
    },
    plan::{Freshness, Plan, Review, SignedFreshness, SignedPlan, Triggers},
    rng,
    signed::{PublicKey, Signed},
    state::Clock,
};

pub(crate) const QA: Purpose = Purpose::QualityAssurance;
pub(crate) const RESEARCH: Purpose = Purpose::RecognitionResearch;

/// So many cases of a property in a usual run, and in a soak as many as given there, or as PROPTEST_CASES
/// asks for where that is more.
pub(crate) fn cases(usual: u32, soak: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = sized(usual, soak.max(asked.cases));
    ProptestConfig { cases, ..asked }
}

/// A folder of a test's own, in memory where there is such a place: a device syncs a lot.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A clock that stands until it is moved.
pub(crate) struct TestClock(Mutex<Timestamp>);

impl TestClock {
    /// It says noon of a day in 2026.
    pub(crate) fn new() -> Self {
        Self(Mutex::new("2026-03-02T12:00:00Z".parse().unwrap()))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

pub(crate) fn both() -> Purposes {
    Purposes::all()
}

/// What a plan asks of consent.
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

/// A yes to a notice's text.
pub(crate) fn answer(
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

/// Grants of both purposes that nobody takes back.
pub(crate) fn grants() -> Grants {
    let record = crate::Id::random().unwrap();
    Grants::for_test(record, both(), &TestGrant::new())
}

/// A plan that asks for everything for years.
pub(crate) fn plan(version: u64) -> Plan {
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    Plan {
        version,
        expires: "2040-01-01".parse().unwrap(),
        fresh_days: None,
        signed_on: None,
        paused: false,
        controller: None,
        recipients: vec![recipient.parse().unwrap()],
        purposes: both(),
        notice_version: 1,
        consent_days: 365,
        retention_days: Default::default(),
        review: Review::None,
        triggers: Triggers {
            mark_probability: 1.0,
            random_probability: 0.0,
        },
        samples_per_day: 1_000,
        bytes_per_day: 1 << 30,
        clip_seconds: 10,
        pre_roll_seconds: 8,
        sample_rate: Plan::SAMPLE_RATE,
    }
}

/// An organization that signs plans.
pub(crate) struct Organization(Ed25519KeyPair);

impl Organization {
    pub(crate) fn new() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&rng::system()).unwrap();
        Self(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    pub(crate) fn key(&self) -> PublicKey {
        PublicKey::from_key_pair(&self.0)
    }

    pub(crate) fn sign(&self, plan: Plan) -> Vec<u8> {
        SignedPlan::sign(plan, &self.0)
            .unwrap()
            .to_json()
            .into_bytes()
    }

    /// That `plan` is the newest on `day`.
    pub(crate) fn state(&self, plan: u64, day: Date) -> SignedFreshness {
        Freshness::sign(plan, day, &self.0).unwrap()
    }

    /// Signs a JSON object of any shape.
    pub(crate) fn sign_any(&self, json: &str) -> Vec<u8> {
        let object: serde_json::Value = serde_json::from_str(json).unwrap();
        Signed::sign(object, &self.0)
            .unwrap()
            .to_json()
            .into_bytes()
    }
}
