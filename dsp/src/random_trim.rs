//! Random trim: hides the exact length of a clip and where it starts.
//!
//! An app that takes clips of one length, a driver with buffers of one size or another recording of the same moment
//! could be recognized by them. A few milliseconds are removed from the start, a random number for each clip, so that
//! nothing is aligned to the original samples. At the end, up to 0.1 s is removed at random and the rest is rounded
//! down to a multiple of 0.1 s: coarse compared to any driver's buffer, and small compared to a clip. On average 0.1 s
//! is lost. The trim is not recorded; times count from the first sample that is left.

use zeroize::Zeroizing;

use crate::{rng::StepRng, sample_rate::SAMPLE_RATE};

/// The length is rounded down to a multiple of this, in samples: 0.1 s.
pub(crate) const LENGTH_UNIT: usize = SAMPLE_RATE as usize / 10;
/// The minimum and the maximum trimmed from the start, in seconds.
const START_S: [f64; 2] = [0.001, 0.005];
/// The maximum trimmed from the end before the length is rounded, in seconds: one [`LENGTH_UNIT`], so that the rounding
/// itself is random.
const MAX_END_S: f64 = 0.1;

/// `samples` (16 kHz) without a random part of their start and end.
pub(crate) fn random_trim(samples: &[f32], rng: &mut StepRng) -> Zeroizing<Vec<f32>> {
    let rate = f64::from(SAMPLE_RATE);
    let fraction = |rng: &mut StepRng| 0.5 + 0.5 * rng.uniform();
    let start = (rate * (START_S[0] + (START_S[1] - START_S[0]) * fraction(rng))) as usize;
    let end = (rate * MAX_END_S * fraction(rng)) as usize;
    let length = samples.len().saturating_sub(start + end) / LENGTH_UNIT * LENGTH_UNIT;
    let trimmed = samples.get(start..start + length).unwrap_or_default();
    Zeroizing::new(trimmed.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Seed, Step};

    #[test]
    fn the_start_is_random_and_the_length_is_rounded() {
        let samples: Vec<f32> = (0..48_923).map(|n| n as f32).collect();
        let mut starts = Vec::new();
        for number in 0..200 {
            let trimmed = random_trim(&samples, &mut Seed::for_test(number).rng(Step::Trim));
            assert!(
                trimmed.len() == 48_000 || trimmed.len() == 46_400,
                "{}",
                trimmed.len()
            );
            starts.push(trimmed[0] as usize);
            assert_eq!(
                trimmed[..],
                samples[starts[starts.len() - 1]..][..trimmed.len()]
            );
        }
        assert!(starts.iter().all(|start| (16..=80).contains(start)));
        starts.sort_unstable();
        starts.dedup();
        assert!(starts.len() > 40);
    }

    #[test]
    fn a_second_leaves_at_least_0_8_s_and_short_input_nothing() {
        for number in 0..50 {
            let trimmed_length = |length| {
                random_trim(
                    &vec![0.0; length],
                    &mut Seed::for_test(number).rng(Step::Trim),
                )
                .len()
            };
            assert!([12_800, 14_400].contains(&trimmed_length(15_984)));
            assert_eq!([0, 1, 100, 1_600].map(trimmed_length), [0; 4]);
        }
    }
}
