//! DC and infrasound out: a Butterworth high-pass of fourth order at 20 Hz, in double precision.
//!
//! What lies down there says more of a room and a recorder than of the playing. The lowest note of
//! a piano, 27.5 Hz, loses 0.3 dB; 10 Hz lose 24 dB. Coefficients from R. Bristow-Johnson, "Cookbook
//! formulae for audio equalizer biquad filter coefficients".

use std::f64::consts::{PI, TAU};

use super::detector::RATE;

/// Where the filter is 3 dB down, in Hz.
pub(crate) const CORNER_HZ: f64 = 20.0;
/// Two filters of second order make the fourth-order Butterworth.
const SECTIONS: usize = 2;

/// Filters in place. What the clip is offset by is taken off first, or the filter would answer its
/// onset with a thump.
pub(crate) fn high_pass(samples: &mut [f32]) {
    let sum: f64 = samples.iter().copied().map(f64::from).sum();
    let offset = sum / samples.len().max(1) as f64;
    let mut sections: [Biquad; SECTIONS] = std::array::from_fn(Biquad::section);
    for sample in samples {
        let centred = f64::from(*sample) - offset;
        *sample = sections
            .iter_mut()
            .fold(centred, |x, section| section.next(x)) as f32;
    }
}

/// A filter of second order, transposed direct form II.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    fn section(index: usize) -> Self {
        let poles = PI * (2 * index + 1) as f64 / (4 * SECTIONS) as f64;
        let quality = 0.5 / poles.cos();
        let (sine, cosine) = (TAU * CORNER_HZ / f64::from(RATE)).sin_cos();
        let alpha = sine / (2.0 * quality);
        let whole = 1.0 + alpha;
        let b = (1.0 + cosine) / 2.0 / whole;
        Self {
            b: [b, -2.0 * b, b],
            a: [-2.0 * cosine / whole, (1.0 - alpha) / whole],
            state: [0.0; 2],
        }
    }

    fn next(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{level, sine, sum};

    /// By how many dB a tone is changed, once the filter has swung in.
    fn change(hz: f64) -> f64 {
        let before = sine(hz, 0.5, RATE, 8.0);
        let mut after = before.clone();
        high_pass(&mut after);
        level(&after[RATE as usize * 4..]) - level(&before[RATE as usize * 4..])
    }

    #[test]
    fn infrasound_goes_and_the_lowest_note_of_a_piano_stays() {
        assert!(change(1.0) < -90.0);
        assert!(change(5.0) < -45.0);
        assert!(change(10.0) < -23.5);
        assert!((change(20.0) + 3.01).abs() < 0.05);
        assert!(change(27.5) > -0.4);
        assert!(change(41.2).abs() < 0.02);
        assert!(change(4_000.0).abs() < 0.001);
    }

    #[test]
    fn dc_goes_without_a_thump() {
        let mut samples = sum(&[vec![0.4; 32_000], sine(440.0, 1e-3, RATE, 2.0)]);
        high_pass(&mut samples);
        assert!(samples.iter().all(|sample| sample.abs() < 1.1e-3));
        let mean = samples.iter().copied().map(f64::from).sum::<f64>() / samples.len() as f64;
        assert!(mean.abs() < 1e-6, "{mean}");
    }
}
