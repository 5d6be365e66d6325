//! Attacks that tell a device, a place or a time by what is no playing. Each must succeed on clips as
//! the microphone heard them and fail on the same clips anonymized; each knows the method.
//!
//! Nothing is cut here and no detector asked: all the sound there is, more than an attacker gets.
//!
//! The ordinary run takes half of the devices and clips, of the same seeds each time; the figures of
//! docs/threat-model.md are those of the long one.

#![allow(clippy::print_stdout, reason = "the figures, with --nocapture")]

mod beacon;
mod clock;
mod floor;
mod grid;
mod sameness;

use std::f64::consts::TAU;

use test_tiers::sized;

use super::{
    Pipeline, Settings,
    detector::RATE,
    finish::Finished,
    random::{Draws, Seed, Step},
    timeline::Timeline,
};

/// What the tests draw from.
fn draws(number: u64) -> Draws {
    Seed::for_test(number).draws(Step::Noise)
}

/// A number drawn evenly between two.
fn between(draws: &mut Draws, from: f64, to: f64) -> f64 {
    from + (to - from) * (0.5 + 0.5 * draws.even())
}

/// All of `samples`, as it would leave the device.
fn anonymous(pipeline: &mut Pipeline, samples: &[f32], rate: u32, number: u64) -> Vec<f32> {
    let seed = Seed::for_test(1_000_000 + number);
    let sound = pipeline.brought_in(samples, rate, &seed).expect("sound");
    let whole = Timeline::new(sound.len(), Vec::new());
    Finished::new(&sound, &whole, Settings::default(), &seed)
        .expect("music")
        .as_float()
        .to_vec()
}

/// Notes that are plucked and ring out, with rests; others for each `number`.
fn music(number: u64, rate: u32, seconds: f64) -> Vec<f32> {
    let mut draws = draws(5_000_000 + number);
    let mut out = vec![0.0; (seconds * f64::from(rate)) as usize];
    let mut at = 0.2;
    while at < seconds {
        let hz = 440.0 * 2f64.powf(between(&mut draws, -18.0, 15.0).round() / 12.0);
        let (peak, decay) = (
            between(&mut draws, 0.05, 0.3),
            between(&mut draws, 4.0, 9.0),
        );
        let from = (at * f64::from(rate)) as usize;
        let to = out.len().min(from + 2 * rate as usize);
        let mut tone = vec![0.0; to - from];
        for k in (1..=8).map(f64::from) {
            // A decaying harmonic as powers of one complex number, which takes no sine and no exponential a sample.
            let (sine, cosine) = (TAU * hz * k / f64::from(rate)).sin_cos();
            let fade = (-decay * k.sqrt() / f64::from(rate)).exp();
            let (mut re, mut im) = (1.0 / k, 0.0);
            for value in &mut tone {
                *value += im;
                (re, im) = (
                    fade * (re * cosine - im * sine),
                    fade * (im * cosine + re * sine),
                );
            }
        }
        for (index, (sample, tone)) in out[from..to].iter_mut().zip(tone).enumerate() {
            let since = index as f64 / f64::from(rate);
            *sample += (peak * tone * (since * 300.0).min(1.0)) as f32;
        }
        at += [0.25, 0.4, 0.5, 1.8][(between(&mut draws, 0.0, 4.0)) as usize];
    }
    out
}

/// Pearson's correlation.
fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (m, n) = (mean(one), mean(other));
    let (mut xy, mut xx, mut yy) = (0.0, 1e-30, 1e-30);
    for (x, y) in one.iter().zip(other) {
        xy += (x - m) * (y - n);
        xx += (x - m) * (x - m);
        yy += (y - n) * (y - n);
    }
    xy / (xx * yy).sqrt()
}

/// The equal error rate of scores that should be high for clips of one device.
fn equal_error_rate(same: &[f64], different: &[f64]) -> f64 {
    let mut thresholds = same.to_vec();
    thresholds.extend(different);
    thresholds.sort_by(f64::total_cmp);
    let rates = thresholds.iter().map(|threshold| {
        let missed = same.iter().filter(|score| *score < threshold).count();
        let taken = different.iter().filter(|score| *score >= threshold).count();
        (
            missed as f64 / same.len() as f64,
            taken as f64 / different.len() as f64,
        )
    });
    rates
        .min_by(|a, b| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()))
        .map_or(0.5, |(missed, taken)| (missed + taken) / 2.0)
}

/// Scores of all pairs of clips, by whether they are of one device; `clips` in order of devices.
fn link<T>(clips: &[T], each: usize, score: impl Fn(&T, &T) -> f64) -> f64 {
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for (index, one) in clips.iter().enumerate() {
        for (before, other) in clips[..index].iter().enumerate() {
            let scores = if index / each == before / each {
                &mut same
            } else {
                &mut different
            };
            scores.push(score(one, other));
        }
    }
    equal_error_rate(&same, &different)
}

/// The sound around `hz`, turned down to 0 Hz, as means over `block` samples.
fn baseband(samples: &[f32], rate: u32, hz: f64, block: usize) -> Vec<[f64; 2]> {
    let turn = TAU * hz / f64::from(rate);
    let step = turn.sin_cos();
    let blocks = samples.chunks_exact(block).enumerate();
    blocks
        .map(|(index, samples)| {
            let mut sum = [0.0; 2];
            let (mut sine, mut cosine) = (turn * (index * block) as f64).sin_cos();
            for sample in samples.iter().copied().map(f64::from) {
                sum[0] += sample * cosine;
                sum[1] -= sample * sine;
                (sine, cosine) = (
                    sine * step.1 + cosine * step.0,
                    cosine * step.1 - sine * step.0,
                );
            }
            sum.map(|part| part / block as f64)
        })
        .collect()
}
