//! Linking clips of one device by their exact length, which the driver's buffer size rounds (up to 1024 frames at
//! 48 kHz), and their exact level, which the gain control keeps to 0.1 dB.
//!
//! Twenty devices, ten in the default run, with four clips each.

use super::*;
use crate::testing::level;

const EACH: u64 = 4;

#[test]
fn exact_lengths_and_levels_link_only_raw_clips() {
    let mut pipeline = Pipeline::new().expect("embedded weights");
    let (mut raw, mut sent) = (Vec::new(), Vec::new());
    for device in 0..sized(10, 20) {
        let mut rng = rng(device);
        let length = 80_000 + between(&mut rng, 0.0, 341.0) as usize;
        let dbfs = between(&mut rng, -35.0, -22.0);
        for take in 0..EACH {
            let number = device * EACH + take;
            let mut recorded = music(number, SAMPLE_RATE, 6.0);
            recorded.truncate(length);
            let gain = dbfs + between(&mut rng, -0.1, 0.1) - level(&recorded);
            recorded
                .iter_mut()
                .for_each(|sample| *sample *= 10f64.powf(gain / 20.0) as f32);
            let measured = |samples: &[f32]| (samples.len() as f64, level(samples));
            sent.push(measured(&anonymized(
                &mut pipeline,
                &recorded,
                SAMPLE_RATE,
                number,
            )));
            raw.push(measured(&recorded));
        }
    }
    let by = |clips: &[(f64, f64)], value: fn(&(f64, f64)) -> f64| {
        linking_error(clips, EACH as usize, |a, b| -(value(a) - value(b)).abs())
    };
    let lengths = [&raw, &sent].map(|clips| by(clips, |clip| clip.0));
    let levels = [&raw, &sent].map(|clips| by(clips, |clip| clip.1));
    println!("equal error rates before and after: lengths {lengths:.3?}, levels {levels:.3?}");
    for [before, after] in [lengths, levels] {
        assert!(before <= 0.1, "{before:.3}");
        assert!(after >= 0.4, "{after:.3}");
    }
}
