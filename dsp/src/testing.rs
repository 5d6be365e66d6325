//! Test signals and measurements.

use std::f64::consts::TAU;

use crate::rng::{Seed, Step};

/// A sine of `hz` Hz and peak `peak`, `seconds` long.
pub(crate) fn sine(hz: f64, peak: f64, rate: u32, seconds: f64) -> Vec<f32> {
    let turn = TAU * hz / f64::from(rate);
    let count = (seconds * f64::from(rate)) as usize;
    (0..count)
        .map(|n| (peak * (turn * n as f64).sin()) as f32)
        .collect()
}

/// White noise of root mean square `rms`, reproducible by `number`.
pub(crate) fn noise(number: u64, rms: f64, count: usize) -> Vec<f32> {
    let mut rng = Seed::for_test(number).rng(Step::MaskingNoise);
    let scale = (rms * 6f64.sqrt()) as f32;
    (0..count).map(|_| rng.triangular() * scale).collect()
}

/// The sum of signals, as long as the first.
pub(crate) fn sum(parts: &[Vec<f32>]) -> Vec<f32> {
    let mut out = parts[0].clone();
    for part in &parts[1..] {
        out.iter_mut().zip(part).for_each(|(to, from)| *to += from);
    }
    out
}

/// Plucked notes, two per second: music without a voice.
pub(crate) fn melody(rate: u32, seconds: f64) -> Vec<f32> {
    const SCALE: [f64; 8] = [261.63, 293.66, 329.63, 349.23, 392.0, 440.0, 493.88, 523.25];
    const NOTE_S: f64 = 0.5;
    let count = (seconds * f64::from(rate)) as usize;
    (0..count)
        .map(|n| {
            let t = n as f64 / f64::from(rate);
            let note = (t / NOTE_S) as usize;
            let since = t - note as f64 * NOTE_S;
            let hz = SCALE[note * 5 % SCALE.len()];
            let tone: f64 = (1..=6)
                .map(|k| (TAU * hz * f64::from(k) * t).sin() / f64::from(k * k))
                .sum();
            (0.3 * tone * (-4.0 * since).exp() * (since * 400.0).min(1.0)) as f32
        })
        .collect()
}

/// Root mean square in dB relative to a constant 1.
pub(crate) fn level(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    10.0 * (power / samples.len() as f64 + 1e-30).log10()
}
