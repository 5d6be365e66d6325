//! The exact length and where exactly a clip begins: an app that takes clips of the same length, a
//! driver that hands over buffers of its own size, another recording of the same moment could be told
//! by it.
//!
//! A few milliseconds go at the beginning, drawn for each clip, so that nothing lies on a sample's grid;
//! and as much at the end that a multiple of a tenth of a second is left, with a draw first so
//! that the rounding itself falls now to one side, now to the other. A tenth is coarse beside any
//! driver's buffer and little beside a clip: on average one is lost. Trimming stands nowhere;
//! times count from the first sample that is left.

use zeroize::Zeroizing;

use super::{detector::RATE, random::Draws};

/// What is left is a multiple of it: 0.1 s.
pub(crate) const UNIT: usize = RATE as usize / 10;
/// The least and the most that goes at the beginning: 1 to 5 ms.
const START: [f64; 2] = [0.001, 0.005];
/// The most that goes at the end before the length is rounded down: 0.1 s.
const END_S: f64 = 0.1;

/// `sound` (16 kHz) without its ends.
pub(crate) fn trimmed(sound: &[f32], draws: &mut Draws) -> Zeroizing<Vec<f32>> {
    let rate = f64::from(RATE);
    let share = |draws: &mut Draws| 0.5 + 0.5 * draws.even();
    let start = (rate * (START[0] + (START[1] - START[0]) * share(draws))) as usize;
    let end = (rate * END_S * share(draws)) as usize;
    let left = sound.len().saturating_sub(start + end) / UNIT * UNIT;
    let inside = sound.get(start..start + left).unwrap_or_default();
    Zeroizing::new(inside.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Seed, Step};

    #[test]
    fn what_is_left_is_rounded_and_begins_within_five_milliseconds() {
        let sound: Vec<f32> = (0..48_923).map(|n| n as f32).collect();
        let mut starts = Vec::new();
        for number in 0..200 {
            let left = trimmed(&sound, &mut Seed::for_test(number).draws(Step::Ends));
            assert!(
                left.len() == 48_000 || left.len() == 46_400,
                "{}",
                left.len()
            );
            starts.push(left[0] as usize);
            assert_eq!(left[..], sound[starts[starts.len() - 1]..][..left.len()]);
        }
        assert!(starts.iter().all(|start| (16..=80).contains(start)));
        starts.sort_unstable();
        starts.dedup();
        assert!(starts.len() > 40);
    }

    #[test]
    fn a_second_leaves_eight_tenths_and_next_to_nothing_leaves_nothing() {
        for number in 0..50 {
            let left = |length| {
                trimmed(
                    &vec![0.0; length],
                    &mut Seed::for_test(number).draws(Step::Ends),
                )
                .len()
            };
            assert!([12_800, 14_400].contains(&left(15_984)));
            assert_eq!([0, 1, 100, 1_600].map(left), [0; 4]);
        }
    }
}
