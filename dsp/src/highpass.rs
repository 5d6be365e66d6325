//! What is no sound is taken out first: DC and infrasound, by a Butterworth high-pass of tenth order at 22 Hz,
//! in double precision.
//!
//! What lies down there says more of a room and a recorder than of the playing, and misleads the detectors: to
//! them an offset is power that no mask takes away. The lowest note of a piano, 27.5 Hz, loses 0.05 dB; 18 Hz
//! lose 17 dB, 15 Hz 33 dB. What the filter remembers of a voice that is cut is what that had below some 40 Hz, which is next to
//! nothing, and of it a thirtieth once what goes with a voice on either side is over.
//! Coefficients from R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients".

use std::f64::consts::{PI, TAU};

use zeroize::Zeroizing;

/// Where the filter is 3 dB down, in Hz.
pub(crate) const CORNER_HZ: f64 = 22.0;
/// Five filters of second order make the tenth-order Butterworth.
const SECTIONS: usize = 5;
/// How much of the beginning, mirrored, the filter hears beforehand, in seconds: it forgets the step at its own
/// start by 180 dB then, so that an offset or a slow swing begins without a thump.
const SETTLING_S: f64 = 1.0;

/// `sound` at `rate` Hz without DC and infrasound. Where it goes beyond full scale, as floating-point sound may, it is
/// brought down first, its peak to ±1, so that no sum overflows.
pub(crate) fn high_passed(sound: &[f32], rate: u32) -> Zeroizing<Vec<f32>> {
    let peak = sound
        .iter()
        .fold(1.0, |peak: f32, sample| peak.max(sample.abs()));
    let mut sections: [Biquad; SECTIONS] =
        std::array::from_fn(|index| Biquad::section(index, rate));
    let mut filter = |sample: f32| {
        let scaled = f64::from(sample) / f64::from(peak);
        let passed = sections.iter_mut();
        passed.fold(scaled, |x, section| section.next(x)) as f32
    };
    let settling = (SETTLING_S * f64::from(rate)) as usize;
    for &sample in sound.iter().take(settling).rev() {
        filter(sample);
    }
    Zeroizing::new(sound.iter().map(|&sample| filter(sample)).collect())
}

/// A filter of second order, transposed direct form II.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    fn section(index: usize, rate: u32) -> Self {
        let poles = PI * (2 * index + 1) as f64 / (4 * SECTIONS) as f64;
        let quality = 0.5 / poles.cos();
        let (sine, cosine) = (TAU * CORNER_HZ / f64::from(rate)).sin_cos();
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

    const RATES: [u32; 5] = [8_000, 16_000, 44_100, 48_000, 384_000];

    /// By how many dB a tone is changed.
    fn change(hz: f64, rate: u32) -> f64 {
        let before = sine(hz, 0.5, rate, 6.0);
        let after = high_passed(&before, rate);
        let middle = before.len() / 2;
        level(&after[middle..]) - level(&before[middle..])
    }

    #[test]
    fn infrasound_goes_and_the_lowest_note_of_a_piano_stays() {
        for rate in RATES {
            assert!(change(1.0, rate) < -90.0);
            assert!(change(5.0, rate) < -90.0);
            assert!(change(10.0, rate) < -65.0);
            assert!(change(15.0, rate) < -32.0);
            assert!(change(18.0, rate) < -17.0);
            assert!((change(22.0, rate) + 3.01).abs() < 0.05);
            assert!(change(27.5, rate) > -0.1);
            assert!(change(41.2, rate).abs() < 0.02);
            assert!(change(3_000.0, rate).abs() < 0.001);
        }
    }

    #[test]
    fn an_offset_goes_without_a_thump() {
        for rate in RATES {
            for offset in [0.4, -0.9, 3.0] {
                let tone = sine(440.0, 1e-3, rate, 2.0);
                let after = high_passed(&sum(&[vec![offset; tone.len()], tone]), rate);
                let loudest = after
                    .iter()
                    .fold(0.0, |loudest: f32, x| loudest.max(x.abs()));
                assert!(loudest < 1.3e-3, "{rate} Hz, {offset}: {loudest}");
            }
        }
    }

    #[test]
    fn a_slow_swing_goes_from_its_first_sample_on() {
        for hz in [0.5, 2.0, 5.0] {
            let after = high_passed(&sine(hz, 0.5, 48_000, 2.0), 48_000);
            let loudest = after
                .iter()
                .fold(0.0, |loudest: f32, x| loudest.max(x.abs()));
            assert!(loudest < 0.07, "{hz} Hz: {loudest}");
        }
    }

    #[test]
    fn the_loudest_sound_there_is_stays_finite() {
        let square: Vec<f32> = (0..48_000)
            .map(|n| if n / 100 % 2 == 0 { f32::MAX } else { f32::MIN })
            .collect();
        let after = high_passed(&square, 48_000);
        assert!(after.iter().all(|sample| sample.abs() < 4.0));
        assert!(level(&after) > -3.0);
    }
}
