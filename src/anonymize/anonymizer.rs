use std::{fmt, mem, ops::Range};

use zeroize::Zeroizing;

use super::{
    AnonymizeError, AnonymousClip, Withheld, WithheldReason,
    cut::cut,
    detector::{Detector, RATE},
    dither::quantise,
    highpass::high_pass,
    hum::remove_hum,
    level::normalise,
    raise::raised,
    resample::Resampler,
    timeline::Timeline,
    voice::{self, FINAL_THRESHOLD, THRESHOLD},
};
use crate::sampler::RawClip;

/// The least that a clip must keep to be of use: 1 s.
const LEAST: usize = RATE as usize;
/// How often a finished clip is heard at most: once, and once more each time that something was cut
/// out of it. A cut changes what the detector hears around it, and a few of them settle that.
const HEARINGS: usize = 5;

/// How a clip is anonymised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Leave silence where something was taken out, so that times stay those of the input.
    pub keep_time: bool,
}

/// Takes voices, and what else points to a person, out of clips. Made once and used for any number
/// of them, one at a time; it keeps nothing of a clip.
///
/// ```
/// use sordino::anonymize::{Anonymizer, Settings, WithheldReason};
/// use sordino::sampler::{Annotation, RawClip, Selection, Trigger};
///
/// let chosen = Selection { trigger: Trigger::Mark, probability: 1.0 };
/// let silence = RawClip::new(vec![0.0; 96_000], 48_000, chosen, Annotation::default())?;
/// let withheld = Anonymizer::new()?.anonymize(silence, Settings::default()).unwrap_err();
/// assert_eq!(withheld.reason, WithheldReason::Silence);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Anonymizer {
    detector: Detector,
    resampler: Resampler,
}

impl Anonymizer {
    /// Loads the voice detector.
    ///
    /// # Errors
    /// The weights inside the library are damaged.
    pub fn new() -> Result<Self, AnonymizeError> {
        Ok(Self {
            detector: Detector::new()?,
            resampler: Resampler::default(),
        })
    }

    /// Uses `clip` up, which wipes it, and gives back what may leave the device.
    ///
    /// # Errors
    /// Nothing of it may: too much voice, silence, too short, or a step that failed.
    pub fn anonymize(
        &mut self,
        clip: RawClip,
        settings: Settings,
    ) -> Result<AnonymousClip, Withheld> {
        let nothing_yet = |reason| Withheld {
            reason,
            removed: Vec::new(),
        };
        let failed = || nothing_yet(WithheldReason::Failed);

        let sound = self.resampler.resample(&clip).map_err(|_| failed())?;
        if sound.len() < LEAST {
            return Err(nothing_yet(WithheldReason::TooShort));
        }
        let mut cleaned = sound.clone();
        high_pass(&mut cleaned);
        remove_hum(&mut cleaned).map_err(|_| failed())?;

        let heard = self.hear(&sound, &cleaned);
        let voices = voice::stretches(&heard, THRESHOLD);
        let mut timeline = Timeline::new(sound.len(), voices);
        for _ in 0..HEARINGS {
            let mut finished =
                Finished::new(&cleaned, &timeline, settings).map_err(|reason| Withheld {
                    reason,
                    removed: timeline.removals(),
                })?;
            let voices = self.voices_in(&finished, &timeline, settings);
            if voices.is_empty() {
                return Ok(AnonymousClip {
                    samples: mem::take(&mut *finished.0),
                    rate: RATE,
                    input_rate: clip.rate(),
                    kept: timeline.kept_spans(),
                    removed: timeline.removals(),
                    selection: clip.selection(),
                    annotation: clip.annotation().clone(),
                    anonymizer: settings.description(),
                });
            }
            timeline = timeline.without(voices);
        }
        Err(Withheld {
            reason: WithheldReason::Voice,
            removed: timeline.removals(),
        })
    }

    /// For each frame the worse answer to `sound` as it is and to `cleaned` with its quiet parts
    /// raised. Hum and DC would hide how quiet a part is.
    fn hear(&mut self, sound: &[f32], cleaned: &[f32]) -> Vec<f32> {
        let plain = self.detector.hear(sound);
        let raised = self.detector.hear(&raised(cleaned));
        voice::worse(&plain, &raised)
    }

    /// Where the clip still holds a voice, in the time of the input.
    fn voices_in(
        &mut self,
        finished: &Finished,
        timeline: &Timeline,
        settings: Settings,
    ) -> Vec<Range<usize>> {
        let samples = finished.as_float();
        let heard = self.hear(&samples, &samples);
        let voices = voice::stretches(&heard, FINAL_THRESHOLD);
        if settings.keep_time {
            return voices;
        }
        voices
            .iter()
            .flat_map(|voice| timeline.in_clip(voice))
            .collect()
    }
}

impl fmt::Debug for Anonymizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Anonymizer")
    }
}

/// A clip as it would be sent, not yet heard once more.
struct Finished(Zeroizing<Vec<i16>>);

impl Finished {
    fn new(
        cleaned: &[f32],
        timeline: &Timeline,
        settings: Settings,
    ) -> Result<Self, WithheldReason> {
        if timeline.kept_length() < LEAST {
            return Err(WithheldReason::Voice);
        }
        let mut left = cut(cleaned, timeline, settings.keep_time);
        normalise(&mut left.samples, &left.sounding).map_err(|_| WithheldReason::Silence)?;
        let samples =
            quantise(&left.samples, &left.sounding).map_err(|_| WithheldReason::Failed)?;
        Ok(Self(Zeroizing::new(samples)))
    }

    /// What a player makes of it.
    fn as_float(&self) -> Zeroizing<Vec<f32>> {
        let full_scale = -f32::from(i16::MIN);
        Zeroizing::new(
            self.0
                .iter()
                .map(|&sample| f32::from(sample) / full_scale)
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anonymizer_can_move_to_another_thread() {
        fn sent<T: Send>() {}
        sent::<Anonymizer>();
    }
}
