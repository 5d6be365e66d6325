//! The cut: kept stretches joined, or left in their places with silence between.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{detector::RATE, timeline::Timeline};

/// Over which a kept stretch comes and goes, inside itself, so that no cut clicks: 8 ms.
const FADE: usize = RATE as usize / 125;

/// What is left of a clip.
pub(super) struct Left {
    /// The sound.
    pub(super) samples: Zeroizing<Vec<f32>>,
    /// Where in `samples` sound stands; all else is silence.
    pub(super) sounding: Vec<Range<usize>>,
}

/// Takes out of `samples` what `timeline` says. With `keep_time` silence takes its place.
pub(super) fn cut(samples: &[f32], timeline: &Timeline, keep_time: bool) -> Left {
    let length = if keep_time {
        timeline.length()
    } else {
        timeline.kept_length()
    };
    let mut out = Zeroizing::new(vec![0.0; length]);
    let mut sounding = Vec::new();
    let mut at = 0;
    for kept in timeline.kept() {
        let to = if keep_time {
            kept.clone()
        } else {
            at..at + kept.len()
        };
        at = to.end;
        out[to.clone()].copy_from_slice(&samples[kept]);
        fade(&mut out[to.clone()]);
        sounding.push(to);
    }
    Left {
        samples: out,
        sounding,
    }
}

/// Raised cosines at both ends.
fn fade(samples: &mut [f32]) {
    let count = FADE.min(samples.len() / 2);
    let turn = std::f32::consts::PI / (count as f32 + 1.0);
    for step in 0..count {
        let gain = 0.5 - 0.5 * (turn * (step as f32 + 1.0)).cos();
        samples[step] *= gain;
        let last = samples.len() - 1 - step;
        samples[last] *= gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> Timeline {
        Timeline::new(48_000, vec![9_000..20_000, 40_000..48_000])
    }

    #[test]
    fn what_is_kept_is_joined_or_stays_in_its_place() {
        let samples: Vec<f32> = (0..48_000).map(|n| 1.0 + n as f32).collect();
        let joined = cut(&samples, &timeline(), false);
        assert_eq!(joined.samples.len(), 29_000);
        assert_eq!(joined.sounding, [0..9_000, 9_000..29_000]);
        assert_eq!(
            joined.samples[9_000 + FADE..29_000 - FADE],
            samples[20_000 + FADE..40_000 - FADE]
        );

        let placed = cut(&samples, &timeline(), true);
        assert_eq!(placed.samples.len(), 48_000);
        assert_eq!(placed.sounding, [0..9_000, 20_000..40_000]);
        assert!(
            placed.samples[9_000..20_000]
                .iter()
                .all(|&sample| sample == 0.0)
        );
        assert_eq!(
            placed.samples[FADE..9_000 - FADE],
            samples[FADE..9_000 - FADE]
        );
    }

    #[test]
    fn no_cut_clicks() {
        let samples = vec![0.5; 48_000];
        for keep_time in [false, true] {
            let left = cut(&samples, &timeline(), keep_time);
            let around = [&[0.0][..], &left.samples, &[0.0]].concat();
            let steepest = around
                .windows(2)
                .map(|pair| (pair[1] - pair[0]).abs())
                .fold(0.0, f32::max);
            assert!(steepest < 0.01, "a step of {steepest}");
        }
    }
}
