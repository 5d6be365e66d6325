//! Automatic gain control: amplifies quiet parts as a listener would.
//!
//! A detector misses a whisper that a listener can make audible by turning up the volume. So the gate runs on the
//! amplified clip too. The gain follows the root mean square over a sliding window; it is at least 1, so that loud
//! parts stay as they are.

use zeroize::Zeroizing;

use crate::sample_rate::SAMPLE_RATE;

/// The window over which the level is measured, in samples: 0.2 s.
const WINDOW: usize = SAMPLE_RATE as usize / 5;
/// The root mean square to which quiet parts are amplified: -20 dBFS.
const TARGET_RMS: f64 = 0.1;
/// The maximum gain: 40 dB, with which a whisper at -60 dBFS reaches the target.
const MAX_GAIN: f64 = 100.0;
/// Added to the power so that silence does not divide by zero; far below a 16-bit step.
const POWER_FLOOR: f64 = 1e-12;

/// `samples` (16 kHz) with quiet parts amplified to -20 dBFS, by 40 dB at most, clipped at ±1.
pub(crate) fn apply_agc(samples: &[f32]) -> Zeroizing<Vec<f32>> {
    let power = |index: usize| samples.get(index).map_or(0.0, |&x| f64::from(x).powi(2));
    let mut sum: f64 = (0..WINDOW / 2).map(power).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(samples.len()));
    for (index, sample) in samples.iter().enumerate() {
        sum += power(index + WINDOW / 2);
        let rms = (sum.max(0.0) / WINDOW as f64 + POWER_FLOOR).sqrt();
        let gain = (TARGET_RMS / rms).clamp(1.0, MAX_GAIN) as f32;
        out.push((sample * gain).clamp(-1.0, 1.0));
        if let Some(oldest) = (index + 1).checked_sub(WINDOW / 2) {
            sum -= power(oldest);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{level, sine};

    #[test]
    fn quiet_parts_gain_up_to_40_db_and_loud_ones_none() {
        for (before, wanted) in [
            (-80.0, -40.0),
            (-50.0, -20.0),
            (-30.0, -20.0),
            (-10.0, -10.0),
        ] {
            let peak = 10f64.powf((before + 3.01) / 20.0);
            let amplified = apply_agc(&sine(440.0, peak, SAMPLE_RATE, 1.0));
            let middle = level(&amplified[4_000..12_000]);
            assert!(
                (middle - wanted).abs() < 0.3,
                "{before} dBFS became {middle} dBFS"
            );
        }
    }

    #[test]
    fn the_gain_recovers_after_a_loud_peak() {
        let mut samples = sine(440.0, 1e-3, SAMPLE_RATE, 4.0);
        samples[..1_000].fill(1e4);
        let after = &apply_agc(&samples)[8_000..];
        assert!((level(after) - (-23.0)).abs() < 0.5, "{}", level(after));
    }
}
