use std::ops::Range;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use super::{Description, detector::RATE, gate::Passed, timeline::Timeline};
use crate::sampler::{Annotation, RawClip, Selection};

/// A stretch of a clip: seconds in the time of the input, written as `[start_s, end_s]`. They lie up to
/// 5 ms and 0.1 % beside it: a clip's ends are trimmed and its clock is changed, neither of which is
/// written anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span(pub f64, pub f64);

/// A stretch that was taken out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Seconds in the time of the input.
    pub start_s: f64,
    /// Seconds in the time of the input.
    pub end_s: f64,
    /// Why.
    pub reason: RemovalReason,
}

/// Why a stretch was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalReason {
    /// The detector heard a voice there, or so near that a word's edge could be.
    Voice,
    /// Too short to be of use, between two stretches that were taken out.
    Fragment,
}

/// Sound without voices and without what points to a person. Only [`crate::anonymize`] makes one. It is
/// wiped when it is dropped.
#[derive(Debug)]
pub struct AnonymousClip {
    samples: Vec<i16>,
    rate: u32,
    input_rate: u32,
    kept: Vec<Span>,
    removed: Vec<Removal>,
    erased: Vec<Span>,
    selection: Selection,
    annotation: Annotation,
    anonymizer: Description,
}

impl AnonymousClip {
    /// Made of what has passed the gate, and of nothing else.
    pub(super) fn new(
        passed: Passed,
        clip: &RawClip,
        timeline: &Timeline,
        erased: &[Range<usize>],
        anonymizer: Description,
    ) -> Self {
        Self {
            samples: passed.into_samples(),
            rate: RATE,
            input_rate: clip.rate(),
            kept: timeline.kept_spans(),
            removed: timeline.removals(),
            erased: timeline.kept_within(erased),
            selection: clip.selection(),
            annotation: clip.annotation().clone(),
            anonymizer,
        }
    }

    /// Mono, 16 bit.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Samples a second of what the microphone delivered.
    pub fn input_rate(&self) -> u32 {
        self.input_rate
    }

    /// Which parts of the input stand in the output, in its order.
    pub fn kept(&self) -> &[Span] {
        &self.kept
    }

    /// Which parts of the input were taken out, and why.
    pub fn removed(&self) -> &[Removal] {
        &self.removed
    }

    /// Out of which parts of what was kept a voice was erased: the music there has lost something too.
    pub fn erased(&self) -> &[Span] {
        &self.erased
    }

    /// Why the moment was chosen.
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// What the app said of it; its times are the input's, before anything was taken out.
    pub fn annotation(&self) -> &Annotation {
        &self.annotation
    }

    /// What anonymised it, and how it was set.
    pub fn anonymizer(&self) -> &Description {
        &self.anonymizer
    }

    /// A clip of `samples` at 16 kHz, for tests of the stages after this one.
    #[cfg(test)]
    pub(crate) fn for_test(
        samples: Vec<i16>,
        selection: Selection,
        annotation: Annotation,
    ) -> Self {
        let seconds = samples.len() as f64 / 16_000.0;
        Self {
            samples,
            rate: 16_000,
            input_rate: 48_000,
            kept: vec![Span(1.75, 1.75 + seconds)],
            removed: vec![Removal {
                start_s: 0.0,
                end_s: 1.75,
                reason: RemovalReason::Voice,
            }],
            erased: vec![Span(2.0, 2.5)],
            selection,
            annotation,
            anonymizer: super::Settings::default().description(),
        }
    }
}

impl Drop for AnonymousClip {
    fn drop(&mut self) {
        self.samples.zeroize();
    }
}
