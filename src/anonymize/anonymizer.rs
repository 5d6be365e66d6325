use sordino_dsp::{AnonymizeError, Pipeline, RejectedClip, RejectionReason, Seed, Settings};

use super::clip::AnonymousClip;
use crate::{
    rng::{self, RngError},
    sampler::RawClip,
};

/// Removes voices, and other traces that identify a person or a device, from clips.
///
/// Create it once and use it for any number of clips, one at a time; it keeps no samples between clips.
///
/// ```
/// use sordino::anonymize::{Anonymizer, Settings, RejectionReason};
/// use sordino::sampler::{Annotation, RawClip, Selection, Trigger};
///
/// let selection = Selection { trigger: Trigger::Mark, probability: 1.0 };
/// let silence = RawClip::new(vec![0.0; 96_000], 48_000, selection, Annotation::default())?;
/// let rejected = Anonymizer::new()?.anonymize(silence, Settings::default()).unwrap_err();
/// assert_eq!(rejected.reason, RejectionReason::Silence);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Anonymizer(Pipeline);

impl Anonymizer {
    /// Loads the weights of both networks.
    ///
    /// # Errors
    /// The weights that the library embeds are corrupt.
    pub fn new() -> Result<Self, AnonymizeError> {
        Pipeline::new().map(Self)
    }

    /// Anonymizes `clip`, which is consumed and zeroed.
    ///
    /// # Errors
    /// The clip is rejected: too much voice, silence, too short, or a step failed.
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
