//! Decimation: the part of a clip below 1 kHz, where the hum is, at a fifth of the sample rate.
//!
//! A polyphase implementation of one linear-phase low-pass, a sinc under a Kaiser window, decimates the samples and
//! interpolates the hum that is subtracted from them.

use std::f64::consts::PI;

use zeroize::Zeroizing;

use crate::{kaiser::kaiser, sample_rate::SAMPLE_RATE, splice::Segment};

/// The decimation factor.
const FACTOR: usize = 5;
/// The decimated sample rate, in Hz.
pub(super) const DECIMATED_RATE: u32 = SAMPLE_RATE / FACTOR as u32;
/// The length of a block, within which the frequency of the hum is constant, in decimated samples: 20 ms.
pub(super) const BLOCK: usize = 64;
/// The taps of the filter on either side of its center: flat to 1 kHz, -80 dB from 2.2 kHz on.
const HALF: usize = 35;
const TAPS: usize = 2 * HALF + 1;
/// The shape of the Kaiser window: 80 dB of stop-band attenuation.
const KAISER_BETA: f64 = 8.0;
/// The taps of each phase of the interpolator.
const PHASE_TAPS: usize = 2 * HALF / FACTOR + 1;

/// The decimated kept samples of a clip, at their times; zero where nothing was kept.
pub(super) struct Decimator {
    samples: Zeroizing<Vec<f32>>,
    /// For each block, the number of kept samples.
    kept_samples: Vec<f32>,
    filter: [f32; TAPS],
}

impl Decimator {
    /// Decimates `samples` (16 kHz), the joined `segments` of a clip.
    pub(super) fn new(samples: &[f32], segments: &[Segment]) -> Self {
        let filter = filter();
        let end = segments
            .last()
            .map_or(0, |segment| segment.clip_start + segment.joined.len());
        let blocks = end.div_ceil(FACTOR * BLOCK);
        let mut decimated = Zeroizing::new(vec![0.0; blocks * BLOCK]);
        let mut kept_samples = vec![0.0; blocks];
        for segment in segments {
            let segment_samples = &samples[segment.joined.clone()];
            // Only where the whole filter is within the segment.
            let first = (segment.clip_start + HALF).div_ceil(FACTOR);
            let windows = segment_samples
                .get(first * FACTOR - HALF - segment.clip_start..)
                .unwrap_or_default();
            for (index, window) in windows.windows(TAPS).step_by(FACTOR).enumerate() {
                decimated[first + index] = dot(window, &filter);
                kept_samples[(first + index) / BLOCK] += 1.0;
            }
        }
        Self {
            samples: decimated,
            kept_samples,
            filter,
        }
    }

    pub(super) fn blocks(&self) -> usize {
        self.kept_samples.len()
    }

    pub(super) fn block(&self, index: usize) -> &[f32] {
        &self.samples[index * BLOCK..][..BLOCK]
    }

    /// The number of kept samples in a block.
    pub(super) fn kept_samples(&self, block: usize) -> f32 {
        self.kept_samples[block]
    }

    /// Interpolates `wave`, which is decimated and covers the whole clip, and subtracts it from `samples`.
    pub(super) fn subtract(&self, wave: &[f32], samples: &mut [f32], segments: &[Segment]) {
        let mut phases = [[0.0; PHASE_TAPS]; FACTOR];
        for (at, tap) in self.filter.iter().enumerate() {
            // A convolution: the taps run backwards.
            phases[at % FACTOR][PHASE_TAPS - 1 - at / FACTOR] = tap * FACTOR as f32;
        }
        let margin = PHASE_TAPS / 2;
        let mut padded = Zeroizing::new(vec![0.0; wave.len() + 2 * margin]);
        padded[margin..][..wave.len()].copy_from_slice(wave);
        if let ([first, ..], [.., last]) = (wave, wave) {
            padded[..margin].fill(*first);
            padded[margin + wave.len()..].fill(*last);
        }
        for segment in segments {
            let segment_samples = &mut samples[segment.joined.clone()];
            for (at, sample) in (segment.clip_start..).zip(segment_samples) {
                let window = &padded[at / FACTOR..][..PHASE_TAPS];
                *sample -= dot(window, &phases[at % FACTOR]);
            }
        }
    }
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (ones, one_rest) = one.as_chunks::<LANES>();
    let (others, other_rest) = other.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
}

/// The low-pass: a sinc with its cutoff at the decimated Nyquist frequency, under a Kaiser window.
fn filter() -> [f32; TAPS] {
    let taps: [f64; TAPS] = std::array::from_fn(|tap| {
        let x = tap as f64 - HALF as f64;
        let turn = PI * x / FACTOR as f64;
        let sinc = if x == 0.0 { 1.0 } else { turn.sin() / turn };
        sinc * kaiser(KAISER_BETA, x / (HALF + 1) as f64)
    });
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}
