//! Voice removal: detects voices in the whole clip, masks them where music remains, and cuts the rest.
//!
//! A frame is voiced if its probability reaches [`THRESHOLD`]; voiced frames are dilated by [`PADDING`]. `voice_net`'s
//! mask is applied to them. Where less than [`MIN_RESIDUAL`] of the power remains, the frames are cut. All other
//! samples stay the same, to the bit. Whether a voice was masked well enough is for the gate to decide, not for the
//! network that masked it.

use std::ops::Range;

use realfft::FftError;
use zeroize::Zeroizing;

use crate::{
    nn::WeightsError,
    sample_rate::SAMPLE_RATE,
    voice_net::{HOP, VoiceNet},
};

/// The probability from which on a frame is voiced. Chosen on validation data; see `models/voice/README.md`.
pub(crate) const THRESHOLD: f64 = 0.25;
/// The padding on either side of a voice, in samples: 10 frames, 0.16 s. Words start and end in sounds that no
/// detector takes for a voice.
pub(crate) const PADDING: usize = 10 * HOP;
/// The exponent of the mask: a band that is half voice is mostly removed.
const MASK_EXPONENT: f32 = 2.0;
/// The minimum share of the power that masking must keep within half a second. Below it the voice was louder than the
/// music or alone, and what remains is mostly the voice's residue.
const MIN_RESIDUAL: f32 = 0.1;
/// The additional part of a masked range that is removed on either side of a voice that the gate finds, in samples: 0.35 s.
const GATE_CONTEXT: usize = SAMPLE_RATE as usize * 35 / 100;

/// Detects and removes voices. Create it once and use it for any number of clips; it keeps no samples between clips.
pub(crate) struct VoiceRemover {
    net: VoiceNet,
}

/// The voices in a clip.
pub(crate) struct Detection {
    /// The samples, with the voices masked.
    pub(crate) samples: Zeroizing<Vec<f32>>,
    /// The ranges that must be cut, in samples; none starts beyond the end.
    pub(crate) voices: Vec<Range<usize>>,
    /// The ranges in which a voice was masked, whether they are cut or not.
    pub(crate) erased: Vec<Range<usize>>,
}

impl VoiceRemover {
    /// # Errors
    /// The embedded weights are corrupt.
    pub(crate) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            net: VoiceNet::new()?,
        })
    }

    /// Detects and masks the voices in `samples` (16 kHz).
    ///
    /// # Errors
    /// The FFT failed, which it does only for buffers of wrong lengths.
    pub(crate) fn remove_voices(&mut self, samples: &[f32]) -> Result<Detection, FftError> {
        let prediction = self.net.predict(samples);
        let voiced = dilate(&prediction.voice, THRESHOLD);
        let masked = self
            .net
            .mask(samples, &prediction, &voiced, MASK_EXPONENT)?;
        let cut: Vec<bool> = (0..voiced.len())
            .map(|frame| voiced[frame] && !has_residual(masked.residual_around(frame)))
            .collect();
        Ok(Detection {
            samples: masked.samples,
            voices: sample_ranges(&cut, samples.len()),
            erased: support(&voiced, samples.len()),
        })
    }
}

impl Detection {
    /// The ranges to remove where the gate finds a voice in `range`: more than that where a voice was masked.
    pub(crate) fn expand(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let wider = range.start.saturating_sub(GATE_CONTEXT)..range.end + GATE_CONTEXT;
        let overlapping = self
            .erased
            .iter()
            .filter(|erased| erased.start < range.end && range.start < erased.end);
        let more =
            overlapping.map(|erased| wider.start.max(erased.start)..wider.end.min(erased.end));
        std::iter::once(range.clone()).chain(more).collect()
    }
}

/// False for NaN, so that what cannot be judged is cut.
fn has_residual(residual: f32) -> bool {
    residual >= MIN_RESIDUAL
}

/// For each frame, whether one within [`PADDING`] of it reaches `threshold`; NaN does.
fn dilate(probabilities: &[f32], threshold: f64) -> Vec<bool> {
    let radius = PADDING / HOP;
    let mut out = vec![false; probabilities.len()];
    for (frame, &probability) in probabilities.iter().enumerate() {
        if probability.is_nan() || f64::from(probability) >= threshold {
            let end = (frame + radius + 1).min(out.len());
            out[frame.saturating_sub(radius)..end].fill(true);
        }
    }
    out
}

/// The samples under the windows of the frames that are true.
fn support(frames: &[bool], length: usize) -> Vec<Range<usize>> {
    /// Half a window of `voice_net`.
    const HALF_WINDOW: usize = 2 * HOP;
    let runs = sample_ranges(frames, length).into_iter();
    runs.map(|run| run.start.saturating_sub(HALF_WINDOW)..(run.end + HALF_WINDOW).min(length))
        .collect()
}

/// The samples of the frames that are true: a hop around the center of each.
fn sample_ranges(frames: &[bool], length: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut frame = 0;
    for run in frames.chunk_by(|one, next| one == next) {
        let start = (frame * HOP).saturating_sub(HOP / 2);
        frame += run.len();
        let end = (frame * HOP - HOP / 2).min(length);
        if run[0] && start < end {
            out.push(start..end);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{silero_vad::reference::Reference, testing::melody};

    #[test]
    fn music_is_unchanged_and_a_voice_is_cut() {
        let mut remover = VoiceRemover::new().expect("embedded weights");
        let music = melody(SAMPLE_RATE, 4.0);
        let detection = remover.remove_voices(&music).expect("an FFT");
        assert!(detection.voices.is_empty() && *detection.samples == music);
        let voice = Reference::read().signal();
        let detection = remover.remove_voices(&voice).expect("an FFT");
        let cut: usize = detection.voices.iter().map(Range::len).sum();
        assert!(cut > SAMPLE_RATE as usize * 2, "{:?}", detection.voices);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn only_voiced_frames_change_and_all_of_them_do(
            gain in 0.02f32..2.0, offset in 0usize..40_000,
        ) {
            let mut remover = VoiceRemover::new().expect("embedded weights");
            let mut samples = melody(SAMPLE_RATE, 6.0);
            for (at, sample) in samples[offset..].iter_mut().zip(Reference::read().signal()) {
                *at = (*at + gain * sample).clamp(-1.0, 1.0);
            }
            let probabilities = remover.net.predict(&samples).voice;
            let detection = remover.remove_voices(&samples).expect("an FFT");
            let within = |ranges: &[Range<usize>], frame: usize| {
                let at = (frame * HOP).min(samples.len() - 1);
                ranges.iter().any(|range| range.contains(&at))
            };
            for (frame, &probability) in probabilities.iter().enumerate() {
                if f64::from(probability) >= THRESHOLD {
                    prop_assert!(within(&detection.erased, frame), "frame {frame}");
                }
            }
            for cut in &detection.voices {
                prop_assert!(within(&detection.erased, cut.start / HOP + 1), "cut without a voice: {cut:?}");
            }
            for (at, (after, before)) in detection.samples.iter().zip(&samples).enumerate() {
                let is_erased = detection.erased.iter().any(|range| range.contains(&at));
                prop_assert!(is_erased || after.to_bits() == before.to_bits(), "sample {at}");
            }
        }
    }
}
