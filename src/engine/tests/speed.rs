//! The duration of a withdrawal with ten thousand waiting samples. `cargo xtask bench` runs it; it measures, and asserts
//! only what must be true at any speed.

use std::{fs, time::Instant};

use tempfile::TempDir;

use super::Device;
use crate::{
    outbox::Quota,
    seal::SealedSample,
    testing::{both, plan},
};

const WAITING: usize = 10_000;
/// The least that a sealed sample has.
const BYTES: usize = 32 << 10;

/// On the disk on which the library is built, not in memory.
fn device() -> Device {
    let folder = TempDir::new_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    let quota = Quota {
        samples: 2 * WAITING,
        bytes: u64::MAX,
    };
    let device = Device::with(folder, plan(1), quota);
    let record = device.consent_to(both());
    let inner = device.engine.inner().unwrap();
    let samples: Vec<SealedSample> = (0..WAITING)
        .map(|_| SealedSample::for_test(record, both(), vec![0xC5; BYTES]))
        .collect();
    for sample in &samples {
        fs::write(device.file(sample.id()), sample.bytes()).unwrap();
    }
    inner.outbox.enter_for_test(&samples);
    device
}

#[test]
#[ignore = "a measurement, which cargo xtask bench makes"]
fn withdrawal_with_ten_thousand_samples_is_fast() {
    let device = device();
    assert_eq!(device.engine.status().unwrap().pending, WAITING);
    let consent = &device.engine.inner().unwrap().consent;
    let began = Instant::now();
    consent.revoke_in_memory(&both());
    consent.revoke_grants();
    consent.mark_revoked(|_| both()).unwrap();
    let no_return = began.elapsed();
    assert_eq!(device.engine.withdraw(None).unwrap().shredded, WAITING);
    let all = began.elapsed();
    assert_eq!(
        fs::read_dir(device.folder.path().join("outbox"))
            .unwrap()
            .count(),
        0
    );
    eprintln!(
        "| a \"no\" with {WAITING} samples waiting: to the point of no return, all | {:.1} ms, {:.0} ms | ≤ 10 ms, ≤ 1 s |",
        no_return.as_secs_f64() * 1e3,
        all.as_secs_f64() * 1e3,
    );
}
