use sordino_dsp::{Anonymized, SAMPLE_RATE};
use zeroize::Zeroizing;

use super::{AnonymizerInfo, Removal, Settings, Span};
use crate::sampler::{Annotation, RawClip, Selection};

/// Sound without voices and without what points to a person. Only [`crate::anonymize`] makes one. It is
/// wiped when it is dropped.
#[derive(Debug)]
pub struct AnonymousClip {
    samples: Zeroizing<Vec<i16>>,
    input_rate: u32,
    kept: Vec<Span>,
    removed: Vec<Removal>,
    erased: Vec<Span>,
    selection: Selection,
    annotation: Annotation,
    anonymizer: AnonymizerInfo,
}

impl AnonymousClip {
    /// Made of what has passed the gate, and of nothing else.
    pub(super) fn new(sound: Anonymized, clip: &RawClip, settings: Settings) -> Self {
        Self {
            samples: sound.samples,
            input_rate: clip.rate(),
            kept: sound.kept,
            removed: sound.removed,
            erased: sound.erased,
            selection: clip.selection(),
            annotation: clip.annotation().clone(),
            anonymizer: settings.info(),
        }
    }

    /// Mono, 16 bit.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        SAMPLE_RATE
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

    /// What anonymized it, and how it was set.
    pub fn anonymizer(&self) -> &AnonymizerInfo {
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
            samples: Zeroizing::new(samples),
            input_rate: 48_000,
            kept: vec![Span(1.75, 1.75 + seconds)],
            removed: vec![Removal {
                start_s: 0.0,
                end_s: 1.75,
                reason: super::RemovalReason::Voice,
            }],
            erased: vec![Span(2.0, 2.5)],
            selection,
            annotation,
            anonymizer: super::Settings::default().info(),
        }
    }
}
