//! The steps in their order.

use std::{
    fmt,
    ops::{Range, RangeInclusive},
};

use zeroize::Zeroizing;

use super::{
    detector::RATE,
    ends::trimmed,
    find::{Finder, Found},
    finish::Finished,
    gate::{Gate, Passed},
    highpass::high_passed,
    random::{Seed, Step},
    rejection::{AnonymizeError, RejectedClip, RejectionReason},
    resample::Resampler,
    spans::{Removal, Span},
    stretch::Stretcher,
    timeline::Timeline,
};

/// The sample rates of sound that is taken, in Hz: from telephony to the fastest converters on sale.
pub const RATES: RangeInclusive<u32> = 8_000..=384_000;

/// The least that a clip must last to be of use: 1 s.
const SHORTEST_S: f64 = 1.0;
/// The least that must be kept of one: 0.8 s, which is what trimming leaves of the shortest.
const LEAST: usize = RATE as usize * 8 / 10;
/// How often a finished clip is heard at most: once, and once more each time that something was cut
/// out of it. A cut changes what the detector hears around it, and a few of them settle that.
const HEARINGS: usize = 8;

/// How a clip is anonymized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Leave silence where something was taken out, so that times stay those of the input.
    pub keep_time: bool,
}

/// Takes voices, and what else points to a person, out of clips. Made once and used for any number
/// of them, one at a time; it keeps nothing of a clip.
///
/// ```
/// use sordino_dsp::{Pipeline, Seed, Settings, RejectionReason};
///
/// // An app takes the seed from the system.
/// let seed = Seed::from_source(|bytes| Ok::<_, ()>(bytes.fill(7))).unwrap();
/// let silence = [0.0; 96_000];
/// let withheld = Pipeline::new()?.process(&silence, 48_000, Settings::default(), &seed).unwrap_err();
/// assert_eq!(withheld.reason, RejectionReason::Silence);
/// # Ok::<(), sordino_dsp::AnonymizeError>(())
/// ```
pub struct Pipeline {
    resampler: Resampler,
    stretcher: Stretcher,
    finder: Finder,
    gate: Gate,
}

/// What is left of a clip. Only [`Pipeline::process`] makes one, of what the gate let pass.
#[derive(Debug)]
#[non_exhaustive]
pub struct Anonymized {
    /// Mono, 16 bit, at [`RATE`]; wiped on drop.
    pub samples: Zeroizing<Vec<i16>>,
    /// Which parts of the input are in the output, in its order.
    pub kept: Vec<Span>,
    /// Which parts of the input were removed, and why.
    pub removed: Vec<Removal>,
    /// The parts of what was kept out of which a voice was erased.
    pub erased: Vec<Span>,
}

impl Anonymized {
    /// Made of what has passed the gate, and of nothing else.
    fn new(passed: Passed, timeline: &Timeline, erased: &[Range<usize>]) -> Self {
        Self {
            samples: passed.into_samples(),
            kept: timeline.kept_spans(),
            removed: timeline.removals(),
            erased: timeline.kept_within(erased),
        }
    }
}

impl Pipeline {
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

    /// What may leave the device of `sound`: mono f32 at `rate` Hz, 8 to 384 kHz, full scale at ±1. Every draw
    /// hangs on `seed`. `sound` is the caller's to wipe; every copy made of it here is wiped.
    ///
    /// # Errors
    /// Nothing of it may: too much voice, silence, too short, or a step that failed.
    pub fn process(
        &mut self,
        sound: &[f32],
        rate: u32,
        settings: Settings,
        seed: &Seed,
    ) -> Result<Anonymized, RejectedClip> {
        if !RATES.contains(&rate) {
            return Err(RejectionReason::Failed.into());
        }
        if sound.len() as f64 / f64::from(rate) < SHORTEST_S {
            return Err(RejectionReason::TooShort.into());
        }
        let sound = self.brought_in(sound, rate, seed)?;
        let found = self
            .finder
            .find(&sound)
            .map_err(|_| RejectionReason::Failed)?;
        let (passed, timeline) = self.let_out(&found, settings, seed)?;
        Ok(Anonymized::new(passed, &timeline, &found.erased))
    }

    /// Without DC and infrasound, at 16 kHz, with a clock and a length of its own.
    pub(crate) fn brought_in(
        &mut self,
        sound: &[f32],
        rate: u32,
        seed: &Seed,
    ) -> Result<Zeroizing<Vec<f32>>, RejectionReason> {
        let sound = self.resampler.resample(&high_passed(sound, rate), rate);
        let sound = sound.map_err(|_| RejectionReason::Failed)?;
        let sound = self.stretcher.stretch(&sound, &mut seed.draws(Step::Clock));
        Ok(trimmed(&sound, &mut seed.draws(Step::Ends)))
    }

    /// Cuts and cleans, and cuts more as long as the gate finds something, but not for ever.
    fn let_out(
        &mut self,
        found: &Found,
        settings: Settings,
        seed: &Seed,
    ) -> Result<(Passed, Timeline), RejectedClip> {
        let mut timeline = Timeline::new(found.sound.len(), found.voices.clone());
        for _ in 0..HEARINGS {
            if timeline.kept_length() < LEAST {
                break;
            }
            let finished = Finished::new(&found.sound, &timeline, settings, seed);
            let finished = finished.map_err(|reason| RejectedClip {
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
    fn a_pipeline_can_move_to_another_thread() {
        fn sent<T: Send>() {}
        sent::<Pipeline>();
    }
}
