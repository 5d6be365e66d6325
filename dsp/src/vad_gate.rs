//! The gate: verifies a rendered clip in the form in which it is sent.
//!
//! Silero VAD runs on the clip twice: as it is, and with its quiet parts amplified. The higher probability of each
//! frame counts. `voice_removal` uses the same probabilities of the input. The threshold is stricter where a detector
//! suspected a voice in the input and where one was masked, since the residue of a voice may be left there; elsewhere
//! what the VAD finds only after rendering is mostly music.
//! A clip that passes becomes a [`VerifiedClip`], which nothing else makes.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::{
    agc::apply_agc, nn::WeightsError, postprocess::RenderedClip, segments, silero_vad::SileroVad,
};

/// Verifies rendered clips. Create it once and use it for any number of clips; it keeps no samples between clips.
pub(crate) struct VadGate {
    vad: SileroVad,
}

/// Samples (16 kHz, 16 bit) in which the gate found no voice.
pub(crate) struct VerifiedClip(Zeroizing<Vec<i16>>);

impl VadGate {
    pub(crate) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            vad: SileroVad::new()?,
        })
    }

    /// The probability of a voice in each frame of `samples` (16 kHz): the higher one of the samples as they are and
    /// with their quiet parts amplified.
    pub(crate) fn probabilities(&mut self, samples: &[f32]) -> Vec<f32> {
        let plain = self.vad.predict(samples);
        segments::max(&plain, &self.vad.predict(&apply_agc(samples)))
    }

    /// Returns the clip if it contains no voice, or else the ranges in samples that may contain one. `threshold` gets
    /// the first sample of a frame. The ranges may overlap and extend beyond the clip's end.
    pub(crate) fn verify(
        &mut self,
        clip: RenderedClip,
        threshold: impl Fn(usize) -> f64,
    ) -> Result<VerifiedClip, Vec<Range<usize>>> {
        let probabilities = self.probabilities(&clip.as_float());
        let voices = segments::voiced_segments(&probabilities, threshold);
        if voices.is_empty() {
            Ok(VerifiedClip(clip.into_samples()))
        } else {
            Err(voices)
        }
    }
}

impl VerifiedClip {
    pub(crate) fn into_samples(self) -> Zeroizing<Vec<i16>> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample_rate::SAMPLE_RATE, silero_vad::reference::Reference, testing::melody};

    #[test]
    fn music_passes_the_gate_and_a_voice_does_not() {
        let mut gate = VadGate::new().expect("embedded weights");
        let music = melody(SAMPLE_RATE, 4.0);
        assert!(
            gate.verify(RenderedClip::for_test(&music), |_| 0.45)
                .is_ok()
        );
        let voice = Reference::read().signal();
        for gain in [1.0, 0.01] {
            let quieter: Vec<f32> = voice.iter().map(|sample| sample * gain).collect();
            let voices = gate
                .verify(RenderedClip::for_test(&quieter), |_| 0.45)
                .err();
            assert!(voices.is_some_and(|voices| !voices.is_empty()), "{gain}");
        }
    }
}
