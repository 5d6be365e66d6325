//! The grid's wander (electric network frequency, ENF): a log of it, which grid operators keep, tells
//! when and on which grid a recording was made.
//!
//! Hum whose frequency wanders about 50 Hz by a leaky random walk (0.02 Hz, 5 s), the same in ten
//! harmonics, under music, for two minutes. The attacker follows the maximum of the summed spectrum of
//! chosen harmonics, each against the median around it, under four seconds at a time, and correlates
//! it with the log.

use std::f64::consts::TAU;

use super::*;
use crate::anonymize::testing::sum;

const SECONDS: usize = 120;
const CLIPS: u64 = 8;
/// Which harmonics an attacker follows together.
const FOLLOWED: [&[usize]; 4] = [&[1], &[2], &[1, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]];

/// The grid's frequency, ten times a second, and its hum at 16 kHz.
fn grid(number: u64, level: f64) -> (Vec<f64>, Vec<f32>) {
    let mut draws = draws(number);
    let block = RATE as usize / 10;
    let (mut offset, mut slow, mut phase) = (0.0, 0.0, 0.0);
    let (mut series, mut hum) = (Vec::new(), Vec::new());
    for _ in 0..SECONDS * 10 {
        offset += -offset / 50.0 + 0.007 * draws.even();
        slow += (offset - slow) / 5.0;
        series.push(50.0 + slow);
        for _ in 0..block {
            phase = (phase + (50.0 + slow) / f64::from(RATE)).fract();
            let wave: f64 = (1..=10)
                .map(|k| f64::from(k))
                .map(|k| (TAU * k * phase + k * k).sin() / k.sqrt())
                .sum();
            hum.push((level * wave) as f32);
        }
    }
    (series, hum)
}

/// What an attacker reads: the frequency each second.
fn followed(samples: &[f32], harmonics: &[usize]) -> Vec<f64> {
    const WINDOW: usize = 40;
    let bands: Vec<_> = harmonics
        .iter()
        .map(|&k| {
            (
                k as f64,
                baseband(samples, RATE, 50.0 * k as f64, RATE as usize / 10),
            )
        })
        .collect();
    let seconds = samples.len() / RATE as usize;
    (0..seconds.saturating_sub(4))
        .map(|second| {
            let offsets: Vec<f64> = (-60..=60).map(|step| f64::from(step) * 0.0025).collect();
            let mut total = vec![0.0; offsets.len()];
            for (k, band) in &bands {
                let powers: Vec<f64> = offsets
                    .iter()
                    .map(|offset| {
                        let turn = TAU * offset * k / 10.0;
                        let mut sum = [0.0; 2];
                        for (n, [re, im]) in band[second * 10..][..WINDOW].iter().enumerate() {
                            let hann = 0.5 - 0.5 * (TAU * (n as f64 + 0.5) / WINDOW as f64).cos();
                            let (sine, cosine) = (turn * n as f64).sin_cos();
                            sum[0] += hann * (re * cosine + im * sine);
                            sum[1] += hann * (im * cosine - re * sine);
                        }
                        sum[0] * sum[0] + sum[1] * sum[1]
                    })
                    .collect();
                let mut sorted = powers.clone();
                sorted.sort_by(f64::total_cmp);
                let median = sorted[sorted.len() / 2] + 1e-30;
                total
                    .iter_mut()
                    .zip(powers)
                    .for_each(|(to, power)| *to += power / median);
            }
            let best = (0..total.len()).max_by(|&a, &b| total[a].total_cmp(&total[b]));
            offsets[best.expect("some")]
        })
        .collect()
}

#[test]
fn the_grids_wander_is_read_from_the_raw_clip_and_not_from_the_anonymous_one() {
    let mut anonymizer = Anonymizer::new().expect("carried");
    for level in [3e-3, 0.02] {
        let mut before = [0.0; FOLLOWED.len()];
        let mut after = [0.0; FOLLOWED.len()];
        for number in 0..CLIPS {
            let (series, hum) = grid(number, level);
            let raw = sum(&[hum, music(number, RATE, SECONDS as f64)]);
            let sent = anonymous(&mut anonymizer, &raw, RATE, number);
            // The middle of each window of four seconds.
            let truth: Vec<f64> = series[20..].iter().step_by(10).copied().collect();
            for (index, harmonics) in FOLLOWED.iter().enumerate() {
                let read = |samples: &[f32]| {
                    let read = followed(samples, harmonics);
                    correlation(&read, &truth[..read.len()]) / CLIPS as f64
                };
                before[index] += read(&raw);
                after[index] += read(&sent);
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
