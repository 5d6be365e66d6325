//! The first layer of the network: the magnitudes of a short-time Fourier transform.
//!
//! The published model implements it as a convolution with 258 filters. They are a DFT of 256 samples under a periodic
//! Hann window, which `models/silero/export.py` checks; an FFT takes a fiftieth of the operations.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use zeroize::Zeroize as _;

use super::config::{BINS, CONTEXT, FRAME, HOP, REFLECTION, WINDOW, WINDOWS};

/// The FFT failed, which it does only for buffers of wrong lengths. The caller counts the frame as a voice.
#[derive(Debug)]
pub(super) struct FftFailed;

pub(super) struct Stft {
    fft: Arc<dyn RealToComplex<f32>>,
    window: [f32; WINDOW],
    input: [f32; CONTEXT + FRAME + REFLECTION],
    windowed: [f32; WINDOW],
    bins: [Complex<f32>; BINS],
    scratch: Vec<Complex<f32>>,
}

impl Stft {
    pub(super) fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(WINDOW);
        let turn = std::f64::consts::TAU / WINDOW as f64;
        Self {
            window: std::array::from_fn(|n| (0.5 - 0.5 * (turn * n as f64).cos()) as f32),
            input: [0.0; CONTEXT + FRAME + REFLECTION],
            windowed: [0.0; WINDOW],
            bins: [Complex::default(); BINS],
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// Writes the magnitudes of the four windows of `input` into the first four of `rows`.
    pub(super) fn magnitudes(
        &mut self,
        input: &[f32; CONTEXT + FRAME],
        rows: &mut [[f32; BINS]],
    ) -> Result<(), FftFailed> {
        let (front, reflection) = self.input.split_at_mut(input.len());
        front.copy_from_slice(input);
        let reversed = input[..input.len() - 1].iter().rev();
        reflection
            .iter_mut()
            .zip(reversed)
            .for_each(|(to, from)| *to = *from);

        let windows = self.input.windows(WINDOW).step_by(HOP);
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

    /// Zeroes all buffers that hold samples or spectra.
    pub(super) fn wipe(&mut self) {
        self.input.zeroize();
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
        let real = self.input.iter().chain(&self.windowed).copied();
        complex.chain(real).all(|value| value == 0.0)
    }
}
