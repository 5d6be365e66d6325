//! The network's first layer: magnitudes of four overlapping windows of a frame.
//!
//! The model has it as a convolution with 258 filters, which are a DFT of 256 samples under a
//! periodic Hann window (`models/silero/export.py` checks it); an FFT gives the same in a fiftieth of
//! the work.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use zeroize::Zeroize as _;

use super::{CONTEXT, FRAME};

/// Windows of a frame.
pub(super) const WINDOWS: usize = 4;
/// Frequencies of a window.
pub(super) const BINS: usize = WINDOW / 2 + 1;

const WINDOW: usize = 256;
const HOP: usize = 128;
/// Samples behind the frame's end that its last ones, mirrored, stand in for.
const REFLECTED: usize = 64;

/// The FFT refused its own buffers. It cannot; who gets it takes the frame for a voice.
#[derive(Debug)]
pub(super) struct FftFailed;

pub(super) struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: [f32; WINDOW],
    heard: [f32; CONTEXT + FRAME + REFLECTED],
    windowed: [f32; WINDOW],
    bins: [Complex<f32>; BINS],
    scratch: Vec<Complex<f32>>,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(WINDOW);
        let turn = std::f64::consts::TAU / WINDOW as f64;
        Self {
            window: std::array::from_fn(|n| (0.5 - 0.5 * (turn * n as f64).cos()) as f32),
            heard: [0.0; CONTEXT + FRAME + REFLECTED],
            windowed: [0.0; WINDOW],
            bins: [Complex::default(); BINS],
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// Writes the magnitudes of the four windows of `heard` into the first four of `rows`.
    pub(super) fn magnitudes(
        &mut self,
        heard: &[f32; CONTEXT + FRAME],
        rows: &mut [[f32; BINS]],
    ) -> Result<(), FftFailed> {
        let (front, mirrored) = self.heard.split_at_mut(heard.len());
        front.copy_from_slice(heard);
        let last_first = heard[..heard.len() - 1].iter().rev();
        mirrored
            .iter_mut()
            .zip(last_first)
            .for_each(|(to, from)| *to = *from);

        let windows = self.heard.windows(WINDOW).step_by(HOP);
        for (row, samples) in rows.iter_mut().take(WINDOWS).zip(windows) {
            for ((to, sample), weight) in self.windowed.iter_mut().zip(samples).zip(&self.window) {
                *to = sample * weight;
            }
            self.fft
                .process_with_scratch(&mut self.windowed, &mut self.bins, &mut self.scratch)
                .map_err(|_| FftFailed)?;
            for (to, bin) in row.iter_mut().zip(&self.bins) {
                *to = (bin.re * bin.re + bin.im * bin.im).sqrt();
            }
        }
        Ok(())
    }

    /// Overwrites what it holds of the sound.
    pub(super) fn wipe(&mut self) {
        self.heard.zeroize();
        self.windowed.zeroize();
        for bin in self.bins.iter_mut().chain(&mut self.scratch) {
            bin.re.zeroize();
            bin.im.zeroize();
        }
    }

    #[cfg(test)]
    pub(super) fn is_wiped(&self) -> bool {
        let complex = self
            .bins
            .iter()
            .chain(&self.scratch)
            .flat_map(|bin| [bin.re, bin.im]);
        let real = self.heard.iter().chain(&self.windowed).copied();
        complex.chain(real).all(|value| value == 0.0)
    }
}
