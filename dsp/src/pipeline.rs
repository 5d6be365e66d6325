//! The steps of the anonymizer in order; see the [crate's documentation](crate).

use std::{fmt, ops::Range};

use zeroize::Zeroizing;

use crate::{
    clock_jitter::ClockJitter,
    highpass::high_pass,
    postprocess::RenderedClip,
    random_trim::random_trim,
    rejection::{AnonymizeError, RejectedClip, RejectionReason},
    resample::Resampler,
    rng::{Seed, Step},
    sample_rate::{INPUT_RATES, SAMPLE_RATE},
    settings::Settings,
    spans::{Removal, Span},
    thresholds::Thresholds,
    timeline::Timeline,
    vad_gate::{VadGate, VerifiedClip},
    voice_removal::{Detection, VoiceRemover},
};

/// The minimum length of an input clip, in seconds.
const MIN_INPUT_S: f64 = 1.0;
/// The minimum length of what is kept, in samples: 0.8 s, the length that trimming leaves of the shortest input.
const MIN_KEPT_LENGTH: usize = SAMPLE_RATE as usize * 8 / 10;
/// The maximum number of times a clip is rendered and verified. A cut changes the detector's input around it; in most clips
/// a few passes converge.
const MAX_PASSES: usize = 8;

/// Removes voices, and other traces that identify a person or a device, from clips.
///
/// Create it once and use it for any number of clips, one at a time; it keeps no samples between clips.
///
/// ```
/// use sordino_dsp::{Pipeline, RejectionReason, Seed, Settings};
///
/// // An app takes the seed from the operating system.
/// let seed = Seed::from_source(|bytes| Ok::<_, ()>(bytes.fill(7))).unwrap();
/// let silence = [0.0; 96_000];
/// let rejected = Pipeline::new()?.process(&silence, 48_000, Settings::default(), &seed).unwrap_err();
/// assert_eq!(rejected.reason, RejectionReason::Silence);
/// # Ok::<(), sordino_dsp::AnonymizeError>(())
/// ```
pub struct Pipeline {
    resampler: Resampler,
    clock_jitter: ClockJitter,
    voice_remover: VoiceRemover,
    gate: VadGate,
    thresholds: Thresholds,
}

/// An anonymized clip. Only [`Pipeline::process`] makes one, from a clip that the gate has verified.
#[derive(Debug)]
#[non_exhaustive]
pub struct Anonymized {
    /// Mono, 16 bit, at [`SAMPLE_RATE`]; zeroed on drop.
    pub samples: Zeroizing<Vec<i16>>,
    /// The parts of the input that the output contains, in its order.
    pub kept: Vec<Span>,
    /// The parts of the input that were removed, and why.
    pub removed: Vec<Removal>,
    /// The kept parts from which a voice was erased.
    pub erased: Vec<Span>,
}

impl Anonymized {
    /// Takes a [`VerifiedClip`], so that no other samples can get here.
    fn new(verified: VerifiedClip, timeline: &Timeline, erased: &[Range<usize>]) -> Self {
        Self {
            samples: verified.into_samples(),
            kept: timeline.kept_spans(),
            removed: timeline.removals(),
            erased: timeline.kept_within(erased),
        }
    }
}

impl Pipeline {
    /// Loads the weights of both networks.
    ///
    /// # Errors
    /// The weights that the library embeds are corrupt.
    pub fn new() -> Result<Self, AnonymizeError> {
        Ok(Self {
            resampler: Resampler::default(),
            clock_jitter: ClockJitter::new(),
            voice_remover: VoiceRemover::new()?,
            gate: VadGate::new()?,
            thresholds: Thresholds::CALIBRATED,
        })
    }

    /// The same pipeline with other thresholds, for their calibration. It is not part of what apps use: they can make no
    /// threshold less strict.
    #[cfg(feature = "calibration")]
    pub fn with_thresholds(self, thresholds: Thresholds) -> Self {
        Self { thresholds, ..self }
    }

    /// Anonymizes `samples`: mono f32, full scale at ±1, at `rate` Hz within [`INPUT_RATES`]. All random numbers
    /// derive from `seed`. Every internal copy of the samples is zeroed; zeroing `samples` is the caller's task.
    ///
    /// # Errors
    /// The clip is rejected: too much voice, silence, too short, or a step failed.
    pub fn process(
        &mut self,
        samples: &[f32],
        rate: u32,
        settings: Settings,
        seed: &Seed,
    ) -> Result<Anonymized, RejectedClip> {
        if !INPUT_RATES.contains(&rate) {
            return Err(RejectionReason::Failed.into());
        }
        if samples.len() as f64 / f64::from(rate) < MIN_INPUT_S {
            return Err(RejectionReason::TooShort.into());
        }
        let samples = self.preprocess(samples, rate, seed)?;
        let detection = self
            .voice_remover
            .remove_voices(&samples, &mut self.gate, &self.thresholds)
            .map_err(|_| RejectionReason::Failed)?;
        let (verified, timeline) = self.refine(&detection, settings, seed)?;
        Ok(Anonymized::new(verified, &timeline, &detection.erased))
    }

    /// Step 1: high-pass, resampling, clock jitter and random trim.
    pub(crate) fn preprocess(
        &mut self,
        samples: &[f32],
        rate: u32,
        seed: &Seed,
    ) -> Result<Zeroizing<Vec<f32>>, RejectionReason> {
        let samples = self.resampler.resample(&high_pass(samples, rate), rate);
        let samples = samples.map_err(|_| RejectionReason::Failed)?;
        let samples = self
            .clock_jitter
            .apply(&samples, &mut seed.rng(Step::ClockJitter));
        Ok(random_trim(&samples, &mut seed.rng(Step::Trim)))
    }

    /// Steps 3 to 5: renders the clip, verifies it, and cuts what the gate finds, for up to [`MAX_PASSES`] passes.
    fn refine(
        &mut self,
        detection: &Detection,
        settings: Settings,
        seed: &Seed,
    ) -> Result<(VerifiedClip, Timeline), RejectedClip> {
        let mut timeline = Timeline::new(detection.samples.len(), detection.voices.clone());
        for pass in 0..MAX_PASSES {
            if timeline.kept_length() < MIN_KEPT_LENGTH {
                break;
            }
            let in_clip = |rendered: Range<usize>| {
                if settings.keep_time {
                    vec![rendered].into_iter()
                } else {
                    timeline.to_clip_ranges(&rendered).into_iter()
                }
            };
            let rendered = RenderedClip::new(&detection.samples, &timeline, settings, seed);
            let rendered = rendered.map_err(|reason| RejectedClip {
                reason,
                removed: timeline.removals(),
            })?;
            let thresholds = &self.thresholds;
            let threshold = |at: usize| {
                let is_suspect = in_clip(at..at + 1).any(|range| detection.is_suspect(range.start));
                thresholds.for_rendered(pass, is_suspect)
            };
            let voices = match self.gate.verify(rendered, threshold) {
                Ok(verified) => return Ok((verified, timeline)),
                Err(voices) => voices,
            };
            let expanded = voices.into_iter().flat_map(in_clip);
            let expanded = expanded
                .flat_map(|voice| detection.expand(&voice))
                .collect();
            timeline = timeline.with_removed(expanded);
        }
        Err(RejectedClip {
            reason: RejectionReason::Voice,
            removed: timeline.removals(),
        })
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pipeline")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_send() {
        fn assert_send<T: Send>() {}
        assert_send::<Pipeline>();
    }
}
