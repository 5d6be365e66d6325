//! Noise suppression: removes the noise floor of microphone, converter and room.
//!
//! The spectrum of the floor is characteristic of a device and the same in all its clips, so that two clips of one
//! device could be linked by what they contain between the notes.
//!
//! The floor is the part of the signal that never stops. Its power in each bin of a short-time Fourier transform is
//! estimated from the quietest tenth of all frames, a simple form of minimum statistics (R. Martin, "Noise power
//! spectral density estimation based on optimal smoothing and minimum statistics", IEEE Trans. Speech Audio Process.
//! 9(5), 2001). Each bin is attenuated by a Wiener filter with 3 dB of oversubtraction, by 40 dB at most: 2 dB of loss
//! for a partial 10 dB above the floor, and next to none for louder ones. A gate that opens within a few decibels costs
//! notes instead: partials and reverberation that fade through it start and stop, and a transcriber finds notes that
//! were not played. The power is smoothed over three frames by three bins, so that noise alone rarely passes.
//! `masking_noise` then adds the same noise to every clip, which hides the attenuated bins.
//!
//! Music that never stops would count as a floor too. Two limits keep it:
//!
//! * A floor varies little from one bin to the next, and the partials of a note are narrow. So the estimate of a bin is
//!   a low quantile of the estimates around it.
//! * The estimate is at most 46 dB below the level of the clip; a held note is far above that.

use std::{f64::consts::PI, sync::Arc};

use realfft::{ComplexToReal, FftError, RealFftPlanner, RealToComplex, num_complex::Complex};
use zeroize::{Zeroize as _, Zeroizing};

/// The length of the window, in samples: 32 ms.
const WINDOW: usize = 512;
/// The hop between two windows, in samples.
const HOP: usize = WINDOW / 2;
/// The bins of the spectrum of one window.
const BINS: usize = WINDOW / 2 + 1;
/// The quantile of a bin's power over all frames from which the floor is estimated.
const QUANTILE: f64 = 0.1;
/// The same quantile of an exponential distribution of mean 1, the distribution of the power of noise: -ln 0.9. The
/// estimate is divided by it.
const EXPONENTIAL_QUANTILE: f32 = 0.105_36;
/// The bins on either side of a bin over which the estimate is smoothed: 375 Hz.
const NEIGHBORS: usize = 12;
/// The quantile of the estimates in that range that counts as the floor. A higher one counts the partials of low notes;
/// a lower one underestimates a floor whose spectrum is not flat, and leaves enough of it to link two clips.
const NEIGHBORS_QUANTILE: f64 = 0.4;
/// The maximum number of frames in the estimate; in a longer clip they are spread evenly.
const MAX_FRAMES: usize = 2_000;
/// The maximum floor of a bin, relative to the total power of a mean frame: -46 dB.
const MAX_FLOOR: f32 = 2.5e-5;
/// The factor by which the floor is overestimated, so that its fluctuation is attenuated too: 3 dB.
const OVERSUBTRACTION: f32 = 2.0;
/// The gain of a fully attenuated bin: -40 dB.
const MIN_GAIN: f32 = 0.01;

/// Suppresses the noise floor of `samples` (16 kHz), in place.
///
/// # Errors
/// The FFT failed, which it does not.
pub(crate) fn suppress_noise(samples: &mut [f32]) -> Result<(), FftError> {
    let mut stft = Stft::new();
    let floor = stft.estimate_floor(samples)?;
    let frames = samples.len().div_ceil(HOP) + 1;
    let mut out = Zeroizing::new(vec![0.0; samples.len()]);
    // The frame that is changed, and those before and after it.
    let mut frames_around: [Frame; 3] = std::array::from_fn(|_| Frame::zeros());
    stft.analyze(samples, 0, &mut frames_around[2])?;
    for frame in 0..frames {
        frames_around.rotate_left(1);
        stft.analyze(samples, frame + 1, &mut frames_around[2])?;
        let [before, now, after] = &mut frames_around;
        let mut sum = Zeroizing::new([0.0; BINS]);
        for (bin, sum) in sum.iter_mut().enumerate() {
            *sum = before.power[bin] + now.power[bin] + after.power[bin];
        }
        for (bin, value) in now.bins.iter_mut().enumerate() {
            let smoothed = sum[bin.saturating_sub(1)] + sum[bin] + sum[(bin + 1).min(BINS - 1)];
            *value *= gain(smoothed / 9.0, floor[bin]);
        }
        stft.overlap_add(&mut now.bins, frame, &mut out)?;
    }
    samples.copy_from_slice(&out);
    Ok(())
}

/// The gain of a bin with `power` over its `floor`.
fn gain(power: f32, floor: f32) -> f32 {
    (1.0 - OVERSUBTRACTION * floor / (power + f32::MIN_POSITIVE)).clamp(MIN_GAIN, 1.0)
}

/// For each bin, a quantile of the powers in the [`NEIGHBORS`] around it.
fn smooth_floor(powers: &[f32]) -> Vec<f32> {
    let smoothed = |bin: usize| {
        let range = bin.saturating_sub(NEIGHBORS)..(bin + NEIGHBORS + 1).min(powers.len());
        let mut around = powers[range].to_vec();
        let rank = ((around.len() - 1) as f64 * NEIGHBORS_QUANTILE) as usize;
        *around.select_nth_unstable_by(rank, f32::total_cmp).1
    };
    (0..powers.len()).map(smoothed).collect()
}

/// The spectrum of one frame, and its power.
struct Frame {
    bins: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Frame {
    fn zeros() -> Self {
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

/// A short-time Fourier transform under a sine window, whose overlap-add after a second such window reconstructs the
/// signal (Princen-Bradley condition). Frame `n` is centered on sample `n * HOP`.
struct Stft {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
    frame: Zeroizing<Vec<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Stft {
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
            frame: Zeroizing::new(vec![0.0; WINDOW]),
            scratch: vec![Complex::default(); scratch],
        }
    }

    /// The spectrum of frame `index`, with silence beyond both ends of `samples`.
    fn analyze(
        &mut self,
        samples: &[f32],
        index: usize,
        frame: &mut Frame,
    ) -> Result<(), FftError> {
        self.frame.fill(0.0);
        let missing = HOP.saturating_sub(index * HOP);
        let inside = samples.get((index * HOP).saturating_sub(HOP)..);
        let windowed = self.frame[missing..]
            .iter_mut()
            .zip(&self.window[missing..]);
        for ((to, window), sample) in windowed.zip(inside.unwrap_or_default()) {
            *to = sample * window;
        }
        self.forward
            .process_with_scratch(&mut self.frame, &mut frame.bins, &mut self.scratch)?;
        for (power, bin) in frame.power.iter_mut().zip(&frame.bins) {
            *power = bin.norm_sqr();
        }
        Ok(())
    }

    /// Adds the inverse transform of `bins` to `out`.
    fn overlap_add(
        &mut self,
        bins: &mut [Complex<f32>],
        index: usize,
        out: &mut [f32],
    ) -> Result<(), FftError> {
        (bins[0].im, bins[BINS - 1].im) = (0.0, 0.0);
        self.inverse
            .process_with_scratch(bins, &mut self.frame, &mut self.scratch)?;
        let missing = HOP.saturating_sub(index * HOP);
        let inside = out.get_mut((index * HOP).saturating_sub(HOP)..);
        let windowed = self.frame[missing..].iter().zip(&self.window[missing..]);
        for ((from, window), sample) in windowed.zip(inside.unwrap_or_default()) {
            *sample += from * window / WINDOW as f32;
        }
        Ok(())
    }

    /// Estimates the power of the floor in each bin.
    fn estimate_floor(&mut self, samples: &[f32]) -> Result<Vec<f32>, FftError> {
        // Whole windows only: one that extends beyond the samples is quieter than the floor.
        let last = (samples.len() / HOP).saturating_sub(1);
        let step = last.div_ceil(MAX_FRAMES).max(1);
        let indices: Vec<usize> = (1..=last).step_by(step).collect();
        let mut powers = Zeroizing::new(vec![0.0; BINS * indices.len()]);
        let mut frame = Frame::zeros();
        let mut total = 0.0;
        for (column, index) in indices.iter().enumerate() {
            self.analyze(samples, *index, &mut frame)?;
            total += frame.power.iter().sum::<f32>();
            for (bin, power) in frame.power.iter().enumerate() {
                powers[bin * indices.len() + column] = *power;
            }
        }
        let count = indices.len();
        let max_floor = MAX_FLOOR * total / count.max(1) as f32;
        let rank = (count as f64 * QUANTILE) as usize;
        let quantiles: Vec<f32> = (0..BINS)
            .map(|bin| match &mut powers[bin * count..][..count] {
                [] => 0.0,
                powers => {
                    let (_, quantile, _) = powers.select_nth_unstable_by(rank, f32::total_cmp);
                    (*quantile / EXPONENTIAL_QUANTILE).min(max_floor)
                }
            })
            .collect();
        Ok(smooth_floor(&quantiles))
    }
}

impl Drop for Stft {
    fn drop(&mut self) {
        wipe(&mut self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{level, melody, noise, sine, sum};

    fn suppressed(samples: &[f32]) -> Vec<f32> {
        let mut samples = samples.to_vec();
        suppress_noise(&mut samples).expect("an FFT");
        samples
    }

    #[test]
    fn a_floor_alone_is_attenuated_by_22_db() {
        // The floor is limited relative to the level of the clip; a loud start sets that.
        let mut samples = noise(1, 1e-3, 160_000);
        samples[..3_200].copy_from_slice(&sine(440.0, 0.9, 16_000, 0.2));
        let after = suppressed(&samples);
        let gain = level(&after[8_000..]) - level(&samples[8_000..]);
        assert!(gain < -22.0, "{gain} dB");
    }

    #[test]
    fn music_is_kept_and_the_floor_between_notes_is_not() {
        let music = melody(16_000, 10.0);
        let floor = noise(2, 3e-4, 160_000);
        let after = suppressed(&sum(&[music.clone(), floor.clone()]));
        let error: Vec<f32> = after.iter().zip(&music).map(|(x, y)| x - y).collect();
        assert!(
            level(&error) < level(&music) - 35.0,
            "{}",
            level(&error) - level(&music)
        );
        assert!(
            level(&error) < level(&floor) + 6.0,
            "{}",
            level(&error) - level(&floor)
        );
    }

    #[test]
    fn a_held_chord_is_kept() {
        let chord = sum(&[220.0, 277.2, 329.6].map(|hz| sine(hz, 0.1, 16_000, 5.0)));
        let after = suppressed(&chord);
        let error: Vec<f32> = after.iter().zip(&chord).map(|(x, y)| x - y).collect();
        assert!(
            level(&error[512..79_000]) < level(&chord) - 30.0,
            "{}",
            level(&error)
        );
    }

    /// Partials that never stop, each 50 dB below the notes that are played over them for a while: strings that resonate,
    /// or a drone. Their own quietest tenth would be their floor.
    #[test]
    fn quiet_partials_that_never_stop_are_kept() {
        let partials: Vec<f64> = (1..=8).map(|k| 233.1 * f64::from(k)).collect();
        let quiet = sum(&partials
            .iter()
            .map(|hz| sine(*hz, 1e-3, 16_000, 10.0))
            .collect::<Vec<_>>());
        let floor = noise(3, 1e-4, 160_000);
        let mixed = sum(&[quiet, melody(16_000, 4.0), floor]);
        let (before, after) = (
            power_at(&mixed, &partials),
            power_at(&suppressed(&mixed), &partials),
        );
        for ((before, after), hz) in before.iter().zip(after).zip(&partials) {
            let gain = 10.0 * (after / before).log10();
            assert!(gain > -1.0, "{hz} Hz: {gain} dB");
        }
    }

    /// The power of a sine at each frequency.
    fn power_at(samples: &[f32], frequencies: &[f64]) -> Vec<f64> {
        let power = |hz: &f64| {
            let turn = 2.0 * PI * hz / 16_000.0;
            let part = |wave: fn(f64) -> f64| -> f64 {
                let products = samples.iter().enumerate();
                products
                    .map(|(n, &x)| f64::from(x) * wave(turn * n as f64))
                    .sum()
            };
            part(f64::cos).powi(2) + part(f64::sin).powi(2)
        };
        frequencies.iter().map(power).collect()
    }

    /// A fade must not become a stop: a transcriber would find the next rise of the level to be a note.
    #[test]
    fn a_decaying_note_fades_smoothly_into_the_floor() {
        let floor = noise(4, 1e-3, 160_000);
        let note: Vec<f32> = sine(440.0, 0.5, 16_000, 10.0)
            .iter()
            .enumerate()
            .map(|(n, x)| x * (-(n as f32) / 16_000.0).exp())
            .collect();
        let after = suppressed(&sum(&[note.clone(), floor]));
        // The note falls by 8.7 dB per second, so that it is 20 dB above the floor of its bin and the bins around it
        // after about 6 s.
        for tenth in 1..60 {
            let range = tenth * 1_600..(tenth + 1) * 1_600;
            let gain = level(&after[range.clone()]) - level(&note[range]);
            assert!(gain.abs() < 1.0, "{tenth}: {gain} dB");
        }
    }

    #[test]
    fn the_gain_rises_gradually() {
        // From full attenuation to none, without a step.
        let gains: Vec<f32> = (0..=400)
            .map(|step| gain(10f32.powf(step as f32 / 100.0), 1.0))
            .collect();
        assert_eq!(gains[0], MIN_GAIN);
        assert!(gains[400] > 0.999);
        assert!(gains[60] >= 0.45, "6 dB above the floor: {}", gains[60]);
        assert!(gains[100] >= 0.8, "10 dB above the floor: {}", gains[100]);
        assert!(gains.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn the_floor_of_a_bin_is_that_of_its_neighbors() {
        // A partial in every eighth bin does not count, a slope of 3 dB per kilohertz does.
        let slope: Vec<f32> = (0..BINS)
            .map(|bin| 10f32.powf(-0.3 * bin as f32 / 32.0))
            .collect();
        let mut powers = slope.clone();
        powers.iter_mut().step_by(8).for_each(|power| *power *= 1e4);
        for (bin, (smoothed, slope)) in smooth_floor(&powers).iter().zip(&slope).enumerate() {
            let ratio = 10.0 * (smoothed / slope).log10();
            assert!(ratio.abs() < 1.5, "bin {bin}: {ratio} dB");
        }
    }

    #[test]
    fn any_length_is_finite_and_silence_stays_silent() {
        for length in [0, 1, 255, 256, 257, 513, 1_000] {
            assert!(suppressed(&vec![0.0; length]).iter().all(|&x| x == 0.0));
            assert!(suppressed(&vec![0.1; length]).iter().all(|x| x.is_finite()));
        }
    }
}
