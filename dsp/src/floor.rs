//! The noise floor of microphone, converter and room: its spectrum is a device's own and the same in
//! every clip, so that two clips of one device could be told by what stands between the notes.
//!
//! A floor never stops. In each band of a short-time spectrum the tenth part of the moments that is the
//! quietest tells how high it stands (a simple kind of R. Martin, "Noise power spectral density
//! estimation based on optimal smoothing and minimum statistics", IEEE Trans. Speech Audio Process. 9(5),
//! 2001). Where no more than that sounds, the band is closed by 40 dB; from 10 dB above the floor on it
//! is left as it is. What opens and closes is the smoothed spectrum, three moments by three bands, so
//! that noise alone opens next to nothing. `veil` then lays the same noise over every clip, under which
//! the closed bands vanish.
//!
//! Music that never stops would be a floor too. So no floor is taken for higher than 46 dB below the
//! clip's level in a band; a held note is far above.

use std::{f64::consts::PI, sync::Arc};

use realfft::{ComplexToReal, FftError, RealFftPlanner, RealToComplex, num_complex::Complex};
use zeroize::{Zeroize as _, Zeroizing};

/// Samples under a window: 32 ms.
const WINDOW: usize = 512;
/// Samples between two windows.
const HOP: usize = WINDOW / 2;
const BINS: usize = WINDOW / 2 + 1;
/// The share of moments that tells the floor.
const QUIET: f64 = 0.1;
/// What a tenth of an exponential distribution lies below, in means: the floor's power is its
/// quietest tenth's bound over this.
const TENTH: f32 = 0.105_36;
/// The most moments that are asked; of a longer clip, evenly spread ones.
const MOST_ASKED: usize = 2_000;
/// The highest floor that a band may have, against the power of the whole clip: -46 dB.
const HIGHEST: f32 = 2.5e-5;
/// Over the floor's power: up to here a band is closed, from there on open (6 and 10 dB).
const CLOSED: f32 = 4.0;
const OPEN: f32 = 10.0;
/// What a closed band still lets through: -40 dB.
const LEAST: f32 = 0.01;

/// Takes the floor out of `samples` (16 kHz), in place.
///
/// # Errors
/// The FFT failed, which it does not.
pub(crate) fn remove_floor(samples: &mut [f32]) -> Result<(), FftError> {
    let mut spectra = Spectra::new();
    let floor = spectra.floor(samples)?;
    let frames = samples.len().div_ceil(HOP) + 1;
    let mut out = Zeroizing::new(vec![0.0; samples.len()]);
    // The frame that is changed, and those before and after it.
    let mut around: [Frame; 3] = std::array::from_fn(|_| Frame::silent());
    spectra.hear(samples, 0, &mut around[2])?;
    for frame in 0..frames {
        around.rotate_left(1);
        spectra.hear(samples, frame + 1, &mut around[2])?;
        let [before, now, after] = &mut around;
        let mut sum = Zeroizing::new([0.0; BINS]);
        for (bin, sum) in sum.iter_mut().enumerate() {
            *sum = before.power[bin] + now.power[bin] + after.power[bin];
        }
        for (bin, value) in now.bins.iter_mut().enumerate() {
            let smooth = sum[bin.saturating_sub(1)] + sum[bin] + sum[(bin + 1).min(BINS - 1)];
            *value *= gain(smooth / 9.0, floor[bin]);
        }
        spectra.lay(&mut now.bins, frame, &mut out)?;
    }
    samples.copy_from_slice(&out);
    Ok(())
}

/// How far a band is open in which `power` sounds over `floor`.
fn gain(power: f32, floor: f32) -> f32 {
    let over = power / (floor + f32::MIN_POSITIVE);
    ((over - CLOSED) / (OPEN - CLOSED)).clamp(LEAST, 1.0)
}

/// A moment's spectrum.
struct Frame {
    bins: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Frame {
    fn silent() -> Self {
        Self {
            bins: vec![Complex::default(); BINS],
            power: vec![0.0; BINS],
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.power.zeroize();
        wipe(&mut self.bins);
    }
}

fn wipe(bins: &mut [Complex<f32>]) {
    for bin in bins {
        bin.re.zeroize();
        bin.im.zeroize();
    }
}

/// Short-time spectra under a sine window, which laid over one another after a second such window give
/// the sound back. Frame `n` is centered on sample `n * HOP`.
struct Spectra {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
    heard: Zeroizing<Vec<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Spectra {
    fn new() -> Self {
        let mut planner = RealFftPlanner::<f32>::new();
        let (forward, inverse) = (
            planner.plan_fft_forward(WINDOW),
            planner.plan_fft_inverse(WINDOW),
        );
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Self {
            forward,
            inverse,
            window: (0..WINDOW)
                .map(|n| (PI * (n as f64 + 0.5) / WINDOW as f64).sin() as f32)
                .collect(),
            heard: Zeroizing::new(vec![0.0; WINDOW]),
            scratch: vec![Complex::default(); scratch],
        }
    }

    fn hear(&mut self, samples: &[f32], index: usize, frame: &mut Frame) -> Result<(), FftError> {
        self.heard.fill(0.0);
        let missing = HOP.saturating_sub(index * HOP);
        let inside = samples.get((index * HOP).saturating_sub(HOP)..);
        let heard = self.heard[missing..]
            .iter_mut()
            .zip(&self.window[missing..]);
        for ((to, window), sample) in heard.zip(inside.unwrap_or_default()) {
            *to = sample * window;
        }
        self.forward
            .process_with_scratch(&mut self.heard, &mut frame.bins, &mut self.scratch)?;
        for (power, bin) in frame.power.iter_mut().zip(&frame.bins) {
            *power = bin.norm_sqr();
        }
        Ok(())
    }

    /// Adds what `bins` sound like to `out`.
    fn lay(
        &mut self,
        bins: &mut [Complex<f32>],
        index: usize,
        out: &mut [f32],
    ) -> Result<(), FftError> {
        (bins[0].im, bins[BINS - 1].im) = (0.0, 0.0);
        self.inverse
            .process_with_scratch(bins, &mut self.heard, &mut self.scratch)?;
        let missing = HOP.saturating_sub(index * HOP);
        let inside = out.get_mut((index * HOP).saturating_sub(HOP)..);
        let heard = self.heard[missing..].iter().zip(&self.window[missing..]);
        for ((from, window), sample) in heard.zip(inside.unwrap_or_default()) {
            *sample += from * window / WINDOW as f32;
        }
        Ok(())
    }

    /// The power of the floor in each band.
    fn floor(&mut self, samples: &[f32]) -> Result<Vec<f32>, FftError> {
        // Whole windows only: one that reaches beyond the sound is quiet for no reason of the floor's.
        let last = (samples.len() / HOP).saturating_sub(1);
        let step = last.div_ceil(MOST_ASKED).max(1);
        let asked: Vec<usize> = (1..=last).step_by(step).collect();
        let mut powers = Zeroizing::new(vec![0.0; BINS * asked.len()]);
        let mut frame = Frame::silent();
        let mut all = 0.0;
        for (moment, index) in asked.iter().enumerate() {
            self.hear(samples, *index, &mut frame)?;
            all += frame.power.iter().sum::<f32>();
            for (bin, power) in frame.power.iter().enumerate() {
                powers[bin * asked.len() + moment] = *power;
            }
        }
        let count = asked.len();
        let most = HIGHEST * all / count.max(1) as f32;
        let quietest = (count as f64 * QUIET) as usize;
        Ok((0..BINS)
            .map(|bin| match &mut powers[bin * count..][..count] {
                [] => 0.0,
                powers => {
                    let (_, bound, _) = powers.select_nth_unstable_by(quietest, f32::total_cmp);
                    (*bound / TENTH).min(most)
                }
            })
            .collect())
    }
}

impl Drop for Spectra {
    fn drop(&mut self) {
        wipe(&mut self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{level, melody, noise, sine, sum};

    fn cleaned(samples: &[f32]) -> Vec<f32> {
        let mut samples = samples.to_vec();
        remove_floor(&mut samples).expect("removed");
        samples
    }

    #[test]
    fn a_floor_alone_goes_by_25_db_and_more() {
        // Without music there is nothing to measure its level against; a bang gives it one.
        let mut samples = noise(1, 1e-3, 160_000);
        samples[..3_200].copy_from_slice(&sine(440.0, 0.9, 16_000, 0.2));
        let after = cleaned(&samples);
        let down = level(&after[8_000..]) - level(&samples[8_000..]);
        assert!(down < -25.0, "{down} dB");
    }

    #[test]
    fn music_stays_and_the_floor_between_its_notes_goes() {
        let music = melody(16_000, 10.0);
        let floor = noise(2, 3e-4, 160_000);
        let after = cleaned(&sum(&[music.clone(), floor.clone()]));
        let off: Vec<f32> = after.iter().zip(&music).map(|(x, y)| x - y).collect();
        assert!(
            level(&off) < level(&music) - 35.0,
            "{}",
            level(&off) - level(&music)
        );
        assert!(
            level(&off) < level(&floor) + 6.0,
            "{}",
            level(&off) - level(&floor)
        );
    }

    #[test]
    fn a_held_chord_stays() {
        let chord = sum(&[220.0, 277.2, 329.6].map(|hz| sine(hz, 0.1, 16_000, 5.0)));
        let after = cleaned(&chord);
        let off: Vec<f32> = after.iter().zip(&chord).map(|(x, y)| x - y).collect();
        assert!(
            level(&off[512..79_000]) < level(&chord) - 30.0,
            "{}",
            level(&off)
        );
    }

    #[test]
    fn no_length_is_too_short_and_silence_stays() {
        for length in [0, 1, 255, 256, 257, 513, 1_000] {
            assert!(cleaned(&vec![0.0; length]).iter().all(|&x| x == 0.0));
            assert!(cleaned(&vec![0.1; length]).iter().all(|x| x.is_finite()));
        }
    }
}
