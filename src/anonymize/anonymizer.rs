use sordino_dsp::{Pipeline, Seed};

use super::{AnonymizeError, AnonymousClip, RejectedClip, RejectionReason, Settings};
use crate::{
    rng::{self, RngError},
    sampler::RawClip,
};

/// Takes voices, and what else points to a person, out of clips. Made once and used for any number
/// of them, one at a time; it keeps nothing of a clip.
///
/// ```
/// use sordino::anonymize::{Anonymizer, Settings, RejectionReason};
/// use sordino::sampler::{Annotation, RawClip, Selection, Trigger};
///
/// let chosen = Selection { trigger: Trigger::Mark, probability: 1.0 };
/// let silence = RawClip::new(vec![0.0; 96_000], 48_000, chosen, Annotation::default())?;
/// let withheld = Anonymizer::new()?.anonymize(silence, Settings::default()).unwrap_err();
/// assert_eq!(withheld.reason, RejectionReason::Silence);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Anonymizer(Pipeline);

impl Anonymizer {
    /// Loads the voice detectors.
    ///
    /// # Errors
    /// The weights inside the library are damaged.
    pub fn new() -> Result<Self, AnonymizeError> {
        Pipeline::new().map(Self)
    }

    /// Uses `clip` up, which wipes it, and gives back what may leave the device.
    ///
    /// # Errors
    /// Nothing of it may: too much voice, silence, too short, or a step that failed.
    pub fn anonymize(
        &mut self,
        clip: RawClip,
        settings: Settings,
    ) -> Result<AnonymousClip, RejectedClip> {
        let seed = Seed::from_source(rng::fill);
        let seed = seed.map_err(|RngError| RejectionReason::Failed)?;
        let anonymized = self
            .0
            .process(clip.samples(), clip.rate(), settings, &seed)?;
        Ok(AnonymousClip::new(anonymized, &clip, settings))
    }
}
