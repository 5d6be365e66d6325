//! To 16 bit, with TPDF dither: the sum of two even draws of one step, which makes the error's mean
//! and variance independent of the sound (Lipshitz, Wannamaker, Vanderkooy, "Quantization and dither:
//! a theoretical survey", JAES 40(5), 1992). It also covers what a recorder's own converter left in
//! the lowest bits.

use super::random::Draws;

/// Steps of 16 bit in full scale.
const STEPS: f32 = 32_768.0;

/// `samples` in 16 bit.
pub(crate) fn quantize(samples: &[f32], draws: &mut Draws) -> Vec<i16> {
    let step = |&sample: &f32| {
        // `as` saturates at the ends of i16, and makes 0 of what is no number.
        (sample * STEPS + draws.triangular()).round_ties_even() as i16
    };
    samples.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        random::{Seed, Step},
        testing::sine,
    };

    const COUNT: usize = 400_000;

    fn draws(number: u64) -> Draws {
        Seed::for_test(number).draws(Step::Dither)
    }

    /// The error in steps, for a sound far below and for one far above a step.
    fn errors(samples: &[f32]) -> Vec<f64> {
        let out = quantize(samples, &mut draws(1));
        let error = |(out, sample): (&i16, &f32)| f64::from(*out) - f64::from(sample * STEPS);
        out.iter().zip(samples).map(error).collect()
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        values.sum::<f64>() / COUNT as f64
    }

    #[test]
    fn the_error_has_no_mean_a_fixed_variance_and_nothing_of_the_sound() {
        for peak in [0.3e-4, 0.5] {
            let samples = sine(441.7, peak, 16_000, COUNT as f64 / 16_000.0);
            let errors = errors(&samples);
            let variance = mean(errors.iter().map(|error| error * error));
            assert!(mean(errors.iter().copied()).abs() < 5e-3);
            // A quarter of a step squared: 1/12 of the rounding, 2/12 of the dither.
            assert!((variance - 0.25).abs() < 5e-3, "{variance}");
            for power in [1, 2] {
                let sound: Vec<f64> = samples
                    .iter()
                    .map(|&x| (f64::from(x) / peak).powi(power))
                    .collect();
                let center = mean(sound.iter().copied());
                let both = sound.iter().zip(&errors);
                let with_error = mean(both.clone().map(|(x, error)| (x - center) * error));
                let with_power = mean(both.map(|(x, error)| (x - center) * (error * error - 0.25)));
                assert!(
                    with_error.abs() < 5e-3 && with_power.abs() < 5e-3,
                    "{power}"
                );
            }
            let next = mean(errors.windows(2).map(|pair| pair[0] * pair[1]));
            assert!(next.abs() < 5e-3);
        }
    }

    #[test]
    fn dither_is_triangular_and_hangs_on_the_seed() {
        let constant = vec![0.0; COUNT];
        let first = quantize(&constant, &mut draws(1));
        let share =
            |value: i16| first.iter().filter(|&&x| x == value).count() as f64 / COUNT as f64;
        assert!((share(0) - 0.75).abs() < 0.01);
        assert!((share(1) - 0.125).abs() < 0.01 && (share(-1) - 0.125).abs() < 0.01);
        assert_ne!(first, quantize(&constant, &mut draws(2)));
    }

    #[test]
    fn full_scale_does_not_wrap() {
        let out = quantize(&[1.5, -1.5, f32::NAN], &mut draws(1));
        assert_eq!(out, [i16::MAX, i16::MIN, 0]);
    }
}
