//! The exact clock: a device's runs fast or slow by up to 50 millionths, always the same, and a tone
//! whose pitch is known tells how much.
//!
//! Forty devices hear a tuning tone of 440 Hz for 10 s. The attacker reads its frequency off the slope of
//! its phase.

use super::*;
use crate::testing::{noise, sine, sum};

const DEVICES: u64 = 40;

/// By how many millionths the tone lies beside 440 Hz.
fn read(samples: &[f32]) -> f64 {
    let blocks = baseband(samples, RATE, 440.0, 1_600);
    let turns: f64 = blocks
        .windows(2)
        .map(|pair| {
            let [[a, b], [c, d]] = [pair[0], pair[1]];
            (a * d - b * c).atan2(a * c + b * d)
        })
        .sum();
    turns / (blocks.len() - 1) as f64 / (TAU * 0.1) / 440.0 * 1e6
}

#[test]
fn a_clock_is_read_from_the_raw_clip_and_not_from_the_anonymous_one() {
    let mut pipeline = Pipeline::new().expect("carried");
    let (mut truth, mut raw, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for device in 0..DEVICES {
        let off = between(&mut draws(device), -50.0, 50.0);
        let tone = sine(440.0 * (1.0 + off * 1e-6), 0.1, RATE, 10.0);
        let heard = sum(&[tone, noise(device, 3e-4, 10 * RATE as usize)]);
        truth.push(off);
        raw.push(read(&heard));
        sent.push(read(&anonymous(&mut pipeline, &heard, RATE, device)));
    }
    let error = |read: &[f64]| {
        let squares = read
            .iter()
            .zip(&truth)
            .map(|(read, truth)| (read - truth).powi(2));
        (squares.sum::<f64>() / read.len() as f64).sqrt()
    };
    let (before, after) = (error(&raw), error(&sent));
    println!("clock: read to {before:.1} millionths before, {after:.0} after");
    assert!(before < 2.0, "{before}");
    assert!(after > 400.0, "{after}");
    assert!(sent.iter().all(|read| read.abs() < 1_060.0));
    let likeness = correlation(&sent, &truth);
    assert!(likeness.abs() < 0.35, "{likeness}");
}
