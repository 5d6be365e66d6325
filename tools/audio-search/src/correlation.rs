//! Similar audio at any level: normalized cross-correlation of windows of the bytes with every position of the recording.
//!
//! Computed by overlap-save (Oppenheim and Schafer, *Discrete-Time Signal Processing*, 8.7.3): the recording is divided into
//! blocks that overlap by a window, and each is transformed once.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};

use crate::decimate;

/// Samples of a window.
const WINDOW: usize = 1_024;
/// Samples between the starts of windows: 0.25 s at 16 kHz. A clip has at least a second.
const HOP: usize = 4_096;
/// The least correlation that counts as the same audio. Noise stays below 0.2.
const MIN_CORRELATION: f32 = 0.6;
/// Samples of a block, whose transform fits into the cache of a core.
const BLOCK: usize = 16_384;
/// Positions in a block with a complete window.
const POSITIONS: usize = BLOCK - WINDOW + 1;

type Decode = fn(&[u8]) -> f32;
const DECODINGS: [(&str, usize, Decode); 4] = [
    ("i16", 2, |bytes| {
        f32::from(i16::from_le_bytes([bytes[0], bytes[1]]))
    }),
    ("i24", 3, |bytes| {
        i32::from_le_bytes([0, bytes[0], bytes[1], bytes[2]]) as f32
    }),
    ("i32", 4, |bytes| {
        i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as f32
    }),
    ("f32", 4, |bytes| {
        f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }),
];

/// The blocks of a recording at its own rate and at a third of it.
pub(crate) struct CorrelationMatcher {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    blocks: Vec<Block>,
}

struct Block {
    spectrum: Vec<Complex<f32>>,
    /// See [`scales`].
    scales: Vec<f32>,
}

impl CorrelationMatcher {
    pub(crate) fn new(samples: &[f32]) -> Self {
        let mut planner = RealFftPlanner::new();
        let mut matcher = Self {
            forward: planner.plan_fft_forward(BLOCK),
            inverse: planner.plan_fft_inverse(BLOCK),
            blocks: Vec::new(),
        };
        for samples in [samples, &decimate(samples)] {
            for (at, scales) in scales(samples).chunks(POSITIONS).enumerate() {
                let start = at * POSITIONS;
                let end = samples.len().min(start + BLOCK);
                matcher.blocks.push(Block {
                    spectrum: matcher.spectrum(&samples[start..end]),
                    scales: scales.to_vec(),
                });
            }
        }
        matcher
    }

    pub(crate) fn find_in(&self, bytes: &[u8]) -> Option<String> {
        let decoded = DECODINGS.iter().flat_map(|(name, width, decode)| {
            (0..*width).map(move |phase| {
                let samples: Vec<f32> = bytes
                    .get(phase..)
                    .unwrap_or_default()
                    .chunks_exact(*width)
                    .map(decode)
                    .collect();
                (*name, samples)
            })
        });
        for (name, samples) in decoded {
            for window in samples.windows(WINDOW).step_by(HOP) {
                let correlation = self.max_correlation(window);
                if correlation > MIN_CORRELATION {
                    return Some(format!("a correlation of {correlation:.2} as {name}"));
                }
            }
        }
        None
    }

    /// The highest correlation of a window with any position of the recording, 0 to 1.
    fn max_correlation(&self, window: &[f32]) -> f32 {
        let Some(window) = normalize(window) else {
            return 0.0;
        };
        let window = self.spectrum(&window);
        let mut products = self.inverse.make_input_vec();
        let mut correlations = self.inverse.make_output_vec();
        let mut max = 0.0_f32;
        for block in &self.blocks {
            for ((product, of_window), of_block) in
                products.iter_mut().zip(&window).zip(&block.spectrum)
            {
                *product = of_window.conj() * of_block;
            }
            // Must be real, and rounding makes it complex.
            products[0].im = 0.0;
            products[BLOCK / 2].im = 0.0;
            self.inverse
                .process(&mut products, &mut correlations)
                .expect("the buffers are made by the transform");
            let scaled = correlations.iter().zip(&block.scales);
            max = scaled
                .map(|(correlation, scale)| correlation.abs() * scale)
                .fold(max, f32::max);
        }
        max / BLOCK as f32
    }

    /// The spectrum of at most [`BLOCK`] samples, padded with zeros.
    fn spectrum(&self, samples: &[f32]) -> Vec<Complex<f32>> {
        let mut padded = self.forward.make_input_vec();
        padded[..samples.len()].copy_from_slice(samples);
        let mut spectrum = self.forward.make_output_vec();
        self.forward
            .process(&mut padded, &mut spectrum)
            .expect("the buffers are made by the transform");
        spectrum
    }
}

/// For each position of a window in `samples`, one divided by the square root of the energy without the mean; 0 for silence.
fn scales(samples: &[f32]) -> Vec<f32> {
    let (mut sum, mut energy) = (0.0_f64, 0.0_f64);
    let mut scales = Vec::with_capacity(samples.len());
    for (index, &sample) in samples.iter().enumerate() {
        sum += f64::from(sample);
        energy += f64::from(sample).powi(2);
        if index + 1 >= WINDOW {
            let energy_without_mean = energy - sum * sum / WINDOW as f64;
            let is_audible = energy_without_mean / WINDOW as f64 > 1e-8;
            scales.push(if is_audible {
                energy_without_mean.sqrt().recip() as f32
            } else {
                0.0
            });
            let first = f64::from(samples[index + 1 - WINDOW]);
            sum -= first;
            energy -= first * first;
        }
    }
    scales
}

/// The window without its mean and with an energy of 1. `None` for silence and for values that are not finite.
fn normalize(window: &[f32]) -> Option<Vec<f32>> {
    let mean = window.iter().map(|&sample| f64::from(sample)).sum::<f64>() / WINDOW as f64;
    let without_mean = window.iter().map(|&sample| f64::from(sample) - mean);
    let norm = without_mean
        .clone()
        .map(|sample| sample.powi(2))
        .sum::<f64>()
        .sqrt();
    (norm.is_normal() && norm <= 1e15)
        .then(|| without_mean.map(|sample| (sample / norm) as f32).collect())
}
