//! The gate's decision: which frames hold a voice, and how far around them its edges may reach.

use std::ops::Range;

use super::{detector::FRAME, find::PADDING};

/// At which probability a frame of a finished clip counts as a voice.
pub(crate) const THRESHOLD: f64 = 0.45;
/// The louder of two opinions on each frame. A missing or unordered one counts as a voice.
pub(crate) fn worse(one: &[f32], other: &[f32]) -> Vec<f32> {
    let opinion = |heard: &[f32], frame: usize| heard.get(frame).copied().unwrap_or(1.0);
    (0..one.len().max(other.len()))
        .map(|frame| {
            let (one, other) = (opinion(one, frame), opinion(other, frame));
            if one.is_nan() || other.is_nan() {
                1.0
            } else {
                one.max(other)
            }
        })
        .collect()
}

/// The stretches of samples around each frame that reaches `threshold`. They may overlap and reach
/// beyond the clip's end.
pub(crate) fn stretches(probabilities: &[f32], threshold: f64) -> Vec<Range<usize>> {
    let holds_voice =
        |probability: f32| probability.is_nan() || f64::from(probability) >= threshold;
    let voiced = probabilities
        .iter()
        .enumerate()
        .filter(|(_, p)| holds_voice(**p));
    voiced
        .map(|(frame, _)| {
            let start = frame * FRAME;
            start.saturating_sub(PADDING)..start + FRAME + PADDING
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_worse_opinion_counts_and_none_is_the_worst() {
        assert_eq!(
            worse(&[0.1, 0.9, f32::NAN, 0.2], &[0.3, 0.2, 0.1]),
            [0.3, 0.9, 1.0, 1.0]
        );
    }

    proptest! {
        #[test]
        fn every_frame_at_the_threshold_goes_with_its_surroundings(
            probabilities in prop::collection::vec(0f32..1.0, 0..80),
            threshold in 0.05f64..0.95,
        ) {
            let stretches = stretches(&probabilities, threshold);
            for (frame, probability) in probabilities.iter().enumerate() {
                let from = (frame * FRAME).saturating_sub(PADDING);
                let to = (frame + 1) * FRAME + PADDING;
                let covered = |at: usize| stretches.iter().any(|range| range.contains(&at));
                if f64::from(*probability) >= threshold {
                    prop_assert!(covered(from) && covered(frame * FRAME) && covered(to - 1));
                }
            }
            if probabilities.iter().all(|probability| f64::from(*probability) < threshold) {
                prop_assert!(stretches.is_empty());
            }
        }
    }
}
