//! Linking clips of one device by what is exactly alike in them: their length, which its driver's
//! buffers round (up to 1024 frames at 48 kHz), and their level, which its gain control holds to 0.1 dB.
//!
//! Twenty devices, ten in the ordinary run, four clips of each.

use super::*;
use crate::testing::level;

const EACH: u64 = 4;

#[test]
fn exact_lengths_and_levels_link_raw_clips_and_not_anonymous_ones() {
    let mut pipeline = Pipeline::new().expect("carried");
    let (mut raw, mut sent) = (Vec::new(), Vec::new());
    for device in 0..sized(10, 20) {
        let mut draws = draws(device);
        let length = 80_000 + between(&mut draws, 0.0, 341.0) as usize;
        let dbfs = between(&mut draws, -35.0, -22.0);
        for take in 0..EACH {
            let number = device * EACH + take;
            let mut heard = music(number, RATE, 6.0);
            heard.truncate(length);
            let held = dbfs + between(&mut draws, -0.1, 0.1) - level(&heard);
            heard
                .iter_mut()
                .for_each(|sample| *sample *= 10f64.powf(held / 20.0) as f32);
            let measured = |samples: &[f32]| (samples.len() as f64, level(samples));
            sent.push(measured(&anonymous(&mut pipeline, &heard, RATE, number)));
            raw.push(measured(&heard));
        }
    }
    let by = |clips: &[(f64, f64)], value: fn(&(f64, f64)) -> f64| {
        link(clips, EACH as usize, |a, b| -(value(a) - value(b)).abs())
    };
    let lengths = [&raw, &sent].map(|clips| by(clips, |clip| clip.0));
    let levels = [&raw, &sent].map(|clips| by(clips, |clip| clip.1));
    println!("equal error rates before and after: lengths {lengths:.3?}, levels {levels:.3?}");
    for [before, after] in [lengths, levels] {
        assert!(before <= 0.1, "{before:.3}");
        assert!(after >= 0.4, "{after:.3}");
    }
}
