//! The short-time spectrum: a periodic Hann window of 1024 samples every 256, silence beyond both
//! ends; and its inverse.

use std::sync::Arc;

use realfft::{ComplexToReal, FftError, RealFftPlanner, RealToComplex, num_complex::Complex};
use zeroize::Zeroize as _;

use super::{BINS, HOP, WINDOW};

pub(super) type Bins = [Complex<f32>; BINS];

pub(super) struct Spectrum {
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
    window: [f32; WINDOW],
    windowed: [f32; WINDOW],
    bins: Bins,
    scratch: Vec<Complex<f32>>,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(WINDOW);
        let backward = planner.plan_fft_inverse(WINDOW);
        let turn = std::f64::consts::TAU / WINDOW as f64;
        let scratch = forward.get_scratch_len().max(backward.get_scratch_len());
        Self {
            forward,
            backward,
            window: std::array::from_fn(|n| (0.5 - 0.5 * (turn * n as f64).cos()) as f32),
            windowed: [0.0; WINDOW],
            bins: [Complex::default(); BINS],
            scratch: vec![Complex::default(); scratch],
        }
    }

    /// The spectrum of `samples` around sample `frame` · [`HOP`].
    pub(super) fn of(&mut self, samples: &[f32], frame: usize) -> Result<&mut Bins, FftError> {
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
        self.forward
            .process_with_scratch(&mut self.windowed, &mut self.bins, &mut self.scratch)?;
        Ok(&mut self.bins)
    }

    /// The spectrum that [`Self::of`] gave last, changed or not, as a windowed stretch of sound.
    pub(super) fn sound(&mut self) -> Result<&[f32; WINDOW], FftError> {
        // A real signal's first and last bin are real; what rounding left there is in the way.
        self.bins[0].im = 0.0;
        self.bins[BINS - 1].im = 0.0;
        self.backward.process_with_scratch(
            &mut self.bins,
            &mut self.windowed,
            &mut self.scratch,
        )?;
        for (sample, weight) in self.windowed.iter_mut().zip(&self.window) {
            *sample *= weight / WINDOW as f32;
        }
        Ok(&self.windowed)
    }

    /// What the windows weigh together where none is missing: the sum of their squares.
    pub(super) fn weight(&self, offset: usize) -> f32 {
        self.window[offset].powi(2)
    }

    /// Overwrites what it holds of the sound.
    pub(super) fn wipe(&mut self) {
        self.windowed.zeroize();
        for bin in self.bins.iter_mut().chain(&mut self.scratch) {
            bin.re.zeroize();
            bin.im.zeroize();
        }
    }
}
