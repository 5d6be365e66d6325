//! The exact clock: every device's runs fast or slow by some millionths of its own, and whoever knows
//! a pitch or a tempo that was played can read it. So each clip is played faster or slower by up to
//! 0.1 %, drawn evenly and recorded nowhere: 1.7 cents, which nobody hears, and at least ten times
//! what clocks differ by.
//!
//! Band-limited interpolation (J. O. Smith, "Digital audio resampling",
//! <https://ccrma.stanford.edu/~jos/resample/>): a sinc under a Kaiser window, tabulated for 256 places
//! between two samples and interpolated between those.

use std::f64::consts::PI;

use zeroize::Zeroizing;

use super::random::Draws;

/// The most that a clip's clock is changed by.
pub(crate) const MOST: f64 = 1e-3;
/// Samples that one of the output is made of.
const TAPS: usize = 48;
/// Places between two samples for which the filter is tabulated.
const PHASES: usize = 256;
/// Of the Kaiser window: 80 dB.
const BETA: f64 = 8.0;

/// Keeps the filter's table.
pub(crate) struct Stretcher {
    /// One place more than there are, so that each has a next.
    rows: Vec<[f32; TAPS]>,
}

impl Stretcher {
    pub(crate) fn new() -> Self {
        let row = |phase: usize| {
            let at = phase as f64 / PHASES as f64;
            std::array::from_fn(|tap| kernel(tap as f64 - (TAPS / 2 - 1) as f64 - at) as f32)
        };
        Self {
            rows: (0..=PHASES).map(row).collect(),
        }
    }

    /// `samples` at a clock that differs from theirs by a draw.
    pub(crate) fn stretch(&self, samples: &[f32], draws: &mut Draws) -> Zeroizing<Vec<f32>> {
        self.at_ratio(samples, 1.0 + MOST * draws.even())
    }

    /// `samples` at `ratio` times their length.
    fn at_ratio(&self, samples: &[f32], ratio: f64) -> Zeroizing<Vec<f32>> {
        let before = TAPS / 2 - 1;
        let mut padded = Zeroizing::new(vec![0.0; samples.len() + TAPS]);
        padded[before..][..samples.len()].copy_from_slice(samples);
        let count = (samples.len() as f64 * ratio) as usize;
        let step = ratio.recip();
        let mut out = Zeroizing::new(Vec::with_capacity(count));
        for index in 0..count {
            let at = index as f64 * step;
            let place = at.fract() * PHASES as f64;
            let row = place as usize;
            let Some(heard) = padded.get(at as usize..).and_then(<[f32]>::first_chunk) else {
                break;
            };
            let share = place.fract() as f32;
            out.push(filtered(heard, &self.rows[row], &self.rows[row + 1], share));
        }
        out
    }
}

/// One sample, by a filter that lies between two.
fn filtered(heard: &[f32; TAPS], one: &[f32; TAPS], other: &[f32; TAPS], share: f32) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    for block in (0..TAPS).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let tap = block + lane;
            *sum += heard[tap] * (one[tap] + share * (other[tap] - one[tap]));
        }
    }
    sums.iter().sum()
}

/// The windowed sinc, `at` samples from its middle.
fn kernel(at: f64) -> f64 {
    let sinc = if at == 0.0 {
        1.0
    } else {
        (PI * at).sin() / (PI * at)
    };
    sinc * kaiser(BETA, at / (TAPS / 2) as f64)
}

/// The Kaiser window, which spans [-1, 1].
pub(crate) fn kaiser(beta: f64, across: f64) -> f64 {
    if across.abs() >= 1.0 {
        return 0.0;
    }
    bessel(beta * (1.0 - across * across).sqrt()) / bessel(beta)
}

/// The modified Bessel function of the first kind and order zero, by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        random::{Seed, Step},
        testing::{level, sine},
    };

    #[test]
    fn a_tone_comes_out_at_the_new_pitch_and_as_clean() {
        let stretcher = Stretcher::new();
        for ratio in [1.0 - MOST, 1.0, 1.000_123, 1.0 + MOST] {
            for hz in [27.5, 440.0, 4_186.0, 7_000.0] {
                let out = stretcher.at_ratio(&sine(hz, 0.5, 16_000, 2.0), ratio);
                let wanted = sine(hz / ratio, 0.5, 16_000, 2.1);
                assert!(out.len().abs_diff((32_000.0 * ratio) as usize) <= 1);
                let off: Vec<f32> = out.iter().zip(&wanted).map(|(a, b)| a - b).collect();
                let off = level(&off[100..out.len() - 100]) - level(&wanted);
                assert!(off < -75.0, "{hz} Hz at {ratio}: {off} dB");
            }
        }
    }

    #[test]
    fn the_clock_is_drawn_evenly_within_its_bounds() {
        let stretcher = Stretcher::new();
        let lengths: Vec<usize> = (0..100)
            .map(|number| {
                let mut draws = Seed::for_test(number).draws(Step::Clock);
                stretcher.stretch(&vec![0.0; 100_000], &mut draws).len()
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
    fn no_length_is_too_short() {
        for length in [0, 1, 2, TAPS] {
            let out = Stretcher::new().at_ratio(&vec![1.0; length], 1.001);
            assert_eq!(out.len(), length);
        }
    }
}
