//! Stretches that are alike, whatever their level: normalized cross-correlation of each stretch of what was written with
//! every place of the sound.
//!
//! By overlap-save (Oppenheim and Schafer, *Discrete-Time Signal Processing*, 8.7.3): the sound is cut into blocks that
//! overlap by a window, each of which is transformed once.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};

use crate::slower;

/// Samples that are compared at once, whatever their level.
const WINDOW: usize = 1_024;
/// Windows are taken this far apart: 0.25 s at 16 kHz, while a clip has a second at least.
const HOP: usize = 4_096;
/// What counts as the same sound. Noise stays below 0.2.
const ALIKE: f32 = 0.6;
/// Samples of a block: a transform of so many fits into a core's own cache.
const BLOCK: usize = 16_384;
/// Positions in a block with a complete window.
const PLACES: usize = BLOCK - WINDOW + 1;

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

/// A sound as it is and at a third of its rate, in blocks.
pub(crate) struct Likeness {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    blocks: Vec<Block>,
}

struct Block {
    spectrum: Vec<Complex<f32>>,
    /// At each place, one over the root of the energy about its mean; 0 where there is next to none.
    scales: Vec<f32>,
}

impl Likeness {
    pub(crate) fn of(samples: &[f32]) -> Self {
        let mut planner = RealFftPlanner::new();
        let mut likeness = Self {
            forward: planner.plan_fft_forward(BLOCK),
            inverse: planner.plan_fft_inverse(BLOCK),
            blocks: Vec::new(),
        };
        for samples in [samples, &slower(samples)] {
            for (at, scales) in scales(samples).chunks(PLACES).enumerate() {
                let start = at * PLACES;
                let end = samples.len().min(start + BLOCK);
                likeness.blocks.push(Block {
                    spectrum: likeness.spectrum(&samples[start..end]),
                    scales: scales.to_vec(),
                });
            }
        }
        likeness
    }

    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<String> {
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
                let likeness = self.greatest(window);
                if likeness > ALIKE {
                    return Some(format!("a likeness of {likeness:.2} as {name}"));
                }
            }
        }
        None
    }

    /// How alike a window is to the place that is most like it: 0 to 1.
    fn greatest(&self, window: &[f32]) -> f32 {
        let Some(window) = normal(window) else {
            return 0.0;
        };
        let window = self.spectrum(&window);
        let mut products = self.inverse.make_input_vec();
        let mut correlations = self.inverse.make_output_vec();
        let mut greatest = 0.0_f32;
        for block in &self.blocks {
            for ((product, of_window), of_block) in
                products.iter_mut().zip(&window).zip(&block.spectrum)
            {
                *product = of_window.conj() * of_block;
            }
            // Rounding leaves an imaginary part where there is none.
            products[0].im = 0.0;
            products[BLOCK / 2].im = 0.0;
            self.inverse
                .process(&mut products, &mut correlations)
                .expect("buffers of its own making");
            let alike = correlations.iter().zip(&block.scales);
            greatest = alike
                .map(|(correlation, scale)| correlation.abs() * scale)
                .fold(greatest, f32::max);
        }
        greatest / BLOCK as f32
    }

    /// Of at most [`BLOCK`] samples, and zeros after them.
    fn spectrum(&self, samples: &[f32]) -> Vec<Complex<f32>> {
        let mut padded = self.forward.make_input_vec();
        padded[..samples.len()].copy_from_slice(samples);
        let mut spectrum = self.forward.make_output_vec();
        self.forward
            .process(&mut padded, &mut spectrum)
            .expect("buffers of its own making");
        spectrum
    }
}

/// For each place of a window in `samples`, one over the root of its energy about its mean; 0 where there is next to
/// none.
fn scales(samples: &[f32]) -> Vec<f32> {
    let (mut sum, mut energy) = (0.0_f64, 0.0_f64);
    let mut scales = Vec::with_capacity(samples.len());
    for (index, &sample) in samples.iter().enumerate() {
        sum += f64::from(sample);
        energy += f64::from(sample).powi(2);
        if index + 1 >= WINDOW {
            let about_mean = energy - sum * sum / WINDOW as f64;
            let is_sound = about_mean / WINDOW as f64 > 1e-8;
            scales.push(if is_sound {
                about_mean.sqrt().recip() as f32
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

/// The window without its mean, with an energy of 1. `None` if it has almost none, or is not audio.
fn normal(window: &[f32]) -> Option<Vec<f32>> {
    let mean = window.iter().map(|&sample| f64::from(sample)).sum::<f64>() / WINDOW as f64;
    let about_mean = window.iter().map(|&sample| f64::from(sample) - mean);
    let norm = about_mean
        .clone()
        .map(|sample| sample.powi(2))
        .sum::<f64>()
        .sqrt();
    (norm.is_normal() && norm <= 1e15)
        .then(|| about_mean.map(|sample| (sample / norm) as f32).collect())
}
