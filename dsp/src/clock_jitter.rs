//! Clock jitter: resamples a clip by a random ratio near 1, which hides the exact sample clock of the device.
//!
//! Every device's clock is off by up to some 50 ppm of its own, which anyone who knows the pitch or the tempo of the
//! music can measure. The random ratio differs from 1 by up to 0.1 %: 1.7 cents, inaudible, and at least ten times the
//! spread of real clocks. It is not recorded.
//!
//! The construction is band-limited interpolation (J. O. Smith, "Digital audio resampling home page",
//! <https://ccrma.stanford.edu/~jos/resample/>): a sinc under a Kaiser window, tabulated for 256 phases between two
//! samples and linearly interpolated between them.

use std::f64::consts::PI;

use zeroize::Zeroizing;

use crate::{kaiser::kaiser, rng::StepRng};

/// The maximum relative change of the clock.
pub(crate) const MAX_DEVIATION: f64 = 1e-3;
/// The length of the sinc, in samples.
const SINC_LEN: usize = 48;
/// The phases between two samples for which the sinc is tabulated.
const OVERSAMPLING_FACTOR: usize = 256;
/// The shape of the Kaiser window: 80 dB of stop-band attenuation.
const KAISER_BETA: f64 = 8.0;

/// The table of the sinc.
pub(crate) struct ClockJitter {
    /// A row for each phase, and one more for the interpolation after the last.
    sincs: Vec<[f32; SINC_LEN]>,
}

impl ClockJitter {
    pub(crate) fn new() -> Self {
        let row = |phase: usize| {
            let offset = phase as f64 / OVERSAMPLING_FACTOR as f64;
            std::array::from_fn(|tap| {
                windowed_sinc(tap as f64 - (SINC_LEN / 2 - 1) as f64 - offset) as f32
            })
        };
        Self {
            sincs: (0..=OVERSAMPLING_FACTOR).map(row).collect(),
        }
    }

    /// Resamples `samples` by a random ratio.
    pub(crate) fn apply(&self, samples: &[f32], rng: &mut StepRng) -> Zeroizing<Vec<f32>> {
        self.resample(samples, 1.0 + MAX_DEVIATION * rng.uniform())
    }

    /// Resamples `samples` to `ratio` times their length.
    fn resample(&self, samples: &[f32], ratio: f64) -> Zeroizing<Vec<f32>> {
        let before = SINC_LEN / 2 - 1;
        let mut padded = Zeroizing::new(vec![0.0; samples.len() + SINC_LEN]);
        padded[before..][..samples.len()].copy_from_slice(samples);
        let count = (samples.len() as f64 * ratio) as usize;
        let step = ratio.recip();
        let mut out = Zeroizing::new(Vec::with_capacity(count));
        for index in 0..count {
            let position = index as f64 * step;
            let phase = position.fract() * OVERSAMPLING_FACTOR as f64;
            let row = phase as usize;
            let Some(window) = padded
                .get(position as usize..)
                .and_then(<[f32]>::first_chunk)
            else {
                break;
            };
            let fraction = phase.fract() as f32;
            out.push(convolve(
                window,
                &self.sincs[row],
                &self.sincs[row + 1],
                fraction,
            ));
        }
        out
    }
}

/// One output sample: `window` times the sinc that is interpolated between `left` and `right`.
fn convolve(
    window: &[f32; SINC_LEN],
    left: &[f32; SINC_LEN],
    right: &[f32; SINC_LEN],
    fraction: f32,
) -> f32 {
    /// Partial sums, as many as a vector register of 256 bit holds.
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    for block in (0..SINC_LEN).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let tap = block + lane;
            *sum += window[tap] * (left[tap] + fraction * (right[tap] - left[tap]));
        }
    }
    sums.iter().sum()
}

/// The windowed sinc, `x` samples from its center.
fn windowed_sinc(x: f64) -> f64 {
    let sinc = if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    };
    sinc * kaiser(KAISER_BETA, x / (SINC_LEN / 2) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rng::{Seed, Step},
        testing::{level, sine},
    };

    #[test]
    fn a_tone_is_resampled_to_its_new_pitch_without_distortion() {
        let clock_jitter = ClockJitter::new();
        for ratio in [1.0 - MAX_DEVIATION, 1.0, 1.000_123, 1.0 + MAX_DEVIATION] {
            for hz in [27.5, 440.0, 4_186.0, 7_000.0] {
                let out = clock_jitter.resample(&sine(hz, 0.5, 16_000, 2.0), ratio);
                let wanted = sine(hz / ratio, 0.5, 16_000, 2.1);
                assert!(out.len().abs_diff((32_000.0 * ratio) as usize) <= 1);
                let error: Vec<f32> = out.iter().zip(&wanted).map(|(a, b)| a - b).collect();
                let error = level(&error[100..out.len() - 100]) - level(&wanted);
                assert!(error < -75.0, "{hz} Hz at {ratio}: {error} dB");
            }
        }
    }

    #[test]
    fn the_ratio_is_uniform_within_its_bounds() {
        let clock_jitter = ClockJitter::new();
        let lengths: Vec<usize> = (0..100)
            .map(|number| {
                let mut rng = Seed::for_test(number).rng(Step::ClockJitter);
                clock_jitter.apply(&vec![0.0; 100_000], &mut rng).len()
            })
            .collect();
        assert!(
            lengths
                .iter()
                .all(|count| (99_899..=100_100).contains(count))
        );
        let below = lengths.iter().filter(|&&count| count < 100_000).count();
        assert!((30..70).contains(&below), "{below}");
        assert!(lengths.iter().any(|&count| count > 100_090));
        assert!(lengths.iter().any(|&count| count < 99_910));
    }

    #[test]
    fn very_short_input_keeps_its_length() {
        for length in [0, 1, 2, SINC_LEN] {
            let out = ClockJitter::new().resample(&vec![1.0; length], 1.001);
            assert_eq!(out.len(), length);
        }
    }
}
