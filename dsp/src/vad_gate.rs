//! The gate: verifies a rendered clip in the form in which it is sent.
//!
//! Silero VAD runs on the clip twice: as it is, and with its quiet parts amplified. The higher probability of each
//! frame counts, against a threshold stricter than the usual 0.5. A clip that passes becomes a [`VerifiedClip`],
//! which nothing else makes.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::{
    agc::apply_agc, nn::WeightsError, postprocess::RenderedClip, segments, silero_vad::SileroVad,
};

/// The probability from which on a frame of a rendered clip counts as a voice.
pub(crate) const THRESHOLD: f64 = 0.45;

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

    /// Returns the clip if it contains no voice, or else the ranges in samples that may contain one. The ranges may
    /// overlap and extend beyond the clip's end.
    pub(crate) fn verify(&mut self, clip: RenderedClip) -> Result<VerifiedClip, Vec<Range<usize>>> {
        let samples = clip.as_float();
        let plain = self.vad.predict(&samples);
        let amplified = self.vad.predict(&apply_agc(&samples));
        let voices = segments::voiced_segments(&segments::max(&plain, &amplified), THRESHOLD);
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
        assert!(gate.verify(RenderedClip::for_test(&music)).is_ok());
        let voice = Reference::read().signal();
        for gain in [1.0, 0.01] {
            let quieter: Vec<f32> = voice.iter().map(|sample| sample * gain).collect();
            let voices = gate.verify(RenderedClip::for_test(&quieter)).err();
            assert!(voices.is_some_and(|voices| !voices.is_empty()), "{gain}");
        }
    }
}
