//! Harmonics, all at once: each a turning phasor, side by side in memory so that a processor's vector
//! unit turns them together.

use std::f64::consts::TAU;

use super::low::{BLOCK, RATE};

/// Harmonics of 50 Hz up to 1 kHz.
pub(super) const LINES: usize = 20;

/// A complex number for each line.
#[derive(Clone)]
pub(super) struct Lines {
    pub(super) re: [f32; LINES],
    pub(super) im: [f32; LINES],
}

impl Default for Lines {
    fn default() -> Self {
        let [re, im] = [[0.0; LINES]; 2];
        Self { re, im }
    }
}

impl Lines {
    pub(super) fn add(&mut self, other: &Self, share: f32) {
        for line in 0..LINES {
            self.re[line] += share * other.re[line];
            self.im[line] += share * other.im[line];
        }
    }

    pub(super) fn scale(&mut self, by: f32) {
        for line in 0..LINES {
            self.re[line] *= by;
            self.im[line] *= by;
        }
    }

    pub(super) fn norm(&self, line: usize) -> f32 {
        self.re[line].hypot(self.im[line])
    }

    pub(super) fn between(from: &Self, to: &Self, share: f32) -> Self {
        let mut out = from.clone();
        out.scale(1.0 - share);
        out.add(to, share);
        out
    }
}

/// The phasors at the beginning of each block, by the fundamental's frequency in it.
pub(super) struct Blocks<'a> {
    hertz: std::slice::Iter<'a, f64>,
    count: usize,
    /// Of the fundamental, in turns.
    phase: f64,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(hertz: &'a [f64], count: usize) -> Self {
        let hertz = hertz.iter();
        Self {
            hertz,
            count: count.min(LINES),
            phase: 0.0,
        }
    }
}

impl Iterator for Blocks<'_> {
    type Item = Turning;

    fn next(&mut self) -> Option<Turning> {
        let step = self.hertz.next()? / f64::from(RATE);
        let mut turning = Turning {
            at: Lines::default(),
            step: Lines::default(),
        };
        for line in 0..self.count {
            let k = (line + 1) as f64;
            let (sine, cosine) = (TAU * (k * self.phase).fract()).sin_cos();
            (turning.at.re[line], turning.at.im[line]) = (cosine as f32, sine as f32);
            let (sine, cosine) = (TAU * k * step).sin_cos();
            (turning.step.re[line], turning.step.im[line]) = (cosine as f32, sine as f32);
        }
        self.phase += step * BLOCK as f64;
        Some(turning)
    }
}

/// Phasors that turn by a step each sample. Lines that are not asked for stand at zero.
pub(super) struct Turning {
    at: Lines,
    step: Lines,
}

impl Turning {
    /// The sum of `samples` times the conjugate phasors.
    pub(super) fn measure(&mut self, samples: &[f32]) -> Lines {
        let mut sum = Lines::default();
        for sample in samples {
            for line in 0..LINES {
                sum.re[line] += sample * self.at.re[line];
                sum.im[line] -= sample * self.at.im[line];
            }
            self.turn();
        }
        sum
    }

    /// The sum of the lines' waves, with amplitudes that go from `start` to `end` over `out`.
    pub(super) fn sound(&mut self, start: &Lines, end: &Lines, out: &mut [f32]) {
        let mut amplitude = start.clone();
        let mut growth = end.clone();
        growth.add(start, -1.0);
        growth.scale(1.0 / out.len().max(1) as f32);
        for sample in out {
            let mut products = [0.0; LINES];
            for (line, product) in products.iter_mut().enumerate() {
                *product =
                    amplitude.re[line] * self.at.re[line] - amplitude.im[line] * self.at.im[line];
            }
            *sample = products.iter().sum();
            amplitude.add(&growth, 1.0);
            self.turn();
        }
    }

    fn turn(&mut self) {
        let Self { at, step } = self;
        for line in 0..LINES {
            let (re, im) = (at.re[line], at.im[line]);
            at.re[line] = re * step.re[line] - im * step.im[line];
            at.im[line] = re * step.im[line] + im * step.re[line];
        }
    }
}
