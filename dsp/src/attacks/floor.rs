//! Linking two clips of one device by its noise floor.
//!
//! Twenty simulated microphones, four clips of each, 10 s of other music every time. A microphone has a
//! response of its own (four peaks or dips of up to 8 dB) and a floor at -66 to -58 dBFS with a spectrum
//! of its own (five of up to 12 dB). The attacker takes the mean spectrum of the quietest tenth of all
//! moments in 32 bands, in decibels, and scores two clips by its correlation. One who knows the method
//! takes off the spectrum of the noise that every clip gets, measured on what the anonymizer makes of
//! clips without a floor: as decibels, or as power.

use std::f64::consts::PI;

use super::*;
use crate::testing::{noise, sum};

const EACH: u64 = 4;
const BANDS: usize = 32;

/// A chain of peaking filters, drawn for one device (RBJ's cookbook).
fn colored(samples: &[f32], number: u64, count: usize, most_db: f64) -> Vec<f32> {
    let mut draws = draws(number);
    let mut out: Vec<f64> = samples.iter().copied().map(f64::from).collect();
    for _ in 0..count {
        let hz = 150.0 * 2f64.powf(between(&mut draws, 0.0, 5.5));
        let gain = 10f64.powf(between(&mut draws, -most_db, most_db) / 40.0);
        let (sine, cosine) = (TAU * hz / f64::from(RATE)).sin_cos();
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

/// What `device` hears.
fn heard(device: u64, take: u64) -> Vec<f32> {
    let number = device * EACH + take;
    let music = colored(&music(number, RATE, 10.0), 100 + device, 4, 8.0);
    let dbfs = between(&mut draws(200 + device), -66.0, -58.0);
    let white = noise(1_000 + number, 10f64.powf(dbfs / 20.0), music.len());
    sum(&[music, colored(&white, 300 + device, 5, 12.0)])
}

/// The mean power of the quietest tenth of all moments, in bands.
fn quietest(samples: &[f32]) -> Vec<f64> {
    const WINDOW: usize = 512;
    let mut planner = realfft::RealFftPlanner::<f32>::new();
    let forward = planner.plan_fft_forward(WINDOW);
    let mut bins = forward.make_output_vec();
    let mut moments: Vec<Vec<f64>> = samples
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
    moments.sort_by(|a, b| a.iter().sum::<f64>().total_cmp(&b.iter().sum()));
    moments.truncate(moments.len() / 10);
    let count = moments.len() as f64;
    (0..BANDS)
        .map(|band| moments.iter().map(|moment| moment[band]).sum::<f64>() / count)
        .collect()
}

#[test]
fn a_device_is_known_by_its_floor_in_raw_clips_and_not_in_anonymous_ones() {
    let mut pipeline = Pipeline::new().expect("carried");
    let (mut raw, mut sent) = (Vec::new(), Vec::new());
    for device in 0..sized(10, 20) {
        for take in 0..EACH {
            let heard = heard(device, take);
            let number = device * EACH + take;
            sent.push(quietest(&anonymous(&mut pipeline, &heard, RATE, number)));
            raw.push(quietest(&heard));
        }
    }
    let mut veil = vec![0.0; BANDS];
    for number in 500..510 {
        let without = music(number, RATE, 10.0);
        let without = quietest(&anonymous(&mut pipeline, &without, RATE, number));
        veil.iter_mut()
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
        link(&features, EACH as usize, |a, b| correlation(a, b))
    };
    let less_decibels = |powers: &[f64]| -> Vec<f64> {
        let pairs = powers.iter().zip(&veil);
        pairs
            .map(|(power, veil)| 10.0 * (power / veil).log10())
            .collect()
    };
    let less_power = |powers: &[f64]| -> Vec<f64> {
        let pairs = powers.iter().zip(&veil);
        pairs
            .map(|(power, veil)| power - veil)
            .map(|left| left.signum() * left.abs().sqrt())
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
