//! The sample clock: each device's clock has a constant offset of up to 50 ppm, which a tone of known pitch reveals.
//!
//! Forty devices record a tuning tone of 440 Hz for 10 s. The attacker measures its frequency as the slope of its
//! phase.

use super::*;
use crate::testing::{noise, sine, sum};

const DEVICES: u64 = 40;

/// The relative offset of the tone from 440 Hz, in ppm.
fn offset_ppm(samples: &[f32]) -> f64 {
    let blocks = baseband(samples, SAMPLE_RATE, 440.0, 1_600);
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
fn the_clock_offset_is_measurable_only_in_the_raw_clip() {
    let mut pipeline = Pipeline::new().expect("embedded weights");
    let (mut truth, mut raw, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for device in 0..DEVICES {
        let off = between(&mut rng(device), -50.0, 50.0);
        let tone = sine(440.0 * (1.0 + off * 1e-6), 0.1, SAMPLE_RATE, 10.0);
        let recorded = sum(&[tone, noise(device, 3e-4, 10 * SAMPLE_RATE as usize)]);
        truth.push(off);
        raw.push(offset_ppm(&recorded));
        sent.push(offset_ppm(&anonymized(
            &mut pipeline,
            &recorded,
            SAMPLE_RATE,
            device,
        )));
    }
    let error = |read: &[f64]| {
        let squares = read
            .iter()
            .zip(&truth)
            .map(|(read, truth)| (read - truth).powi(2));
        (squares.sum::<f64>() / read.len() as f64).sqrt()
    };
    let (before, after) = (error(&raw), error(&sent));
    println!("clock: error of {before:.1} ppm before, {after:.0} ppm after");
    assert!(before < 2.0, "{before}");
    assert!(after > 400.0, "{after}");
    assert!(sent.iter().all(|read| read.abs() < 1_060.0));
    let similarity = correlation(&sent, &truth);
    assert!(similarity.abs() < 0.35, "{similarity}");
}
