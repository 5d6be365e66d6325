//! Splicing: joins the kept regions of a clip, and puts them back in their places with silence between.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::{sample_rate::SAMPLE_RATE, timeline::Timeline};

/// The length of the fades at both ends of a kept segment, in samples: 8 ms, long enough that no cut clicks.
const FADE: usize = SAMPLE_RATE as usize / 125;

/// The kept samples of a clip, and no others.
pub(crate) struct KeptAudio {
    /// The kept segments, joined.
    pub(crate) samples: Zeroizing<Vec<f32>>,
    /// The position of each segment, in order.
    pub(crate) segments: Vec<Segment>,
}

/// A kept segment of a clip.
pub(crate) struct Segment {
    /// Its range in the joined samples.
    pub(crate) joined: Range<usize>,
    /// Its start in the clip.
    pub(crate) clip_start: usize,
}

impl Segment {
    /// All of a clip of `length` samples.
    pub(crate) fn whole(length: usize) -> Self {
        Self {
            joined: 0..length,
            clip_start: 0,
        }
    }
}

impl KeptAudio {
    /// Copies the regions of `samples` that `timeline` keeps.
    pub(crate) fn new(samples: &[f32], timeline: &Timeline) -> Self {
        let mut kept = Zeroizing::new(Vec::with_capacity(timeline.kept_length()));
        let mut segments = Vec::new();
        for range in timeline.kept() {
            let start = kept.len();
            kept.extend_from_slice(&samples[range.clone()]);
            segments.push(Segment {
                joined: start..kept.len(),
                clip_start: range.start,
            });
        }
        Self {
            samples: kept,
            segments,
        }
    }

    /// Fades every segment in and out.
    pub(crate) fn fade(&mut self) {
        for segment in &self.segments {
            fade(&mut self.samples[segment.joined.clone()]);
        }
    }
}

/// The segments of `joined` at their places in a clip of `length` samples, with silence between.
pub(crate) fn restore_timing(joined: &[i16], segments: &[Segment], length: usize) -> Vec<i16> {
    let mut out = vec![0; length];
    for segment in segments {
        out[segment.clip_start..][..segment.joined.len()]
            .copy_from_slice(&joined[segment.joined.clone()]);
    }
    out
}

/// Raised-cosine fades at both ends.
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
    fn kept_segments_are_joined_and_restored_to_their_times() {
        let samples: Vec<f32> = (0..48_000).map(|n| 1.0 + n as f32).collect();
        let kept = KeptAudio::new(&samples, &timeline());
        assert_eq!(kept.samples.len(), 29_000);
        assert_eq!(kept.samples[..9_000], samples[..9_000]);
        assert_eq!(kept.samples[9_000..], samples[20_000..40_000]);

        let joined: Vec<i16> = (0..29_000).map(|n| 1 + n as i16).collect();
        let restored = restore_timing(&joined, &kept.segments, 48_000);
        assert_eq!(restored.len(), 48_000);
        assert_eq!(restored[..9_000], joined[..9_000]);
        assert_eq!(restored[20_000..40_000], joined[9_000..]);
        assert!(restored[9_000..20_000].iter().all(|&sample| sample == 0));
    }

    #[test]
    fn cuts_do_not_click() {
        let mut kept = KeptAudio::new(&[0.5; 48_000], &timeline());
        kept.fade();
        let padded = [&[0.0][..], &kept.samples, &[0.0]].concat();
        let max_step = padded
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .fold(0.0, f32::max);
        assert!(max_step < 0.01, "a step of {max_step}");
        let middle = &kept.samples[9_000 + FADE..29_000 - FADE];
        assert!(middle.iter().all(|&sample| sample == 0.5));
    }
}
