//! Quantization to 16 bit with TPDF dither (S. P. Lipshitz, R. A. Wannamaker and J. Vanderkooy, "Quantization and
//! dither: a theoretical survey", J. Audio Eng. Soc. 40(5), 1992).
//!
//! The dither is the sum of two uniform random numbers of one step each. It makes the mean and the variance of the
//! quantization error independent of the signal, and masks the traces of a recorder's own converter in the lowest bits.

use crate::rng::StepRng;

/// Quantization steps from 0 to full scale, at 16 bit.
const STEPS: f32 = 32_768.0;

/// Quantizes `samples`, full scale at ±1, to 16 bit.
pub(crate) fn quantize(samples: &[f32], rng: &mut StepRng) -> Vec<i16> {
    let step = |&sample: &f32| {
        // `as` saturates, and converts NaN to 0.
        (sample * STEPS + rng.triangular()).round_ties_even() as i16
    };
    samples.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rng::{Seed, Step},
        testing::sine,
    };

    const COUNT: usize = 400_000;

    fn rng(number: u64) -> StepRng {
        Seed::for_test(number).rng(Step::Dither)
    }

    /// The quantization error, in steps.
    fn errors(samples: &[f32]) -> Vec<f64> {
        let out = quantize(samples, &mut rng(1));
        let error = |(out, sample): (&i16, &f32)| f64::from(*out) - f64::from(sample * STEPS);
        out.iter().zip(samples).map(error).collect()
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        values.sum::<f64>() / COUNT as f64
    }

    #[test]
    fn the_error_is_independent_of_the_signal() {
        for peak in [0.3e-4, 0.5] {
            let samples = sine(441.7, peak, 16_000, COUNT as f64 / 16_000.0);
            let errors = errors(&samples);
            let variance = mean(errors.iter().map(|error| error * error));
            assert!(mean(errors.iter().copied()).abs() < 5e-3);
            // 1/4 of a squared step: 1/12 from rounding, 2/12 from the dither.
            assert!((variance - 0.25).abs() < 5e-3, "{variance}");
            for power in [1, 2] {
                let signal: Vec<f64> = samples
                    .iter()
                    .map(|&x| (f64::from(x) / peak).powi(power))
                    .collect();
                let center = mean(signal.iter().copied());
                let both = signal.iter().zip(&errors);
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
    fn dither_is_triangular_and_depends_on_the_seed() {
        let constant = vec![0.0; COUNT];
        let first = quantize(&constant, &mut rng(1));
        let share =
            |value: i16| first.iter().filter(|&&x| x == value).count() as f64 / COUNT as f64;
        assert!((share(0) - 0.75).abs() < 0.01);
        assert!((share(1) - 0.125).abs() < 0.01 && (share(-1) - 0.125).abs() < 0.01);
        assert_ne!(first, quantize(&constant, &mut rng(2)));
    }

    #[test]
    fn samples_beyond_full_scale_saturate() {
        let out = quantize(&[1.5, -1.5, f32::NAN], &mut rng(1));
        assert_eq!(out, [i16::MAX, i16::MIN, 0]);
    }
}
