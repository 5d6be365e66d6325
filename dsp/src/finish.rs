//! From a cut to a finished clip. Every step sees kept samples alone, so that with the same cuts and
//! the same seed a kept part does not depend, to the bit, on what was said in a part that went.

use zeroize::Zeroizing;

use super::{
    RejectionReason, Settings,
    cut::{Kept, place},
    decoy::lay_decoy,
    dither::quantize,
    floor::remove_floor,
    hum::remove_hum,
    level::normalize,
    random::{Seed, Step},
    timeline::Timeline,
    veil::lay_veil,
};

/// A clip as it would be sent, which the gate has not heard yet.
pub(crate) struct Finished(Zeroizing<Vec<i16>>);

impl Finished {
    /// Cuts `sound` (16 kHz) as `timeline` says and cleans what is left.
    pub(crate) fn new(
        sound: &[f32],
        timeline: &Timeline,
        settings: Settings,
        seed: &Seed,
    ) -> Result<Self, RejectionReason> {
        let mut kept = Kept::new(sound, timeline);
        let hum = remove_hum(&mut kept.samples, &kept.parts);
        kept.fade();
        remove_floor(&mut kept.samples).map_err(|_| RejectionReason::Failed)?;
        lay_decoy(&mut kept.samples, &hum, &mut seed.draws(Step::Decoy))
            .map_err(|_| RejectionReason::Failed)?;
        normalize(&mut kept.samples, &mut seed.draws(Step::Level))
            .map_err(|_| RejectionReason::Silence)?;
        lay_veil(&mut kept.samples, &mut seed.draws(Step::Noise));

        let mut dither = seed.draws(Step::Dither);
        let joined = Zeroizing::new(quantize(&kept.samples, &mut dither));
        Ok(Self(if settings.keep_time {
            Zeroizing::new(place(&joined, &kept.parts, timeline.length()))
        } else {
            joined
        }))
    }

    /// What a player makes of it.
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

    /// `samples` in 16 bit, cleaned of nothing.
    #[cfg(test)]
    pub(crate) fn for_test(samples: &[f32]) -> Self {
        let mut dither = Seed::for_test(0).draws(Step::Dither);
        Self(Zeroizing::new(quantize(samples, &mut dither)))
    }
}
