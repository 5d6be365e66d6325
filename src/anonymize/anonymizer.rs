use std::fmt;

use zeroize::Zeroizing;

use super::{
    AnonymizeError, AnonymousClip, Withheld, WithheldReason,
    detector::RATE,
    ends::trimmed,
    find::{Finder, Found},
    finish::Finished,
    gate::{Gate, Passed},
    random::{Seed, Step},
    resample::Resampler,
    stretch::Stretcher,
    timeline::Timeline,
};
use crate::{entropy::Unavailable, sampler::RawClip};

/// The least that a clip must last to be of use: 1 s.
const SHORTEST_S: f64 = 1.0;
/// The least that must be kept of one: 0.8 s, which is what trimming leaves of the shortest.
const LEAST: usize = RATE as usize * 8 / 10;
/// How often a finished clip is heard at most: once, and once more each time that something was cut
/// out of it. A cut changes what the detector hears around it, and a few of them settle that.
const HEARINGS: usize = 8;

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
    resampler: Resampler,
    stretcher: Stretcher,
    finder: Finder,
    gate: Gate,
}

impl Anonymizer {
    /// Loads the voice detectors.
    ///
    /// # Errors
    /// The weights inside the library are damaged.
    pub fn new() -> Result<Self, AnonymizeError> {
        Ok(Self {
            resampler: Resampler::default(),
            stretcher: Stretcher::new(),
            finder: Finder::new()?,
            gate: Gate::new()?,
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
        let seed = Seed::from_system().map_err(|Unavailable| WithheldReason::Failed)?;
        self.anonymize_with(&clip, settings, &seed)
    }

    /// The same, with every draw hanging on `seed`.
    pub(super) fn anonymize_with(
        &mut self,
        clip: &RawClip,
        settings: Settings,
        seed: &Seed,
    ) -> Result<AnonymousClip, Withheld> {
        if clip.seconds() < SHORTEST_S {
            return Err(WithheldReason::TooShort.into());
        }
        let sound = self.brought_in(clip, seed)?;
        let found = self
            .finder
            .find(&sound)
            .map_err(|_| WithheldReason::Failed)?;
        let (passed, timeline) = self.let_out(&found, settings, seed)?;
        Ok(AnonymousClip::new(
            passed,
            clip,
            &timeline,
            &found.erased,
            settings.description(),
        ))
    }

    /// At 16 kHz, with a clock and a length of its own.
    pub(super) fn brought_in(
        &mut self,
        clip: &RawClip,
        seed: &Seed,
    ) -> Result<Zeroizing<Vec<f32>>, WithheldReason> {
        let sound = self.resampler.resample(clip);
        let sound = sound.map_err(|_| WithheldReason::Failed)?;
        let sound = self.stretcher.stretch(&sound, &mut seed.draws(Step::Clock));
        Ok(trimmed(&sound, &mut seed.draws(Step::Ends)))
    }

    /// Cuts and cleans, and cuts more as long as the gate finds something, but not for ever.
    fn let_out(
        &mut self,
        found: &Found,
        settings: Settings,
        seed: &Seed,
    ) -> Result<(Passed, Timeline), Withheld> {
        let mut timeline = Timeline::new(found.sound.len(), found.voices.clone());
        for _ in 0..HEARINGS {
            if timeline.kept_length() < LEAST {
                break;
            }
            let finished = Finished::new(&found.sound, &timeline, settings, seed);
            let finished = finished.map_err(|reason| Withheld {
                reason,
                removed: timeline.removals(),
            })?;
            let voices = match self.gate.hear(finished) {
                Ok(passed) => return Ok((passed, timeline)),
                Err(voices) => voices,
            };
            let voices: Vec<_> = if settings.keep_time {
                voices
            } else {
                let in_clip = |voice| timeline.in_clip(voice);
                voices.iter().flat_map(in_clip).collect()
            };
            let doubted = voices.iter().flat_map(|voice| found.doubted(voice));
            timeline = timeline.without(doubted.collect());
        }
        Err(Withheld {
            reason: WithheldReason::Voice,
            removed: timeline.removals(),
        })
    }
}

impl fmt::Debug for Anonymizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Anonymizer")
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
