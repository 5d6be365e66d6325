//! The electric network frequency (ENF): compared with the logs of grid operators, it reveals when and on which grid a
//! recording was made.
//!
//! The hum is under two minutes of music. Its frequency fluctuates around 50 Hz by a leaky random walk (0.02 Hz, 5 s),
//! the same in ten harmonics. The attacker tracks the maximum of the summed spectrum of some harmonics, each relative
//! to the median around it, in windows of four seconds, and correlates it with the log.

use std::f64::consts::TAU;

use super::*;
use crate::testing::sum;

const SECONDS: usize = 120;
/// The number of clips; their seeds are fixed.
fn clips() -> u64 {
    sized(4, 8)
}
/// The window of the attacker, in tenths of a second: 4 s.
const WINDOW: usize = 40;
/// The sets of harmonics that the attacker tracks.
const TRACKED: [&[usize]; 4] = [&[1], &[2], &[1, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]];

/// The frequency of the grid, ten times a second, and its hum at 16 kHz.
fn grid_hum(number: u64, level: f64) -> (Vec<f64>, Vec<f32>) {
    let mut rng = rng(number);
    let block = SAMPLE_RATE as usize / 10;
    let (mut offset, mut slow, mut phase) = (0.0, 0.0, 0.0);
    let (mut series, mut hum) = (Vec::new(), Vec::new());
    // The phase and the level of each harmonic.
    let harmonics = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
        .map(|k: f64| ((k * k).sin_cos(), 1.0 / k.sqrt()));
    for _ in 0..SECONDS * 10 {
        offset += -offset / 50.0 + 0.007 * rng.uniform();
        slow += (offset - slow) / 5.0;
        series.push(50.0 + slow);
        for _ in 0..block {
            phase = (phase + (50.0 + slow) / f64::from(SAMPLE_RATE)).fract();
            // Powers of the fundamental, a tenth of the cost of ten sines.
            let (sine, cosine) = (TAU * phase).sin_cos();
            let (mut wave, mut power) = (0.0, (0.0, 1.0));
            for ((sin, cos), part) in harmonics {
                power = (
                    power.0 * cosine + power.1 * sine,
                    power.1 * cosine - power.0 * sine,
                );
                wave += part * (power.0 * cos + power.1 * sin);
            }
            hum.push((level * wave) as f32);
        }
    }
    (series, hum)
}

/// The signal around a harmonic, ten times a second.
type Band = Vec<[f64; 2]>;

/// The bands of the first ten harmonics.
fn bands(samples: &[f32]) -> Vec<Band> {
    (1..=10)
        .map(|k| {
            baseband(
                samples,
                SAMPLE_RATE,
                50.0 * f64::from(k),
                SAMPLE_RATE as usize / 10,
            )
        })
        .collect()
}

/// The tracked frequency, once a second.
fn track(bands: &[Band], harmonics: &[usize]) -> Vec<f64> {
    let offsets: Vec<f64> = (-60..=60).map(|step| f64::from(step) * 0.0025).collect();
    let seconds = bands[0].len() / 10 - 4;
    let mut total = vec![vec![0.0; offsets.len()]; seconds];
    for &k in harmonics {
        let waves: Vec<_> = offsets
            .iter()
            .map(|offset| wave(offset * k as f64))
            .collect();
        for (second, total) in total.iter_mut().enumerate() {
            let band = &bands[k - 1][second * 10..][..WINDOW];
            let powers: Vec<f64> = waves.iter().map(|wave| power(band, wave)).collect();
            let mut sorted = powers.clone();
            sorted.sort_by(f64::total_cmp);
            let median = sorted[sorted.len() / 2] + 1e-30;
            total
                .iter_mut()
                .zip(powers)
                .for_each(|(to, power)| *to += power / median);
        }
    }
    total
        .iter()
        .map(|total| {
            let best = (0..total.len()).max_by(|&a, &b| total[a].total_cmp(&total[b]));
            offsets[best.expect("some")]
        })
        .collect()
}

/// A phasor of `hz`, ten times a second, under a Hann window.
fn wave(hz: f64) -> Band {
    (0..WINDOW)
        .map(|n| {
            let hann = 0.5 - 0.5 * (TAU * (n as f64 + 0.5) / WINDOW as f64).cos();
            let (sine, cosine) = (TAU * hz * n as f64 / 10.0).sin_cos();
            [hann * cosine, hann * sine]
        })
        .collect()
}

fn power(band: &[[f64; 2]], wave: &[[f64; 2]]) -> f64 {
    let mut sum = [0.0; 2];
    for ([re, im], [cosine, sine]) in band.iter().zip(wave) {
        sum[0] += re * cosine + im * sine;
        sum[1] += im * cosine - re * sine;
    }
    sum[0] * sum[0] + sum[1] * sum[1]
}

#[test]
fn the_grid_frequency_is_trackable_only_in_the_raw_clip() {
    let mut pipeline = Pipeline::new().expect("embedded weights");
    for level in [3e-3, 0.04] {
        let mut before = [0.0; TRACKED.len()];
        let mut after = [0.0; TRACKED.len()];
        for number in 0..clips() {
            let (series, hum) = grid_hum(number, level);
            let raw = sum(&[hum, music(number, SAMPLE_RATE, SECONDS as f64)]);
            let sent = anonymized(&mut pipeline, &raw, SAMPLE_RATE, number);
            // The centers of the windows.
            let truth: Vec<f64> = series[20..].iter().step_by(10).copied().collect();
            let (raw, sent) = (bands(&raw), bands(&sent));
            for (index, harmonics) in TRACKED.iter().enumerate() {
                let score = |bands: &[Band]| {
                    let tracked = track(bands, harmonics);
                    correlation(&tracked, &truth[..tracked.len()]) / clips() as f64
                };
                before[index] += score(&raw);
                after[index] += score(&sent);
            }
        }
        println!("hum of {level}: before {before:.2?}, after {after:.2?}");
        let best = before.iter().copied().fold(0.0, f64::max);
        assert!(best >= 0.9, "hum of {level}: {before:.2?}");
        assert!(
            after.iter().all(|correlation| correlation.abs() <= 0.2),
            "hum of {level}: {after:.2?}"
        );
    }
}
