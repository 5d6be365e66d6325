//! Voice removal: detects voices in the whole clip, masks them where music remains, and cuts the rest.
//!
//! `voice_net` and the VAD, the latter also with quiet parts amplified, analyze the clip. A frame is voiced if one of them
//! reaches its threshold, or both reach a lower one ([`Thresholds`]). Voiced frames are dilated by [`PADDING`], and
//! `voice_net`'s mask is applied to them. Where too little of the power remains, the frames are cut. All other samples stay
//! the same, to the bit.
//!
//! Both run on a copy without mains hum, and what remains is measured on that copy: hum may neither hide a voice nor pass
//! for music. Only the copy can be cleaned here. Hum is tracked over seconds, so that samples cleaned as a whole would
//! depend on what is spoken in the parts that are cut; `postprocess` removes the hum from the kept parts instead.
//!
//! Whether a voice was masked well enough is for the gate to decide, not for the network that masked it.

use std::ops::Range;

use realfft::FftError;
use zeroize::Zeroizing;

use crate::{
    hum::remove_hum,
    nn::WeightsError,
    sample_rate::SAMPLE_RATE,
    silero_vad::FRAME,
    splice::Segment,
    thresholds::Thresholds,
    vad_gate::VadGate,
    voice_net::{HOP, VoiceNet},
};

/// The padding on either side of a voice, in samples: 10 frames, 0.16 s. Words start and end in sounds that no
/// detector takes for a voice.
pub(crate) const PADDING: usize = 10 * HOP;
/// The exponent of the mask: a band that is half voice is mostly removed.
const MASK_EXPONENT: f32 = 2.0;
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
    /// These, and the ranges in which a detector suspects a voice.
    suspect: Vec<Range<usize>>,
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
    pub(crate) fn remove_voices(
        &mut self,
        samples: &[f32],
        gate: &mut VadGate,
        thresholds: &Thresholds,
    ) -> Result<Detection, FftError> {
        let without_hum = without_hum(samples);
        let prediction = self.net.predict(&without_hum);
        let vad = gate.probabilities(&without_hum);
        let probabilities = prediction
            .voice
            .iter()
            .enumerate()
            .map(|(frame, &network)| {
                // The last frame is centered on the end of the clip.
                let vad = vad.get(frame * HOP / FRAME).or(vad.last());
                (network, vad.copied().unwrap_or(1.0))
            });
        let (voiced, suspect): (Vec<bool>, Vec<bool>) = probabilities
            .map(|(network, vad)| {
                (
                    thresholds.is_voiced(network, vad),
                    thresholds.is_suspect(network, vad),
                )
            })
            .unzip();
        let voiced = dilate(&voiced);
        let mut mask =
            |samples: &[f32]| self.net.mask(samples, &prediction, &voiced, MASK_EXPONENT);
        let masked_copy = mask(&without_hum)?;
        let has_residual = |frame| {
            // False for NaN, so that what cannot be judged is cut.
            f64::from(masked_copy.residual_around(frame)) >= thresholds.min_residual
        };
        let cut: Vec<bool> = (0..voiced.len())
            .map(|frame| voiced[frame] && !has_residual(frame))
            .collect();
        let masked = mask(samples)?;
        Ok(Detection {
            samples: masked.samples,
            voices: sample_ranges(&cut, samples.len()),
            erased: support(&voiced, samples.len()),
            suspect: support(&dilate(&suspect), samples.len()),
        })
    }
}

impl Detection {
    /// Whether a detector suspects a voice within [`PADDING`] of the sample `at`.
    pub(crate) fn is_suspect(&self, at: usize) -> bool {
        self.suspect.iter().any(|range| range.contains(&at))
    }

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

/// A copy of a whole clip without mains hum.
fn without_hum(samples: &[f32]) -> Zeroizing<Vec<f32>> {
    let mut copy = Zeroizing::new(samples.to_vec());
    remove_hum(&mut copy, &[Segment::whole(samples.len())]);
    copy
}

/// For each frame, whether one within [`PADDING`] of it is voiced.
fn dilate(voiced: &[bool]) -> Vec<bool> {
    let radius = PADDING / HOP;
    let mut out = vec![false; voiced.len()];
    for frame in (0..voiced.len()).filter(|&frame| voiced[frame]) {
        let end = (frame + radius + 1).min(out.len());
        out[frame.saturating_sub(radius)..end].fill(true);
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
    use crate::{
        silero_vad::reference::Reference,
        testing::{melody, sine, sum},
    };

    fn remove_voices(samples: &[f32]) -> Detection {
        let mut remover = VoiceRemover::new().expect("embedded weights");
        let mut gate = VadGate::new().expect("embedded weights");
        remover
            .remove_voices(samples, &mut gate, &Thresholds::CALIBRATED)
            .expect("an FFT")
    }

    fn length(ranges: &[Range<usize>]) -> usize {
        ranges.iter().map(Range::len).sum()
    }

    #[test]
    fn music_is_unchanged_and_a_voice_is_cut() {
        let music = melody(SAMPLE_RATE, 4.0);
        let detection = remove_voices(&music);
        assert!(detection.voices.is_empty() && *detection.samples == music);
        let detection = remove_voices(&Reference::read().signal());
        assert!(
            length(&detection.voices) > SAMPLE_RATE as usize * 2,
            "{:?}",
            detection.voices
        );
    }

    #[test]
    fn hum_neither_hides_a_voice_nor_passes_for_music() {
        let voice: Vec<f32> = Reference::read().signal().iter().map(|x| x * 0.1).collect();
        let seconds = voice.len() as f64 / f64::from(SAMPLE_RATE);
        let hum = sum(&[100.0, 200.0, 300.0].map(|hz| sine(hz, 0.03, SAMPLE_RATE, seconds)));
        let clean = remove_voices(&voice);
        let with_hum = remove_voices(&sum(&[voice, hum]));
        for (with_hum, clean) in [
            (&with_hum.erased, &clean.erased),
            (&with_hum.voices, &clean.voices),
        ] {
            let (with_hum, clean) = (length(with_hum), length(clean));
            assert!(with_hum * 10 >= clean * 9, "{with_hum} of {clean}");
        }
    }

    #[test]
    fn either_detector_or_both_together_decide() {
        let thresholds = Thresholds {
            network: 0.4,
            vad: 0.6,
            both: 0.2,
            ..Thresholds::CALIBRATED
        };
        for (network, vad, voiced) in [
            (0.39, 0.19, false),
            (0.4, 0.0, true),
            (0.19, 0.59, false),
            (0.0, 0.6, true),
            (0.2, 0.2, true),
            (f32::NAN, 0.0, true),
            (0.0, f32::NAN, true),
        ] {
            assert_eq!(
                thresholds.is_voiced(network, vad),
                voiced,
                "{network} and {vad}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn only_voiced_frames_change_and_all_of_them_do(
            gain in 0.02f32..2.0, offset in 0usize..40_000,
        ) {
            let mut samples = melody(SAMPLE_RATE, 6.0);
            for (at, sample) in samples[offset..].iter_mut().zip(Reference::read().signal()) {
                *at = (*at + gain * sample).clamp(-1.0, 1.0);
            }
            let mut net = VoiceNet::new().expect("embedded weights");
            let probabilities = net.predict(&without_hum(&samples)).voice;
            let detection = remove_voices(&samples);
            let within = |ranges: &[Range<usize>], frame: usize| {
                let at = (frame * HOP).min(samples.len() - 1);
                ranges.iter().any(|range| range.contains(&at))
            };
            for (frame, &probability) in probabilities.iter().enumerate() {
                if f64::from(probability) >= Thresholds::CALIBRATED.network {
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
