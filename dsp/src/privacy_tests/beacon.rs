//! Ultrasonic beacons: inaudible sound from a loudspeaker in a shop or a television reveals where a phone was.
//!
//! A known bit sequence of 20 ms per bit switches a tone between 18 and 20 kHz on and off, under music at 48 kHz. The
//! attacker correlates the power of every bin with the bits, down to the lowest bin so as to find aliases too, at every
//! offset within 40 ms.

use super::*;
use crate::testing::{sine, sum};

const SECONDS: usize = 8;
const BITS: usize = SECONDS * 50;

/// The maximum correlation of the bits with the power of any bin.
fn max_correlation(samples: &[f32], rate: u32, bits: &[f64]) -> f64 {
    let window = rate as usize / 100;
    let mut planner = realfft::RealFftPlanner::<f32>::new();
    let forward = planner.plan_fft_forward(window);
    let mut bins = forward.make_output_vec();
    let mut best: f64 = 0.0;
    let frames: Vec<Vec<f64>> = samples
        .chunks_exact(window)
        .map(|chunk| {
            forward
                .process(&mut chunk.to_vec(), &mut bins)
                .expect("lengths fit");
            bins.iter()
                .map(|bin| f64::from(bin.norm_sqr() + 1e-12).log10())
                .collect()
        })
        .collect();
    for band in 0..bins.len() {
        for lag in 0..5 {
            let powers: Vec<f64> = frames[lag..]
                .chunks_exact(2)
                .map(|pair| pair[0][band] + pair[1][band])
                .collect();
            for shift in 0..2 {
                let count = powers.len().min(BITS - shift);
                best = best.max(correlation(&powers[..count], &bits[shift..][..count]));
            }
        }
    }
    best
}

#[test]
fn a_beacon_is_found_only_in_the_raw_clip() {
    let rate = 48_000;
    let mut pipeline = Pipeline::new().expect("embedded weights");
    for (number, hz) in [(0, 18_000.0), (1, 18_750.0), (2, 19_400.0), (3, 20_000.0)] {
        let mut rng = rng(number);
        let bits: Vec<f64> = (0..BITS).map(|_| f64::from(rng.uniform() > 0.0)).collect();
        let mut beacon = sine(hz, 0.1, rate, SECONDS as f64);
        for (bit, samples) in bits.iter().zip(beacon.chunks_mut(rate as usize / 50)) {
            samples.iter_mut().for_each(|sample| *sample *= *bit as f32);
        }
        let music = music(number, rate, SECONDS as f64);
        let raw = sum(&[music.clone(), beacon]);
        let before = max_correlation(&raw, rate, &bits);
        let after = max_correlation(
            &anonymized(&mut pipeline, &raw, rate, number),
            SAMPLE_RATE,
            &bits,
        );
        // The maximum correlation by chance, without a beacon.
        let chance = max_correlation(
            &anonymized(&mut pipeline, &music, rate, number),
            SAMPLE_RATE,
            &bits,
        );
        println!("beacon at {hz} Hz: {before:.2} before, {after:.2} after, {chance:.2} by chance");
        assert!(before >= 0.8, "{hz} Hz: {before:.2}");
        assert!(
            after <= 0.3 && after <= chance + 0.1,
            "{hz} Hz: {after:.2}, {chance:.2}"
        );
    }
}
