//! From the probabilities of a detector's frames to ranges of samples with a voice.

use std::ops::Range;

use crate::{silero_vad::FRAME, voice_removal::PADDING};

/// The maximum of two predictions, frame by frame. A missing or NaN probability counts as 1.
pub(crate) fn max(one: &[f32], other: &[f32]) -> Vec<f32> {
    let at = |probabilities: &[f32], frame: usize| probabilities.get(frame).copied().unwrap_or(1.0);
    (0..one.len().max(other.len()))
        .map(|frame| {
            let (one, other) = (at(one, frame), at(other, frame));
            if one.is_nan() || other.is_nan() {
                1.0
            } else {
                one.max(other)
            }
        })
        .collect()
}

/// The samples of each frame that reaches its threshold, padded on either side. `threshold` gets the first sample of a
/// frame. The ranges may overlap and extend beyond the clip's end.
pub(crate) fn voiced_segments(
    probabilities: &[f32],
    threshold: impl Fn(usize) -> f64,
) -> Vec<Range<usize>> {
    let starts = (0..).step_by(FRAME);
    let voiced = starts.zip(probabilities).filter(|&(start, probability)| {
        probability.is_nan() || f64::from(*probability) >= threshold(start)
    });
    voiced
        .map(|(start, _)| start.saturating_sub(PADDING)..start + FRAME + PADDING)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn max_takes_the_higher_probability_and_1_for_none() {
        assert_eq!(
            max(&[0.1, 0.9, f32::NAN, 0.2], &[0.3, 0.2, 0.1]),
            [0.3, 0.9, 1.0, 1.0]
        );
    }

    proptest! {
        #[test]
        fn frames_at_the_threshold_are_covered_with_padding(
            probabilities in prop::collection::vec(0f32..1.0, 0..80),
            threshold in 0.05f64..0.95,
        ) {
            let segments = voiced_segments(&probabilities, |_| threshold);
            for (frame, probability) in probabilities.iter().enumerate() {
                let from = (frame * FRAME).saturating_sub(PADDING);
                let to = (frame + 1) * FRAME + PADDING;
                let covered = |at: usize| segments.iter().any(|range| range.contains(&at));
                if f64::from(*probability) >= threshold {
                    prop_assert!(covered(from) && covered(frame * FRAME) && covered(to - 1));
                }
            }
            if probabilities.iter().all(|probability| f64::from(*probability) < threshold) {
                prop_assert!(segments.is_empty());
            }
        }
    }
}
