//! The sound that may be hum: below 1 kHz, at a fifth of the rate, at its time in the clip.

use std::f64::consts::PI;

use zeroize::Zeroizing;

use crate::cut::Part;

/// Samples of the sound for one of these.
const RATIO: usize = 5;
/// Samples a second of these.
pub(super) const RATE: u32 = crate::detector::RATE / RATIO as u32;
/// Samples that are measured together: 20 ms.
pub(super) const BLOCK: usize = 64;
/// Taps of the filter on either side of its middle: flat to 1 kHz, 80 dB down from 2.2 kHz.
const HALF: usize = 35;
const TAPS: usize = 2 * HALF + 1;
/// Of its Kaiser window.
const BETA: f64 = 8.0;
/// Samples at the lower rate that make one at the higher.
const FEW: usize = 2 * HALF / RATIO + 1;

/// The lower part of a clip's kept sound; zero where nothing was kept.
pub(super) struct Low {
    samples: Zeroizing<Vec<f32>>,
    /// For each block, how many of its samples are kept sound.
    weights: Vec<f32>,
    filter: [f32; TAPS],
}

impl Low {
    pub(super) fn new(samples: &[f32], parts: &[Part]) -> Self {
        let filter = filter();
        let end = parts.last().map_or(0, |part| part.from + part.joined.len());
        let blocks = end.div_ceil(RATIO * BLOCK);
        let mut low = Zeroizing::new(vec![0.0; blocks * BLOCK]);
        let mut weights = vec![0.0; blocks];
        for part in parts {
            let sound = &samples[part.joined.clone()];
            // Only where the filter hears nothing but the part.
            let first = (part.from + HALF).div_ceil(RATIO);
            let windows = sound
                .get(first * RATIO - HALF - part.from..)
                .unwrap_or_default();
            for (index, window) in windows.windows(TAPS).step_by(RATIO).enumerate() {
                low[first + index] = dot(window, &filter);
                weights[(first + index) / BLOCK] += 1.0;
            }
        }
        Self {
            samples: low,
            weights,
            filter,
        }
    }

    pub(super) fn blocks(&self) -> usize {
        self.weights.len()
    }

    pub(super) fn block(&self, index: usize) -> &[f32] {
        &self.samples[index * BLOCK..][..BLOCK]
    }

    /// How many samples of a block are kept sound.
    pub(super) fn weight(&self, block: usize) -> f32 {
        self.weights[block]
    }

    /// Takes `wave`, which is at the lower rate and at the clip's time, off `samples`.
    pub(super) fn subtract(&self, wave: &[f32], samples: &mut [f32], parts: &[Part]) {
        let mut rows = [[0.0; FEW]; RATIO];
        for (at, tap) in self.filter.iter().enumerate() {
            // Samples of `wave` run forth where taps run back.
            rows[at % RATIO][FEW - 1 - at / RATIO] = tap * RATIO as f32;
        }
        let margin = FEW / 2;
        let mut padded = Zeroizing::new(vec![0.0; wave.len() + 2 * margin]);
        padded[margin..][..wave.len()].copy_from_slice(wave);
        if let ([first, ..], [.., last]) = (wave, wave) {
            padded[..margin].fill(*first);
            padded[margin + wave.len()..].fill(*last);
        }
        for part in parts {
            let sound = &mut samples[part.joined.clone()];
            for (at, sample) in (part.from..).zip(sound) {
                let few = &padded[at / RATIO..][..FEW];
                *sample -= dot(few, &rows[at % RATIO]);
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

/// A low-pass at half the lower rate, by a sinc under a Kaiser window.
fn filter() -> [f32; TAPS] {
    let taps: [f64; TAPS] = std::array::from_fn(|tap| {
        let at = tap as f64 - HALF as f64;
        let turn = PI * at / RATIO as f64;
        let sinc = if at == 0.0 { 1.0 } else { turn.sin() / turn };
        sinc * super::super::stretch::kaiser(BETA, at / (HALF + 1) as f64)
    });
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}
