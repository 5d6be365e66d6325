//! The cut: kept stretches joined, and put back in their places with silence between.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{detector::RATE, timeline::Timeline};

/// Over which a kept stretch comes and goes, inside itself, so that no cut clicks: 8 ms.
const FADE: usize = RATE as usize / 125;

/// What is kept of a clip, and not one sample more.
pub(crate) struct Kept {
    /// The kept stretches, joined.
    pub(crate) samples: Zeroizing<Vec<f32>>,
    /// Where each of them stands; in order.
    pub(crate) parts: Vec<Part>,
}

/// A kept stretch.
pub(crate) struct Part {
    /// Where it stands among the joined samples.
    pub(crate) joined: Range<usize>,
    /// Where it began in the clip.
    pub(crate) from: usize,
}

impl Part {
    /// All of a clip of `length` samples.
    #[cfg(test)]
    pub(crate) fn whole(length: usize) -> Self {
        Self {
            joined: 0..length,
            from: 0,
        }
    }
}

impl Kept {
    /// Takes out of `sound` what `timeline` keeps.
    pub(crate) fn new(sound: &[f32], timeline: &Timeline) -> Self {
        let mut samples = Zeroizing::new(Vec::with_capacity(timeline.kept_length()));
        let mut parts = Vec::new();
        for range in timeline.kept() {
            let start = samples.len();
            samples.extend_from_slice(&sound[range.clone()]);
            parts.push(Part {
                joined: start..samples.len(),
                from: range.start,
            });
        }
        Self { samples, parts }
    }

    /// Lets every part come and go.
    pub(crate) fn fade(&mut self) {
        for part in &self.parts {
            fade(&mut self.samples[part.joined.clone()]);
        }
    }
}

/// The parts of `joined` in their places in a clip of `length` samples, with silence between.
pub(crate) fn place(joined: &[i16], parts: &[Part], length: usize) -> Vec<i16> {
    let mut out = vec![0; length];
    for part in parts {
        out[part.from..][..part.joined.len()].copy_from_slice(&joined[part.joined.clone()]);
    }
    out
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
    fn what_is_kept_is_joined_and_finds_its_place_again() {
        let sound: Vec<f32> = (0..48_000).map(|n| 1.0 + n as f32).collect();
        let kept = Kept::new(&sound, &timeline());
        assert_eq!(kept.samples.len(), 29_000);
        assert_eq!(kept.samples[..9_000], sound[..9_000]);
        assert_eq!(kept.samples[9_000..], sound[20_000..40_000]);

        let joined: Vec<i16> = (0..29_000).map(|n| 1 + n as i16).collect();
        let placed = place(&joined, &kept.parts, 48_000);
        assert_eq!(placed.len(), 48_000);
        assert_eq!(placed[..9_000], joined[..9_000]);
        assert_eq!(placed[20_000..40_000], joined[9_000..]);
        assert!(placed[9_000..20_000].iter().all(|&sample| sample == 0));
    }

    #[test]
    fn no_cut_clicks() {
        let mut kept = Kept::new(&[0.5; 48_000], &timeline());
        kept.fade();
        let around = [&[0.0][..], &kept.samples, &[0.0]].concat();
        let steepest = around
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .fold(0.0, f32::max);
        assert!(steepest < 0.01, "a step of {steepest}");
        let middle = &kept.samples[9_000 + FADE..29_000 - FADE];
        assert!(middle.iter().all(|&sample| sample == 0.5));
    }
}
