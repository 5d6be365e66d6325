//! The short-time Fourier transform and its inverse: a periodic Hann window of 1024 samples, hop 256, silence beyond
//! both ends.

use std::sync::Arc;

use realfft::{ComplexToReal, FftError, RealFftPlanner, RealToComplex, num_complex::Complex};
use zeroize::Zeroize as _;

use super::config::{BINS, HOP, WINDOW};

pub(super) type Bins = [Complex<f32>; BINS];

pub(super) struct Stft {
    fft: Arc<dyn RealToComplex<f32>>,
    inverse_fft: Arc<dyn ComplexToReal<f32>>,
    window: [f32; WINDOW],
    windowed: [f32; WINDOW],
    bins: Bins,
    scratch: Vec<Complex<f32>>,
}

impl Stft {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let fft = planner.plan_fft_forward(WINDOW);
        let inverse_fft = planner.plan_fft_inverse(WINDOW);
        let turn = std::f64::consts::TAU / WINDOW as f64;
        let scratch = fft.get_scratch_len().max(inverse_fft.get_scratch_len());
        Self {
            fft,
            inverse_fft,
            window: std::array::from_fn(|n| (0.5 - 0.5 * (turn * n as f64).cos()) as f32),
            windowed: [0.0; WINDOW],
            bins: [Complex::default(); BINS],
            scratch: vec![Complex::default(); scratch],
        }
    }

    /// The spectrum of the frame centered on sample `frame` · [`HOP`].
    pub(super) fn forward(&mut self, samples: &[f32], frame: usize) -> Result<&mut Bins, FftError> {
        let missing = (WINDOW / 2).saturating_sub(frame * HOP);
        let from = (frame * HOP + missing)
            .saturating_sub(WINDOW / 2)
            .min(samples.len());
        let to = (frame * HOP + WINDOW / 2).min(samples.len());
        self.windowed.fill(0.0);
        let weighted = samples[from..to].iter().zip(&self.window[missing..]);
        for (to, (sample, weight)) in self.windowed[missing..].iter_mut().zip(weighted) {
            *to = sample * weight;
        }
        self.fft
            .process_with_scratch(&mut self.windowed, &mut self.bins, &mut self.scratch)?;
        Ok(&mut self.bins)
    }

    /// The inverse transform of the spectrum that [`Self::forward`] returned last, windowed again for overlap-add.
    pub(super) fn inverse(&mut self) -> Result<&[f32; WINDOW], FftError> {
        // The first and the last bin of a real signal are real; realfft refuses a rounding error there.
        self.bins[0].im = 0.0;
        self.bins[BINS - 1].im = 0.0;
        self.inverse_fft.process_with_scratch(
            &mut self.bins,
            &mut self.windowed,
            &mut self.scratch,
        )?;
        for (sample, weight) in self.windowed.iter_mut().zip(&self.window) {
            *sample *= weight / WINDOW as f32;
        }
        Ok(&self.windowed)
    }

    /// The squared window at `offset`: the weight of a sample in overlap-add.
    pub(super) fn squared_window(&self, offset: usize) -> f32 {
        self.window[offset].powi(2)
    }

    /// Zeroes all buffers that hold samples or spectra.
    pub(super) fn wipe(&mut self) {
        self.windowed.zeroize();
        for bin in self.bins.iter_mut().chain(&mut self.scratch) {
            bin.re.zeroize();
            bin.im.zeroize();
        }
    }
}
