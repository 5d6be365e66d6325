//! An engine whose person has consented, made as an app makes one.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop where it cannot continue"
)]

use sordino::{
    Config, Purposes, Sordino,
    consent::{AgeBand, ConsentResponse, Notice},
    plan::{Plan, Triggers},
};
use tempfile::TempDir;
use test_fixtures::Organization;

/// The engine, and the folder of its state.
pub(crate) fn engine() -> (TempDir, Sordino) {
    let organization = Organization::new();
    let folder = tempfile::tempdir().unwrap();
    let collector = "https://collector.example".parse().unwrap();
    let config = Config::new(folder.path(), organization.key(), collector);
    let engine = Sordino::open(config).unwrap();
    engine.install_plan(&organization.sign(plan())).unwrap();
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

/// Every moment is sampled, and no budget is reached.
fn plan() -> Plan {
    Plan {
        triggers: Triggers {
            mark_probability: 1.0,
            random_probability: 1.0,
        },
        samples_per_day: 1_000_000,
        bytes_per_day: 1 << 40,
        ..test_fixtures::plan(1)
    }
}
