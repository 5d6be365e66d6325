//! Applies a mask to the spectrum of some frames, by overlap-add.

use std::ops::Range;

use realfft::FftError;
use zeroize::Zeroizing;

use super::{
    bands::Bands,
    config::{BANDS, HOP, WINDOW},
    stft::{Bins, Stft},
};

/// The frames on either side whose windows overlap that of a masked frame.
const OVERLAP: usize = WINDOW / HOP;
/// The frames on either side over which the residual is averaged: half a second in all.
const RESIDUAL_CONTEXT: usize = 15;
/// The minimum sum of squared windows by which a sample is divided; below it, at both ends of a clip, the sample is
/// silent.
const MIN_WEIGHT: f32 = 1e-6;

/// Samples whose voices were masked.
pub(crate) struct Masked {
    pub(crate) samples: Zeroizing<Vec<f32>>,
    /// The power of each masked frame before and after; 0 for the others.
    powers: Vec<[f32; 2]>,
}

impl Masked {
    /// The share of the power that the masked frames within a quarter of a second of `frame` kept. 1 if they had none;
    /// NaN if a power is not finite.
    pub(crate) fn residual_around(&self, frame: usize) -> f32 {
        let around = frame.saturating_sub(RESIDUAL_CONTEXT)
            ..(frame + RESIDUAL_CONTEXT + 1).min(self.powers.len());
        let sum = |part: usize| {
            self.powers[around.clone()]
                .iter()
                .map(|power| power[part])
                .sum::<f32>()
        };
        if sum(0) == 0.0 { 1.0 } else { sum(1) / sum(0) }
    }
}

/// Applies `mask` to the frames of `samples` that are `voiced`; see [`super::VoiceNet::mask`].
pub(super) fn mask_frames(
    stft: &mut Stft,
    bands: &Bands,
    samples: &[f32],
    mask: &[[u16; BANDS]],
    voiced: &[bool],
    exponent: f32,
) -> Result<Masked, FftError> {
    let mut masker = Masker {
        stft,
        bands,
        samples,
        mask,
        exponent,
        out: Masked {
            samples: Zeroizing::new(samples.to_vec()),
            powers: vec![[0.0; 2]; mask.len()],
        },
    };
    let mut frame = 0;
    for run in voiced.chunk_by(|one, next| one == next) {
        if run[0] {
            masker.mask_run(frame..frame + run.len())?;
        }
        frame += run.len();
    }
    masker.stft.wipe();
    Ok(masker.out)
}

struct Masker<'a> {
    stft: &'a mut Stft,
    bands: &'a Bands,
    samples: &'a [f32],
    mask: &'a [[u16; BANDS]],
    exponent: f32,
    out: Masked,
}

impl Masker<'_> {
    /// Masks the frames of `run`. The other frames whose windows overlap theirs are added unchanged.
    fn mask_run(&mut self, run: Range<usize>) -> Result<(), FftError> {
        let samples = self.samples;
        let range = (run.start * HOP).saturating_sub(WINDOW / 2)
            ..((run.end - 1) * HOP + WINDOW / 2).min(samples.len());
        let frames =
            run.start.saturating_sub(OVERLAP)..(run.end + OVERLAP).min(samples.len() / HOP + 1);
        let mut sums = Zeroizing::new(vec![0.0; range.len()]);
        let mut weights = vec![0.0; range.len()];
        for frame in frames {
            let bins = self.stft.forward(samples, frame)?;
            if run.contains(&frame) {
                let power = |bins: &Bins| -> f32 {
                    bins.iter()
                        .map(|bin| bin.re * bin.re + bin.im * bin.im)
                        .sum()
                };
                let before = power(bins);
                let gains = band_gains(&self.mask[frame], self.exponent);
                bins.iter_mut()
                    .zip(self.bands.bin_gains(&gains))
                    .for_each(|(bin, gain)| *bin *= gain);
                self.out.powers[frame] = [before, power(bins)];
            }
            let first = (frame * HOP) as isize - (WINDOW / 2) as isize - range.start as isize;
            let windowed = *self.stft.inverse()?;
            for (offset, sample) in windowed.iter().enumerate() {
                let at = first + offset as isize;
                if let Ok(at) = usize::try_from(at)
                    && at < sums.len()
                {
                    sums[at] += sample;
                    weights[at] += self.stft.squared_window(offset);
                }
            }
        }
        for (at, (sum, weight)) in range.zip(sums.iter().zip(&weights)) {
            self.out.samples[at] = if *weight > MIN_WEIGHT {
                sum / weight
            } else {
                0.0
            };
        }
        Ok(())
    }
}

fn band_gains(mask: &[u16; BANDS], exponent: f32) -> [f32; BANDS] {
    mask.map(|share| (f32::from(share) / f32::from(u16::MAX)).powf(exponent))
}
