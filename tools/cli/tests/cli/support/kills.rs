//! Commands that are killed with SIGKILL in the middle of what they do.

use std::{
    hash::{BuildHasher as _, RandomState},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use test_tiers::is_soak;

/// The times at which `count` runs are killed, as shares of a run: the middles of as many equal parts, so that no part
/// is left out; in a soak, at random.
pub(crate) fn instants(count: usize) -> Vec<f64> {
    let instant = |place| match is_soak() {
        true => RandomState::new().hash_one(place) as f64 / u64::MAX as f64,
        false => (place as f64 + 0.5) / count as f64,
    };
    (0..count).map(instant).collect()
}

/// Measures a run on this machine.
pub(crate) fn time<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let ran = run();
    (began.elapsed(), ran)
}

/// Starts `command` and kills it after `life`. What it said, where it had ended before.
pub(crate) fn killed_after(life: Duration, command: &mut Command) -> Option<Output> {
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(life);
    process.kill().unwrap();
    let output = process.wait_with_output().unwrap();
    output.status.code().is_some().then_some(output)
}
