//! An independent implementation of a device and a QA tool, from docs/protocol.md and RFC 9421: it does not use the
//! request code of the collector or the SDK.

mod access_log;
mod collector;
mod device;
mod http;
mod service;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use ring::digest::{SHA256, digest};
use sordino::{
    Purpose,
    plan::{Plan, Recipient, SignedPlan, Triggers},
};
pub(crate) use test_fixtures::key_pair as key;

pub(crate) use self::{access_log::*, collector::*, device::*, http::*, service::*};

pub(crate) const QA: &str = "quality-assurance";
pub(crate) const BOTH: &str = "quality-assurance, recognition-research";
pub(crate) const RESEARCH: &str = "recognition-research";

/// The timeout of all waits. It only ends hanging tests: as the lowest-priority one of
/// three processes on a core (`nice -n 19`), tests take some sixty times as long.
pub(crate) const HANG: Duration = Duration::from_secs(600);

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

pub(crate) fn plan(
    version: u64,
    expires: &str,
    recipients: &[Recipient],
    purposes: &[Purpose],
) -> Plan {
    Plan {
        expires: expires.parse().unwrap(),
        recipients: recipients.to_vec(),
        purposes: purposes.iter().copied().collect(),
        triggers: Triggers {
            mark_probability: 1.0,
            random_probability: 0.1,
        },
        samples_per_day: 10,
        bytes_per_day: 1 << 20,
        pre_roll_seconds: 5,
        ..test_fixtures::plan(version)
    }
}

/// Writes a signed plan into a folder.
pub(crate) fn write_plan(folder: &Path, plan: Plan) -> PathBuf {
    let path = folder.join(format!("plan-{}.json", sample()));
    let signed = SignedPlan::sign(plan, &key()).unwrap();
    std::fs::write(&path, signed.to_pretty_json()).unwrap();
    path
}

/// Waits until a condition is true.
#[track_caller]
pub(crate) fn eventually(holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < HANG, "it never came to hold");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether `bytes` contains `part`.
pub(crate) fn holds(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}
