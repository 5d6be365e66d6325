//! Attacks that identify a device, a place or a time by traces other than the music.
//!
//! Each attack must succeed on raw clips and fail on the same clips anonymized; each knows how the anonymizer works.
//! Nothing is cut here, so the attacker gets more than in use.
//!
//! The default run uses half of the devices and clips; docs/threat-model.md states the results of the long run.

#![allow(clippy::print_stdout, reason = "the results, with --nocapture")]

mod beacon;
mod clock;
mod enf;
mod linkability;
mod noise_floor;

use std::f64::consts::TAU;

use test_tiers::sized;

use super::{
    Pipeline, Settings,
    postprocess::RenderedClip,
    rng::{Seed, Step, StepRng},
    sample_rate::SAMPLE_RATE,
    timeline::Timeline,
};

/// The random numbers of a test.
fn rng(number: u64) -> StepRng {
    Seed::for_test(number).rng(Step::MaskingNoise)
}

/// A uniform random number between two.
fn between(rng: &mut StepRng, from: f64, to: f64) -> f64 {
    from + (to - from) * (0.5 + 0.5 * rng.uniform())
}

/// All of `samples`, anonymized without cuts.
fn anonymized(pipeline: &mut Pipeline, samples: &[f32], rate: u32, number: u64) -> Vec<f32> {
    let seed = Seed::for_test(1_000_000 + number);
    let sound = pipeline.preprocess(samples, rate, &seed).expect("sound");
    let whole = Timeline::new(sound.len(), Vec::new());
    RenderedClip::new(&sound, &whole, Settings::default(), &seed)
        .expect("music")
        .as_float()
        .to_vec()
}

/// Plucked notes with rests, different for each `number`.
fn music(number: u64, rate: u32, seconds: f64) -> Vec<f32> {
    let mut rng = rng(5_000_000 + number);
    let mut out = vec![0.0; (seconds * f64::from(rate)) as usize];
    let mut at = 0.2;
    while at < seconds {
        let hz = 440.0 * 2f64.powf(between(&mut rng, -18.0, 15.0).round() / 12.0);
        let (peak, decay) = (between(&mut rng, 0.05, 0.3), between(&mut rng, 4.0, 9.0));
        let from = (at * f64::from(rate)) as usize;
        let to = out.len().min(from + 2 * rate as usize);
        let mut tone = vec![0.0; to - from];
        for k in (1..=8).map(f64::from) {
            // A decaying harmonic as powers of one complex number: no sine and no exponential per sample.
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
        at += [0.25, 0.4, 0.5, 1.8][(between(&mut rng, 0.0, 4.0)) as usize];
    }
    out
}

/// Pearson's correlation coefficient.
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

/// The equal error rate of scores that should be higher for clips of the same device.
fn equal_error_rate(same: &[f64], different: &[f64]) -> f64 {
    let mut thresholds = same.to_vec();
    thresholds.extend(different);
    thresholds.sort_by(f64::total_cmp);
    let rates = thresholds.iter().map(|threshold| {
        let false_rejections = same.iter().filter(|score| *score < threshold).count();
        let false_acceptances = different.iter().filter(|score| *score >= threshold).count();
        (
            false_rejections as f64 / same.len() as f64,
            false_acceptances as f64 / different.len() as f64,
        )
    });
    rates
        .min_by(|a, b| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()))
        .map_or(0.5, |(rejections, acceptances)| {
            (rejections + acceptances) / 2.0
        })
}

/// The equal error rate of `score` over all pairs of clips; `clips` has `each` clips of every device, in order.
fn linking_error<T>(clips: &[T], each: usize, score: impl Fn(&T, &T) -> f64) -> f64 {
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

/// The signal around `hz`, shifted to 0 Hz and averaged over blocks of `block` samples.
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
