//! Erasing: the mask in force where a voice is, all else left as it is, to the bit.

use std::ops::Range;

use realfft::FftError;
use zeroize::Zeroizing;

use super::{BANDS, HOP, Heard, VoiceNet, WINDOW, spectrum::Bins};

/// Frames whose windows reach into one of which something is erased.
const OVERLAP: usize = WINDOW / HOP;

/// Sound out of whose spectrum the voice was taken.
pub(crate) struct Erased {
    pub(crate) samples: Zeroizing<Vec<f32>>,
    /// Each frame's power before and after.
    powers: Vec<[f32; 2]>,
}

/// Frames on either side over which one asks how much was left: half a second in all.
const AROUND: usize = 15;

impl Erased {
    /// What share of its power the half second around `frame` kept, of what lies within erased frames; NaN
    /// where there is no number to say it with.
    pub(crate) fn left_around(&self, frame: usize) -> f32 {
        let near = frame.saturating_sub(AROUND)..(frame + AROUND + 1).min(self.powers.len());
        let sum = |part: usize| {
            self.powers[near.clone()]
                .iter()
                .map(|power| power[part])
                .sum::<f32>()
        };
        if sum(0) == 0.0 { 1.0 } else { sum(1) / sum(0) }
    }
}

impl VoiceNet {
    /// `samples`, of which this net heard `heard`, with the voice erased from the frames for which
    /// `voiced` holds. The mask acts to the power of `exaggerate`, 1 or more.
    ///
    /// # Errors
    /// The FFT failed, which it does not.
    pub(crate) fn erase(
        &mut self,
        samples: &[f32],
        heard: &Heard,
        voiced: &[bool],
        exaggerate: f32,
    ) -> Result<Erased, FftError> {
        let mut erased = Erased {
            samples: Zeroizing::new(samples.to_vec()),
            powers: vec![[0.0; 2]; heard.mask.len()],
        };
        let mut frame = 0;
        for run in voiced.chunk_by(|one, next| one == next) {
            if run[0] {
                self.erase_run(
                    samples,
                    heard,
                    frame..frame + run.len(),
                    exaggerate,
                    &mut erased,
                )?;
            }
            frame += run.len();
        }
        self.spectrum.wipe();
        Ok(erased)
    }

    /// The frames of `run` alone. What windows of other frames give to the samples in its reach is
    /// added as it is.
    fn erase_run(
        &mut self,
        samples: &[f32],
        heard: &Heard,
        run: Range<usize>,
        exaggerate: f32,
        erased: &mut Erased,
    ) -> Result<(), FftError> {
        let range = (run.start * HOP).saturating_sub(WINDOW / 2)
            ..((run.end - 1) * HOP + WINDOW / 2).min(samples.len());
        let frames =
            run.start.saturating_sub(OVERLAP)..(run.end + OVERLAP).min(samples.len() / HOP + 1);
        let mut sums = Zeroizing::new(vec![0.0; range.len()]);
        let mut weights = vec![0.0; range.len()];
        for frame in frames {
            let bins = self.spectrum.of(samples, frame)?;
            if run.contains(&frame) {
                let power = |bins: &Bins| -> f32 {
                    bins.iter()
                        .map(|bin| bin.re * bin.re + bin.im * bin.im)
                        .sum()
                };
                let before = power(bins);
                let gains = gains(&heard.mask[frame], exaggerate);
                bins.iter_mut()
                    .zip(self.bands.gains(&gains))
                    .for_each(|(bin, gain)| *bin *= gain);
                erased.powers[frame] = [before, power(bins)];
            }
            let first = (frame * HOP) as isize - (WINDOW / 2) as isize - range.start as isize;
            let sound = *self.spectrum.sound()?;
            for (offset, sample) in sound.iter().enumerate() {
                let at = first + offset as isize;
                if let Ok(at) = usize::try_from(at)
                    && at < sums.len()
                {
                    sums[at] += sample;
                    weights[at] += self.spectrum.weight(offset);
                }
            }
        }
        for (at, (sum, weight)) in range.zip(sums.iter().zip(&weights)) {
            erased.samples[at] = if *weight > 1e-6 { sum / weight } else { 0.0 };
        }
        Ok(())
    }
}

fn gains(mask: &[u16; BANDS], exaggerate: f32) -> [f32; BANDS] {
    mask.map(|share| (f32::from(share) / f32::from(u16::MAX)).powf(exaggerate))
}
