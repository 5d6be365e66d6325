//! Rotating phasors of all harmonics, side by side in memory, so that the compiler vectorizes over them.

use std::f64::consts::TAU;

use super::decimator::{BLOCK, DECIMATED_RATE};

/// The maximum number of harmonics: those of 50 Hz up to 1 kHz.
pub(crate) const MAX_HARMONICS: usize = 20;

/// A complex number for each harmonic.
#[derive(Clone)]
pub(super) struct Phasors {
    pub(super) re: [f32; MAX_HARMONICS],
    pub(super) im: [f32; MAX_HARMONICS],
}

impl Default for Phasors {
    fn default() -> Self {
        let [re, im] = [[0.0; MAX_HARMONICS]; 2];
        Self { re, im }
    }
}

impl Phasors {
    pub(super) fn add(&mut self, other: &Self, gain: f32) {
        for k in 0..MAX_HARMONICS {
            self.re[k] += gain * other.re[k];
            self.im[k] += gain * other.im[k];
        }
    }

    pub(super) fn scale(&mut self, gain: f32) {
        for k in 0..MAX_HARMONICS {
            self.re[k] *= gain;
            self.im[k] *= gain;
        }
    }

    pub(super) fn norm(&self, k: usize) -> f32 {
        self.re[k].hypot(self.im[k])
    }

    pub(super) fn interpolate(from: &Self, to: &Self, fraction: f32) -> Self {
        let mut out = from.clone();
        out.scale(1.0 - fraction);
        out.add(to, fraction);
        out
    }
}

/// An iterator over the phasors at the start of each block.
pub(super) struct PhasorBanks<'a> {
    frequencies: std::slice::Iter<'a, f64>,
    count: usize,
    /// The phase of the fundamental, in cycles.
    phase: f64,
}

impl<'a> PhasorBanks<'a> {
    /// For `count` harmonics of a fundamental whose frequency in each block is in `frequencies`, in Hz.
    pub(super) fn new(frequencies: &'a [f64], count: usize) -> Self {
        let frequencies = frequencies.iter();
        Self {
            frequencies,
            count: count.min(MAX_HARMONICS),
            phase: 0.0,
        }
    }
}

impl Iterator for PhasorBanks<'_> {
    type Item = PhasorBank;

    fn next(&mut self) -> Option<PhasorBank> {
        let step = self.frequencies.next()? / f64::from(DECIMATED_RATE);
        let mut bank = PhasorBank {
            phasors: Phasors::default(),
            steps: Phasors::default(),
        };
        for index in 0..self.count {
            let k = (index + 1) as f64;
            let (sine, cosine) = (TAU * (k * self.phase).fract()).sin_cos();
            (bank.phasors.re[index], bank.phasors.im[index]) = (cosine as f32, sine as f32);
            let (sine, cosine) = (TAU * k * step).sin_cos();
            (bank.steps.re[index], bank.steps.im[index]) = (cosine as f32, sine as f32);
        }
        self.phase += step * BLOCK as f64;
        Some(bank)
    }
}

/// Phasors that rotate by a step for each sample. Those beyond the requested harmonics are zero.
pub(super) struct PhasorBank {
    phasors: Phasors,
    steps: Phasors,
}

impl PhasorBank {
    /// The sum of `samples` times the conjugate phasors.
    pub(super) fn correlate(&mut self, samples: &[f32]) -> Phasors {
        let mut sum = Phasors::default();
        for sample in samples {
            for k in 0..MAX_HARMONICS {
                sum.re[k] += sample * self.phasors.re[k];
                sum.im[k] -= sample * self.phasors.im[k];
            }
            self.rotate();
        }
        sum
    }

    /// Writes the sum of all harmonics, with amplitudes that change linearly from `start` to `end` over `out`.
    pub(super) fn synthesize(&mut self, start: &Phasors, end: &Phasors, out: &mut [f32]) {
        let mut amplitude = start.clone();
        let mut increment = end.clone();
        increment.add(start, -1.0);
        increment.scale(1.0 / out.len().max(1) as f32);
        for sample in out {
            let mut products = [0.0; MAX_HARMONICS];
            for (k, product) in products.iter_mut().enumerate() {
                *product =
                    amplitude.re[k] * self.phasors.re[k] - amplitude.im[k] * self.phasors.im[k];
            }
            *sample = products.iter().sum();
            amplitude.add(&increment, 1.0);
            self.rotate();
        }
    }

    fn rotate(&mut self) {
        let Self { phasors, steps } = self;
        for k in 0..MAX_HARMONICS {
            let (re, im) = (phasors.re[k], phasors.im[k]);
            phasors.re[k] = re * steps.re[k] - im * steps.im[k];
            phasors.im[k] = re * steps.im[k] + im * steps.re[k];
        }
    }
}
