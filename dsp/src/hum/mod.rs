//! Mains hum removal: subtracts 50 or 60 Hz and its harmonics.
//!
//! The electric network frequency (ENF) reveals on which grid a recording was made and, by its fluctuation, even when
//! (C. Grigoras, "Digital audio recording analysis: the electric network frequency criterion", Int. J. Speech Lang. Law
//! 12(1), 2005). A notch filter that is narrow enough for music rings for long and does nothing at the start of a
//! clip. So the hum is tracked, measured and subtracted:
//!
//! 1. The mains frequency fluctuates by some hundredths of a hertz, all harmonics together. The mean offset is
//!    estimated from the phase advance of the lowest four harmonics, then the fluctuation from that of all.
//! 2. At the tracked frequency, the amplitude and phase of each harmonic are measured under a Hann window of two
//!    seconds, which resolves 98 Hz from 100 Hz.
//! 3. Hum is continuous. So the subtracted amplitude is limited to slightly more than that of a quiet moment, and a note
//!    at the frequency of a harmonic is kept.
//!
//! Only the given segments are measured, each at its time in the clip, so that the phases continue across a cut: for the
//! output the kept ones, for the detection of voices all of the clip.

use std::f64::consts::TAU;

use zeroize::Zeroizing;

use self::{
    decimator::{BLOCK, DECIMATED_RATE, Decimator},
    phasors::{MAX_HARMONICS, PhasorBanks, Phasors},
};
use crate::splice::Segment;

mod decimator;
mod phasors;

/// The nominal mains frequencies, in Hz.
pub(crate) const MAINS_HZ: [f64; 2] = [50.0, 60.0];
/// The maximum frequency of a harmonic, in Hz; higher ones are weaker than the noise of a microphone.
const MAX_HZ: f64 = 1_000.0;
/// The harmonics from which the mean offset is estimated: at the maximum offset they are still within the main lobe of
/// the window.
const COARSE_HARMONICS: usize = 4;
/// The maximum deviation of the mains frequency from its nominal value, including clock jitter, in Hz.
const MAX_OFFSET_HZ: f64 = 0.3;
/// The hop between two measurements, in blocks: 0.1 s.
const HOP: usize = 5;
/// The length of the window, in blocks: 2 s.
const WINDOW: usize = 100;
/// The measurements on either side over which the frequency is smoothed: 0.6 s.
const SMOOTHING: usize = 6;
/// The quantile of a harmonic's amplitude over time that counts as its steady level.
const STEADY_QUANTILE: f64 = 0.25;
/// The maximum amplitude that is subtracted, relative to the steady level; hum fluctuates a little.
const MAX_FLUCTUATION: f32 = 1.4;

/// The steady amplitudes of the hum that was removed.
#[derive(Default)]
pub(crate) struct HumLevels {
    /// For each harmonic, the fundamental first; full scale is 1.
    pub(crate) amplitudes: [f32; MAX_HARMONICS],
}

/// Removes the hum from `samples` (16 kHz), the joined `segments` of a clip.
pub(crate) fn remove_hum(samples: &mut [f32], segments: &[Segment]) -> HumLevels {
    let decimated = Decimator::new(samples, segments);
    let count = decimated.blocks();
    if count == 0 {
        return HumLevels::default();
    }
    let constant = |hz: f64| vec![hz; count];
    let mut candidates = MAINS_HZ.map(|mains| {
        let harmonics = HarmonicTrack::new(&decimated, &constant(mains), COARSE_HARMONICS);
        (harmonics.total_steady_level(), mains, harmonics)
    });
    candidates.sort_by(|one, other| other.0.total_cmp(&one.0));
    let [(_, mains, harmonics), _] = candidates;

    let harmonic_count = (MAX_HZ / mains) as usize;
    let mean = mains + harmonics.mean_offset();
    let harmonics = HarmonicTrack::new(&decimated, &constant(mean), harmonic_count);
    let frequencies: Vec<f64> = harmonics
        .offsets()
        .iter()
        .map(|offset| (mean + offset).clamp(mains - MAX_OFFSET_HZ, mains + MAX_OFFSET_HZ))
        .collect();
    let mut hum = HarmonicTrack::new(&decimated, &frequencies, harmonic_count);
    let amplitudes = hum.limit();
    let wave = hum.synthesize(&decimated);
    decimated.subtract(&wave, samples, segments);
    HumLevels { amplitudes }
}

/// The complex amplitudes of all harmonics, every tenth of a second.
struct HarmonicTrack {
    count: usize,
    /// One for each hop, and one more at the end.
    amplitudes: Vec<Phasors>,
    /// For each amplitude, the weighted number of kept samples in its window.
    weights: Vec<f32>,
    /// The frequency of the fundamental in each block, in Hz.
    frequencies: Vec<f64>,
}

impl HarmonicTrack {
    /// Measures the first `count` harmonics of a fundamental whose frequency in each block is in `frequencies`.
    fn new(decimated: &Decimator, frequencies: &[f64], count: usize) -> Self {
        let sums: Vec<Phasors> = PhasorBanks::new(frequencies, count)
            .enumerate()
            .map(|(block, mut bank)| bank.correlate(decimated.block(block)))
            .collect();
        let window: Vec<f32> = (0..WINDOW)
            .map(|n| (0.5 - 0.5 * (TAU * (n as f64 + 0.5) / WINDOW as f64).cos()) as f32)
            .collect();
        let centers = sums.len().div_ceil(HOP) + 1;
        let mut amplitudes = Vec::with_capacity(centers);
        let mut weights = Vec::with_capacity(centers);
        for center in 0..centers {
            let mut sum = Phasors::default();
            let mut weight = 0.0;
            for (index, gain) in window.iter().enumerate() {
                let block = (center * HOP + index).checked_sub(WINDOW / 2);
                let Some(phasors) = block.and_then(|block| sums.get(block)) else {
                    continue;
                };
                sum.add(phasors, *gain);
                weight += gain * decimated.kept_samples(center * HOP + index - WINDOW / 2);
            }
            sum.scale(2.0 / weight.max(1.0));
            amplitudes.push(sum);
            weights.push(weight);
        }
        Self {
            count,
            amplitudes,
            weights,
            frequencies: frequencies.to_vec(),
        }
    }

    /// The amplitude that a harmonic rarely falls below.
    fn steady_level(&self, harmonic: usize) -> f32 {
        let measured = self.amplitudes.iter().zip(&self.weights);
        let mut levels: Vec<f32> = measured
            .filter(|(_, weight)| **weight > 1.0)
            .map(|(phasors, _)| phasors.norm(harmonic))
            .collect();
        levels.sort_unstable_by(f32::total_cmp);
        let rank = (levels.len() as f64 * STEADY_QUANTILE) as usize;
        levels.get(rank).copied().unwrap_or_default()
    }

    /// The sum of all steady levels.
    fn total_steady_level(&self) -> f32 {
        (0..self.count)
            .map(|harmonic| self.steady_level(harmonic))
            .sum()
    }

    /// The mean offset of the fundamental from `frequencies`, in Hz.
    fn mean_offset(&self) -> f64 {
        let mut sum = PhaseAdvance::default();
        for center in 1..self.amplitudes.len().saturating_sub(1) {
            sum.add(&self.phase_advance(center));
        }
        sum.offset(self.count)
    }

    /// The smoothed offset of the fundamental from `frequencies` in each block, in Hz.
    fn offsets(&self) -> Vec<f64> {
        let last = self.amplitudes.len() - 1;
        let advances: Vec<PhaseAdvance> = (0..=last)
            .map(|center| match center {
                0 => PhaseAdvance::default(),
                center if center == last => PhaseAdvance::default(),
                center => self.phase_advance(center),
            })
            .collect();
        let at_hops: Vec<f64> = (0..=last)
            .map(|center| {
                let around = center.saturating_sub(SMOOTHING)..=(center + SMOOTHING).min(last);
                let mut sum = PhaseAdvance::default();
                advances[around].iter().for_each(|advance| sum.add(advance));
                sum.offset(self.count)
            })
            .collect();
        (0..self.frequencies.len())
            .map(|block| {
                let fraction = (block % HOP) as f64 / HOP as f64;
                let (from, to) = (at_hops[block / HOP], at_hops[block / HOP + 1]);
                from + (to - from) * fraction
            })
            .collect()
    }

    /// The phase advance over the two hops around `center`.
    fn phase_advance(&self, center: usize) -> PhaseAdvance {
        let (from, to) = (&self.amplitudes[center - 1], &self.amplitudes[center + 1]);
        let mut advance = PhaseAdvance::default();
        for k in 0..self.count {
            advance.re[k] = f64::from(from.re[k] * to.re[k] + from.im[k] * to.im[k]);
            advance.im[k] = f64::from(from.re[k] * to.im[k] - from.im[k] * to.re[k]);
        }
        advance
    }

    /// Limits every harmonic to slightly more than its steady level, and returns the steady levels.
    fn limit(&mut self) -> [f32; MAX_HARMONICS] {
        let mut levels = [0.0; MAX_HARMONICS];
        for (harmonic, steady) in levels.iter_mut().enumerate().take(self.count) {
            *steady = self.steady_level(harmonic);
            let limit = *steady * MAX_FLUCTUATION;
            for amplitudes in &mut self.amplitudes {
                let level = amplitudes.norm(harmonic);
                if level > limit {
                    amplitudes.re[harmonic] *= limit / level;
                    amplitudes.im[harmonic] *= limit / level;
                }
            }
        }
        levels
    }

    /// The waveform of the hum, at the decimated rate.
    fn synthesize(&self, decimated: &Decimator) -> Zeroizing<Vec<f32>> {
        let mut wave = Zeroizing::new(vec![0.0; decimated.blocks() * BLOCK]);
        let blocks = PhasorBanks::new(&self.frequencies, self.count).zip(wave.chunks_mut(BLOCK));
        for (block, (mut bank, wave)) in blocks.enumerate() {
            let (from, to) = (
                &self.amplitudes[block / HOP],
                &self.amplitudes[block / HOP + 1],
            );
            let fraction = |index: usize| index as f32 / HOP as f32;
            let start = Phasors::interpolate(from, to, fraction(block % HOP));
            let end = Phasors::interpolate(from, to, fraction(block % HOP + 1));
            bank.synthesize(&start, &end, wave);
        }
        wave
    }
}

/// For each harmonic, the product of its amplitude a hop later with the conjugate of that a hop earlier.
struct PhaseAdvance {
    re: [f64; MAX_HARMONICS],
    im: [f64; MAX_HARMONICS],
}

impl Default for PhaseAdvance {
    fn default() -> Self {
        let [re, im] = [[0.0; MAX_HARMONICS]; 2];
        Self { re, im }
    }
}

impl PhaseAdvance {
    fn add(&mut self, other: &Self) {
        for k in 0..MAX_HARMONICS {
            self.re[k] += other.re[k];
            self.im[k] += other.im[k];
        }
    }

    /// The offset of the fundamental, in Hz, that fits the advance of the first `count` harmonics best: weighted
    /// least squares.
    fn offset(&self, count: usize) -> f64 {
        let seconds = (2 * HOP * BLOCK) as f64 / f64::from(DECIMATED_RATE);
        let (mut numerator, mut denominator) = (0.0, f64::MIN_POSITIVE);
        for index in 0..count {
            let (k, weight) = ((index + 1) as f64, self.re[index].hypot(self.im[index]));
            numerator += weight * k * self.im[index].atan2(self.re[index]);
            denominator += weight * k * k;
        }
        (numerator / denominator / (TAU * seconds)).clamp(-MAX_OFFSET_HZ, MAX_OFFSET_HZ)
    }
}

#[cfg(test)]
mod tests;
