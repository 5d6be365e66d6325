//! The collector enforces the current plan, even for modified devices.

use std::path::Path;

use sordino::{Purpose, plan::Plan};

use crate::support::*;

fn write(folder: &Path, version: u64, change: impl FnOnce(&mut Plan)) -> std::path::PathBuf {
    let mut plan = plan(version, "2999-01-01", &[recipient(1)], &Purpose::ALL);
    change(&mut plan);
    write_plan(folder, plan)
}

fn started(change: impl FnOnce(&mut Plan)) -> Collector {
    Collector::start_with(|config| config.plan = Some(write(&config.data, 1, change)))
}

#[test]
fn a_paused_plan_accepts_only_withdrawals_and_deletions() {
    let mut collector = started(|_| ());
    let (device, id) = Device::with_sample(&collector, BOTH);
    collector.config.plan = Some(write(collector.data(), 2, |plan| plan.paused = true));
    collector.restart();
    let answer = collector
        .send(&Device::new().register(1, QA))
        .problem(503, "paused");
    assert!(answer.header("retry-after").is_some());
    collector
        .send(&device.put(sample(), QA, &age_file(1, 2)))
        .problem(503, "paused");
    // Already stored.
    collector
        .send(&device.put(id, BOTH, &age_file(1, 1)))
        .expect(200);
    collector.send(&device.withdraw(QA)).expect(200);
    collector.send(&device.delete(id)).expect(204);
    collector.config.plan = Some(write(collector.data(), 3, |_| ()));
    collector.restart();
    collector
        .send(&device.put(sample(), RESEARCH, &age_file(1, 2)))
        .expect(201);
}

#[test]
fn the_plans_daily_sample_limit_is_enforced() {
    let collector = started(|plan| plan.samples_per_day = 3);
    let (device, other) = (
        Device::registered(&collector, QA),
        Device::registered(&collector, QA),
    );
    let first = sample();
    collector
        .send(&device.put(first, QA, &age_file(1, 1)))
        .expect(201);
    // Repeated or rejected samples are not charged.
    for _ in 0..5 {
        collector
            .send(&device.put(first, QA, &age_file(1, 1)))
            .expect(200);
        collector
            .send(&device.put(sample(), QA, b"not sealed"))
            .problem(422, "not-sealed");
    }
    for seed in 0..2 {
        collector
            .send(&device.put(sample(), QA, &age_file(1, seed)))
            .expect(201);
    }
    let answer = collector
        .send(&device.put(sample(), QA, &age_file(1, 9)))
        .problem(429, "over-budget");
    let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=24 * 3600).contains(&wait));
    // Deleting samples does not refund the budget, and other records are not affected.
    collector.send(&device.delete(first)).expect(204);
    collector
        .send(&device.put(sample(), QA, &age_file(1, 9)))
        .problem(429, "over-budget");
    collector
        .send(&other.put(sample(), QA, &age_file(1, 9)))
        .expect(201);
}

#[test]
fn the_plans_daily_byte_limit_is_enforced() {
    let file = age_file(1, 1);
    let collector = started(|plan| plan.bytes_per_day = file.len() as u64 * 2 + 10);
    let device = Device::registered(&collector, QA);
    for _ in 0..2 {
        collector.send(&device.put(sample(), QA, &file)).expect(201);
    }
    collector
        .send(&device.put(sample(), QA, &file))
        .problem(429, "over-budget");
}
