//! Linking clips of one device by its noise floor.
//!
//! Twenty simulated microphones (ten in the default run) with four clips each, 10 s of different music. Each microphone
//! has a frequency response (four peaks or dips of up to 8 dB) and a noise floor at -66 to -58 dBFS with a spectrum
//! (five of up to 12 dB). The attacker scores two clips by the correlation of the mean spectrum of their quietest tenth
//! of frames, in 32 bands, in decibels. An informed attacker subtracts the spectrum of the masking noise, measured on
//! anonymized clips without a floor: as decibels, or as power.

use std::f64::consts::PI;

use super::*;
use crate::testing::{noise, sum};

const EACH: u64 = 4;
const BANDS: usize = 32;

/// Random peaking filters of one device, by the audio EQ cookbook (see `highpass`).
fn colored(samples: &[f32], number: u64, count: usize, max_db: f64) -> Vec<f32> {
    let mut rng = rng(number);
    let mut out: Vec<f64> = samples.iter().copied().map(f64::from).collect();
    for _ in 0..count {
        let hz = 150.0 * 2f64.powf(between(&mut rng, 0.0, 5.5));
        let gain = 10f64.powf(between(&mut rng, -max_db, max_db) / 40.0);
        let (sine, cosine) = (TAU * hz / f64::from(SAMPLE_RATE)).sin_cos();
        let alpha = sine / (2.0 * 1.2);
        let (b, a) = (
            [1.0 + alpha * gain, -2.0 * cosine, 1.0 - alpha * gain],
            [1.0 + alpha / gain, -2.0 * cosine, 1.0 - alpha / gain],
        );
        let (mut x, mut y) = ([0.0; 2], [0.0; 2]);
        for sample in &mut out {
            let next =
                (b[0] * *sample + b[1] * x[0] + b[2] * x[1] - a[1] * y[0] - a[2] * y[1]) / a[0];
            (x, y) = ([*sample, x[0]], [next, y[0]]);
            *sample = next;
        }
    }
    out.into_iter().map(|sample| sample as f32).collect()
}

/// A recording of `device`.
fn recording(device: u64, take: u64) -> Vec<f32> {
    let number = device * EACH + take;
    let music = colored(&music(number, SAMPLE_RATE, 10.0), 100 + device, 4, 8.0);
    let dbfs = between(&mut rng(200 + device), -66.0, -58.0);
    let white = noise(1_000 + number, 10f64.powf(dbfs / 20.0), music.len());
    sum(&[music, colored(&white, 300 + device, 5, 12.0)])
}

/// The mean power of the quietest tenth of frames, in bands.
fn floor_spectrum(samples: &[f32]) -> Vec<f64> {
    const WINDOW: usize = 512;
    let mut planner = realfft::RealFftPlanner::<f32>::new();
    let forward = planner.plan_fft_forward(WINDOW);
    let mut bins = forward.make_output_vec();
    let mut frames: Vec<Vec<f64>> = samples
        .windows(WINDOW)
        .step_by(WINDOW / 2)
        .map(|window| {
            let mut windowed: Vec<f32> = (0..WINDOW)
                .map(|n| window[n] * (PI * (n as f64 + 0.5) / WINDOW as f64).sin().powi(2) as f32)
                .collect();
            forward
                .process(&mut windowed, &mut bins)
                .expect("lengths fit");
            let powers: Vec<f64> = bins[1..]
                .iter()
                .map(|bin| f64::from(bin.norm_sqr()))
                .collect();
            powers
                .chunks(256 / BANDS)
                .map(|band| band.iter().sum())
                .collect()
        })
        .collect();
    frames.sort_by(|a, b| a.iter().sum::<f64>().total_cmp(&b.iter().sum()));
    frames.truncate(frames.len() / 10);
    let count = frames.len() as f64;
    (0..BANDS)
        .map(|band| frames.iter().map(|frame| frame[band]).sum::<f64>() / count)
        .collect()
}

#[test]
fn the_noise_floor_links_only_raw_clips() {
    let mut pipeline = Pipeline::new().expect("embedded weights");
    let (mut raw, mut sent) = (Vec::new(), Vec::new());
    for device in 0..sized(10, 20) {
        for take in 0..EACH {
            let heard = recording(device, take);
            let number = device * EACH + take;
            sent.push(floor_spectrum(&anonymized(
                &mut pipeline,
                &heard,
                SAMPLE_RATE,
                number,
            )));
            raw.push(floor_spectrum(&heard));
        }
    }
    let mut masking_noise = vec![0.0; BANDS];
    for number in 500..510 {
        let without = music(number, SAMPLE_RATE, 10.0);
        let without = floor_spectrum(&anonymized(&mut pipeline, &without, SAMPLE_RATE, number));
        masking_noise
            .iter_mut()
            .zip(without)
            .for_each(|(to, power)| *to += power / 10.0);
    }

    let decibels = |powers: &[f64]| -> Vec<f64> {
        powers
            .iter()
            .map(|power| 10.0 * (power + 1e-12).log10())
            .collect()
    };
    let by = |clips: &[Vec<f64>], feature: &dyn Fn(&[f64]) -> Vec<f64>| {
        let features: Vec<_> = clips.iter().map(|clip| feature(clip)).collect();
        linking_error(&features, EACH as usize, |a, b| correlation(a, b))
    };
    let less_decibels = |powers: &[f64]| -> Vec<f64> {
        let pairs = powers.iter().zip(&masking_noise);
        pairs
            .map(|(power, noise)| 10.0 * (power / noise).log10())
            .collect()
    };
    let less_power = |powers: &[f64]| -> Vec<f64> {
        let pairs = powers.iter().zip(&masking_noise);
        pairs
            .map(|(power, noise)| power - noise)
            .map(|rest| rest.signum() * rest.abs().sqrt())
            .collect()
    };
    let before = by(&raw, &decibels);
    let after = [
        by(&sent, &decibels),
        by(&sent, &less_decibels),
        by(&sent, &less_power),
    ];
    println!("floor: equal error rate {before:.3} before, {after:.3?} after");
    assert!(before <= 0.1, "{before:.3}");
    assert!(after.iter().all(|rate| *rate >= 0.4), "{after:.3?}");
}
