//! An engine whose person has said yes, made as an app makes one.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

use ring::{rand::SystemRandom, signature::Ed25519KeyPair};
use sordino::{
    Config, Purposes, Sordino,
    consent::{AgeBand, ConsentResponse, Notice},
    plan::{Plan, Review, SignedPlan, Triggers},
    signed::PublicKey,
};
use tempfile::TempDir;

/// The engine, and the folder of its state.
pub(crate) fn engine() -> (TempDir, Sordino) {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let organization = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let collector = "https://collector.example".parse().unwrap();
    let config = Config::new(
        folder.path(),
        PublicKey::from_key_pair(&organization),
        collector,
    );
    let engine = Sordino::open(config).unwrap();
    let signed = SignedPlan::sign(plan(), &organization).unwrap();
    engine.install_plan(signed.to_json().as_bytes()).unwrap();
    let notice = Notice::new(1, "en", "May we?");
    let answer = ConsentResponse {
        purposes: Purposes::all(),
        age_band: AgeBand::Adult,
        guardian: None,
        notice: &notice,
    };
    engine.give_consent(&answer).unwrap();
    (folder, engine)
}

fn plan() -> Plan {
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    Plan {
        version: 1,
        controller: None,
        expires: "2099-01-01".parse().unwrap(),
        fresh_days: None,
        signed_on: None,
        paused: false,
        recipients: vec![recipient.parse().unwrap()],
        purposes: Purposes::all(),
        notice_version: 1,
        consent_days: 365,
        retention_days: Default::default(),
        review: Review::None,
        triggers: Triggers {
            mark_probability: 1.0,
            random_probability: 1.0,
        },
        samples_per_day: 1_000_000,
        bytes_per_day: 1 << 40,
        clip_seconds: 10,
        pre_roll_seconds: 8,
        sample_rate: Plan::SAMPLE_RATE,
    }
}
