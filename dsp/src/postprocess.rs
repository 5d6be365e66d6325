//! Postprocessing: from the kept regions of a clip to 16-bit samples.
//!
//! Every step works on kept samples only. With the same cuts and the same seed, the output therefore does not depend,
//! to the bit, on what was said in a removed region. That is why hum is removed here: it is tracked over seconds, so that
//! samples cleaned before the cuts are known would depend on what is cut.

use zeroize::Zeroizing;

use crate::{
    decoy_hum::add_decoy_hum,
    dither::quantize,
    hum::remove_hum,
    level::normalize,
    masking_noise::add_masking_noise,
    noise_suppression::suppress_noise,
    rejection::RejectionReason,
    rng::{Seed, Step},
    settings::Settings,
    splice::{KeptAudio, restore_timing},
    timeline::Timeline,
};

/// A clip as it would be sent, which the gate has not verified yet.
pub(crate) struct RenderedClip(Zeroizing<Vec<i16>>);

impl RenderedClip {
    /// Cuts `samples` (16 kHz) as `timeline` says and postprocesses the rest.
    ///
    /// # Errors
    /// The rest is too quiet, or an FFT failed.
    pub(crate) fn new(
        samples: &[f32],
        timeline: &Timeline,
        settings: Settings,
        seed: &Seed,
    ) -> Result<Self, RejectionReason> {
        let mut kept = KeptAudio::new(samples, timeline);
        let hum = remove_hum(&mut kept.samples, &kept.segments);
        kept.fade();
        suppress_noise(&mut kept.samples).map_err(|_| RejectionReason::Failed)?;
        add_decoy_hum(&mut kept.samples, &hum, &mut seed.rng(Step::DecoyHum))
            .map_err(|_| RejectionReason::Failed)?;
        normalize(&mut kept.samples, &mut seed.rng(Step::Level))
            .map_err(|_| RejectionReason::Silence)?;
        add_masking_noise(&mut kept.samples, &mut seed.rng(Step::MaskingNoise));

        let mut dither = seed.rng(Step::Dither);
        let joined = Zeroizing::new(quantize(&kept.samples, &mut dither));
        Ok(Self(if settings.keep_time {
            Zeroizing::new(restore_timing(&joined, &kept.segments, timeline.length()))
        } else {
            joined
        }))
    }

    /// The samples as f32, as a player converts them.
    pub(crate) fn as_float(&self) -> Zeroizing<Vec<f32>> {
        let full_scale = -f32::from(i16::MIN);
        Zeroizing::new(
            self.0
                .iter()
                .map(|&sample| f32::from(sample) / full_scale)
                .collect(),
        )
    }

    pub(crate) fn into_samples(self) -> Zeroizing<Vec<i16>> {
        self.0
    }

    /// `samples` quantized and otherwise unchanged.
    #[cfg(test)]
    pub(crate) fn for_test(samples: &[f32]) -> Self {
        let mut dither = Seed::for_test(0).rng(Step::Dither);
        Self(Zeroizing::new(quantize(samples, &mut dither)))
    }
}
