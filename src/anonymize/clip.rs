use sordino_dsp::{Anonymized, AnonymizerInfo, Removal, SAMPLE_RATE, Settings, Span};
use zeroize::Zeroizing;

use crate::sampler::{Annotation, RawClip, Selection};

/// An anonymized clip. Only [`crate::anonymize`] makes one. It is zeroed on drop.
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
    /// Takes an [`Anonymized`] clip, so that no other samples can get here.
    pub(super) fn new(anonymized: Anonymized, clip: &RawClip, settings: Settings) -> Self {
        Self {
            samples: anonymized.samples,
            input_rate: clip.rate(),
            kept: anonymized.kept,
            removed: anonymized.removed,
            erased: anonymized.erased,
            selection: clip.selection(),
            annotation: clip.annotation().clone(),
            anonymizer: settings.info(),
        }
    }

    /// Mono, 16 bit, at [`Self::rate`].
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Sample rate, in Hz.
    pub fn rate(&self) -> u32 {
        SAMPLE_RATE
    }

    /// The sample rate of the microphone, in Hz.
    pub fn input_rate(&self) -> u32 {
        self.input_rate
    }

    /// The parts of the input that the output contains, in its order.
    pub fn kept(&self) -> &[Span] {
        &self.kept
    }

    /// The parts of the input that were removed, and why.
    pub fn removed(&self) -> &[Removal] {
        &self.removed
    }

    /// The kept parts from which a voice was erased; the music in them has lost some of its sound too.
    pub fn erased(&self) -> &[Span] {
        &self.erased
    }

    /// Why the moment was sampled.
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// The annotation by the app; its times are those of the input.
    pub fn annotation(&self) -> &Annotation {
        &self.annotation
    }

    /// The anonymizer and its parameters.
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
                reason: sordino_dsp::RemovalReason::Voice,
            }],
            erased: vec![Span(2.0, 2.5)],
            selection,
            annotation,
            anonymizer: Settings::default().info(),
        }
    }
}
