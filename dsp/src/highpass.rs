//! High-pass: removes DC and infrasound by a tenth-order Butterworth filter at 22 Hz, in double precision.
//!
//! The filter is a cascade of five biquads, each in transposed direct form II, with coefficients from R.
//! Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients",
//! <https://www.w3.org/TR/audio-eq-cookbook/>.
//!
//! Below 22 Hz a recording characterizes the room and the recorder rather than the music, and it misleads the
//! detectors: an offset is power that no mask removes. The lowest note of a piano, 27.5 Hz, loses 0.05 dB; 18 Hz lose
//! 17 dB, 15 Hz 33 dB. The state that the filter keeps of a voice that is cut later holds only what the voice had
//! below some 40 Hz, which is almost nothing, and a thirtieth of that after the padding.

use std::f64::consts::{PI, TAU};

use zeroize::Zeroizing;

/// The -3 dB frequency of the filter, in Hz: just below the lowest note of a piano.
pub(crate) const CORNER_HZ: f64 = 22.0;
/// The number of biquads, each of second order.
const SECTIONS: usize = 5;
/// The length of the input, mirrored at its start, that the filter processes beforehand, in seconds. The transient of the
/// filter's own start then decays by 180 dB, so that an offset or a slow drift starts without a thump.
const SETTLING_S: f64 = 1.0;

/// `samples` at `rate` Hz without DC and infrasound. If floating-point input exceeds full scale, it is first scaled to
/// a peak of ±1, so that no sum overflows.
pub(crate) fn high_pass(samples: &[f32], rate: u32) -> Zeroizing<Vec<f32>> {
    let peak = samples
        .iter()
        .fold(1.0, |peak: f32, sample| peak.max(sample.abs()));
    let mut sections: [Biquad; SECTIONS] =
        std::array::from_fn(|index| Biquad::section(index, rate));
    let mut filter = |sample: f32| {
        let scaled = f64::from(sample) / f64::from(peak);
        let sections = sections.iter_mut();
        sections.fold(scaled, |x, section| section.process(x)) as f32
    };
    let settling = (SETTLING_S * f64::from(rate)) as usize;
    for &sample in samples.iter().take(settling).rev() {
        filter(sample);
    }
    Zeroizing::new(samples.iter().map(|&sample| filter(sample)).collect())
}

/// A second-order section, in transposed direct form II.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    fn section(index: usize, rate: u32) -> Self {
        let pole_angle = PI * (2 * index + 1) as f64 / (4 * SECTIONS) as f64;
        let q = 0.5 / pole_angle.cos();
        let (sine, cosine) = (TAU * CORNER_HZ / f64::from(rate)).sin_cos();
        let alpha = sine / (2.0 * q);
        let a0 = 1.0 + alpha;
        let b = (1.0 + cosine) / 2.0 / a0;
        Self {
            b: [b, -2.0 * b, b],
            a: [-2.0 * cosine / a0, (1.0 - alpha) / a0],
            state: [0.0; 2],
        }
    }

    fn process(&mut self, x: f64) -> f64 {
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

    const RATES: [u32; 5] = [8_000, 16_000, 44_100, 48_000, 384_000];

    /// The gain of the filter at `hz`, in dB.
    fn gain_db(hz: f64, rate: u32) -> f64 {
        let before = sine(hz, 0.5, rate, 6.0);
        let after = high_pass(&before, rate);
        let middle = before.len() / 2;
        level(&after[middle..]) - level(&before[middle..])
    }

    #[test]
    fn infrasound_is_removed_and_the_lowest_piano_note_kept() {
        for rate in RATES {
            assert!(gain_db(1.0, rate) < -90.0);
            assert!(gain_db(5.0, rate) < -90.0);
            assert!(gain_db(10.0, rate) < -65.0);
            assert!(gain_db(15.0, rate) < -32.0);
            assert!(gain_db(18.0, rate) < -17.0);
            assert!((gain_db(22.0, rate) + 3.01).abs() < 0.05);
            assert!(gain_db(27.5, rate) > -0.1);
            assert!(gain_db(41.2, rate).abs() < 0.02);
            assert!(gain_db(3_000.0, rate).abs() < 0.001);
        }
    }

    #[test]
    fn an_offset_is_removed_without_a_thump() {
        for rate in RATES {
            for offset in [0.4, -0.9, 3.0] {
                let tone = sine(440.0, 1e-3, rate, 2.0);
                let after = high_pass(&sum(&[vec![offset; tone.len()], tone]), rate);
                let peak = after.iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
                assert!(peak < 1.3e-3, "{rate} Hz, {offset}: {peak}");
            }
        }
    }

    #[test]
    fn infrasound_is_removed_from_the_first_sample_on() {
        for hz in [0.5, 2.0, 5.0] {
            let after = high_pass(&sine(hz, 0.5, 48_000, 2.0), 48_000);
            let peak = after.iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
            assert!(peak < 0.07, "{hz} Hz: {peak}");
        }
    }

    #[test]
    fn the_loudest_possible_input_stays_finite() {
        let square: Vec<f32> = (0..48_000)
            .map(|n| if n / 100 % 2 == 0 { f32::MAX } else { f32::MIN })
            .collect();
        let after = high_pass(&square, 48_000);
        assert!(after.iter().all(|sample| sample.abs() < 4.0));
        assert!(level(&after) > -3.0);
    }
}
