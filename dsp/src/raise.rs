//! Quiet parts brought up, as one who wants to hear them would do it.
//!
//! A detector that hears a whisper across a room as it is lets it pass. Whoever gets the sample can
//! turn it up; so the detector hears it turned up too.

use zeroize::Zeroizing;

/// What the level is measured over: 0.2 s at 16 kHz.
const WINDOW: usize = 3_200;
/// The root mean square to which quiet parts are brought.
const TARGET: f64 = 0.1;
/// The most that is turned up: 40 dB.
const MOST: f64 = 100.0;
/// Keeps silence from being divided by, far below one step of 16 bit.
const FLOOR: f64 = 1e-12;

/// `samples` with every stretch of 0.2 s brought up to -20 dBFS, by 40 dB at most, clipped at ±1.
pub(crate) fn raised(samples: &[f32]) -> Zeroizing<Vec<f32>> {
    let power = |index: usize| samples.get(index).map_or(0.0, |&x| f64::from(x).powi(2));
    let mut sum: f64 = (0..WINDOW / 2).map(power).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(samples.len()));
    for (index, sample) in samples.iter().enumerate() {
        sum += power(index + WINDOW / 2);
        let rms = (sum.max(0.0) / WINDOW as f64 + FLOOR).sqrt();
        let gain = (TARGET / rms).clamp(1.0, MOST) as f32;
        out.push((sample * gain).clamp(-1.0, 1.0));
        if let Some(gone) = (index + 1).checked_sub(WINDOW / 2) {
            sum -= power(gone);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{level, sine};

    #[test]
    fn quiet_parts_come_up_by_40_db_at_most_and_loud_ones_stay() {
        for (before, wanted) in [
            (-80.0, -40.0),
            (-50.0, -20.0),
            (-30.0, -20.0),
            (-10.0, -10.0),
        ] {
            let peak = 10f64.powf((before + 3.01) / 20.0);
            let raised = raised(&sine(440.0, peak, 16_000, 1.0));
            let middle = level(&raised[4_000..12_000]);
            assert!(
                (middle - wanted).abs() < 0.3,
                "{before} dBFS became {middle} dBFS"
            );
        }
    }

    #[test]
    fn what_follows_a_bang_is_raised_as_if_there_had_been_none() {
        let mut samples = sine(440.0, 1e-3, 16_000, 4.0);
        samples[..1_000].fill(1e4);
        let after = &raised(&samples)[8_000..];
        assert!((level(after) - (-23.0)).abs() < 0.5, "{}", level(after));
    }
}
