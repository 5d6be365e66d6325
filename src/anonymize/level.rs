//! The level: every sample is sent equally loud, so that loudness tells nothing of distance or device.

use std::ops::Range;

/// The level that what is kept is brought to, in dB below full scale (root mean square).
pub(super) const TARGET_DBFS: f64 = -23.0;
/// What no peak exceeds, in dB below full scale. It goes before the level.
pub(super) const CEILING_DBFS: f64 = -1.0;
/// Below it there is nothing but a room and the microphone's noise: a phone's own lies at -60 to
/// -75 dBFS, and raising it would send a fingerprint of the device and no music.
pub(super) const QUIETEST_DBFS: f64 = -55.0;

/// There is no sound to bring to a level.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooQuiet;

/// Brings `samples`, of which only `sounding` counts, to [`TARGET_DBFS`], or to what the ceiling
/// leaves of it.
pub(super) fn normalise(samples: &mut [f32], sounding: &[Range<usize>]) -> Result<(), TooQuiet> {
    let heard = || sounding.iter().flat_map(|range| &samples[range.clone()]);
    let count: usize = sounding.iter().map(|range| range.len()).sum();
    let power: f64 = heard()
        .map(|&sample| f64::from(sample) * f64::from(sample))
        .sum();
    let peak = f64::from(heard().fold(0.0, |peak: f32, sample| peak.max(sample.abs())));
    let rms = (power / count.max(1) as f64).sqrt();
    // What is no number is no sound either.
    let audible = rms.is_finite() && rms >= amplitude(QUIETEST_DBFS);
    if !audible {
        return Err(TooQuiet);
    }
    let gain = (amplitude(TARGET_DBFS) / rms).min(amplitude(CEILING_DBFS) / peak) as f32;
    samples.iter_mut().for_each(|sample| *sample *= gain);
    Ok(())
}

fn amplitude(dbfs: f64) -> f64 {
    10f64.powf(dbfs / 20.0)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::anonymize::testing::{level, sine};

    #[test]
    fn loud_and_quiet_come_out_alike() {
        for peak in [3e-3, 0.03, 0.9, 30.0] {
            let mut samples = sine(440.0, peak, 16_000, 1.0);
            normalise(&mut samples, from_ref(&(0..16_000))).expect("loud enough");
            assert!((level(&samples) - TARGET_DBFS).abs() < 0.01);
        }
    }

    #[test]
    fn silence_between_does_not_count() {
        let mut samples = vec![0.0; 64_000];
        samples[..16_000].copy_from_slice(&sine(440.0, 0.01, 16_000, 1.0));
        normalise(&mut samples, from_ref(&(0..16_000))).expect("loud enough");
        assert!((level(&samples[..16_000]) - TARGET_DBFS).abs() < 0.01);
    }

    #[test]
    fn no_peak_exceeds_the_ceiling() {
        let mut samples = vec![0.001; 16_000];
        samples[77] = -0.9;
        normalise(&mut samples, from_ref(&(0..16_000))).expect("loud enough");
        assert!((f64::from(samples[77]) + amplitude(CEILING_DBFS)).abs() < 1e-6);
    }

    #[test]
    fn silence_and_what_is_no_number_are_refused() {
        for samples in [
            vec![],
            vec![0.0; 100],
            vec![1e-4; 100],
            vec![f32::NAN; 100],
            vec![f32::INFINITY; 9],
        ] {
            let sounding = 0..samples.len();
            assert_eq!(
                normalise(&mut samples.clone(), from_ref(&sounding)),
                Err(TooQuiet)
            );
        }
    }
}
