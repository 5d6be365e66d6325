//! Level normalization: brings every clip to about the same root mean square, so that its level reveals neither
//! distance nor device.
//!
//! The target varies at random by up to 1 dB either way. With an exact target, small deviations from it would reveal
//! how the clip that was measured differs from the one that was sent.

use crate::{rng::StepRng, sample_rate::SAMPLE_RATE};

/// The target level, in dBFS (root mean square). It leaves headroom for the peaks of music.
pub(crate) const TARGET_DBFS: f64 = -23.0;
/// The maximum random deviation from the target, in dB.
pub(crate) const JITTER_DB: f64 = 1.0;
/// The maximum peak, in dBFS; it takes precedence over the target. Masking noise and dither, added later, need the
/// rest.
pub(crate) const CEILING_DBFS: f64 = -1.0;
/// The minimum level of a clip, in dBFS. A phone's own noise is at -60 to -75 dBFS; amplifying it would send a
/// fingerprint of the device and no music.
pub(crate) const MIN_DBFS: f64 = -55.0;

/// The minimum total length of the windows above [`MIN_DBFS`], in samples: 0.4 s. It excludes clips with nothing but a
/// click or the thump of a converter that wakes up.
const MIN_AUDIBLE: usize = SAMPLE_RATE as usize * 4 / 10;
/// The window over which that is measured, in samples: 50 ms.
const WINDOW: usize = SAMPLE_RATE as usize / 20;

/// The clip is too quiet to normalize.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooQuiet;

/// Scales `samples` to within [`JITTER_DB`] of [`TARGET_DBFS`], or to a peak of [`CEILING_DBFS`] if that is lower.
///
/// # Errors
/// The samples are too quiet, or one of them is not finite.
pub(crate) fn normalize(samples: &mut [f32], rng: &mut StepRng) -> Result<(), TooQuiet> {
    let peak = samples
        .iter()
        .fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    let rms = root_mean_square(samples);
    // A NaN or infinity fails this check.
    let audible = rms.is_finite() && rms >= amplitude(MIN_DBFS);
    if !audible || audible_length(samples) < MIN_AUDIBLE {
        return Err(TooQuiet);
    }
    let level = amplitude(TARGET_DBFS + JITTER_DB * rng.uniform());
    let gain = (level / rms).min(amplitude(CEILING_DBFS) / f64::from(peak)) as f32;
    samples.iter_mut().for_each(|sample| *sample *= gain);
    Ok(())
}

/// The number of samples in windows of at least [`MIN_DBFS`].
fn audible_length(samples: &[f32]) -> usize {
    let loud = |window: &&[f32]| root_mean_square(window) >= amplitude(MIN_DBFS);
    samples.chunks(WINDOW).filter(loud).map(<[f32]>::len).sum()
}

fn root_mean_square(samples: &[f32]) -> f64 {
    let powers = samples.iter().map(|&sample| f64::from(sample).powi(2));
    (powers.sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

fn amplitude(dbfs: f64) -> f64 {
    10f64.powf(dbfs / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rng::{Seed, Step},
        testing::{level, sine},
    };

    fn rng(number: u64) -> StepRng {
        Seed::for_test(number).rng(Step::Level)
    }

    #[test]
    fn loud_and_quiet_clips_get_the_same_level() {
        for (number, peak) in [(1, 3e-3), (2, 0.03), (3, 0.9), (4, 30.0)] {
            let mut samples = sine(440.0, peak, 16_000, 1.0);
            normalize(&mut samples, &mut rng(number)).expect("loud enough");
            assert!((level(&samples) - TARGET_DBFS).abs() <= JITTER_DB + 0.01);
        }
    }

    #[test]
    fn the_level_jitter_covers_its_range() {
        let levels: Vec<f64> = (0..100)
            .map(|number| {
                let mut samples = sine(440.0, 0.1, 16_000, 0.5);
                normalize(&mut samples, &mut rng(number)).expect("loud enough");
                level(&samples)
            })
            .collect();
        let min = levels.iter().copied().fold(0.0, f64::min);
        let max = levels.iter().copied().fold(-100.0, f64::max);
        assert!(max - min > 1.8 * JITTER_DB, "{min} to {max}");
    }

    #[test]
    fn no_peak_exceeds_the_ceiling() {
        let mut samples = vec![0.01; 16_000];
        samples[77] = -0.9;
        normalize(&mut samples, &mut rng(1)).expect("loud enough");
        assert!((f64::from(samples[77]) + amplitude(CEILING_DBFS)).abs() < 1e-6);
    }

    #[test]
    fn a_click_is_too_quiet_and_a_short_quiet_note_is_not() {
        let mut samples = vec![0.0; 160_000];
        samples[50_000..50_800].fill(0.5);
        assert_eq!(normalize(&mut samples, &mut rng(1)), Err(TooQuiet));
        let note = sine(440.0, 0.05, 16_000, 0.5);
        samples[50_000..][..note.len()].copy_from_slice(&note);
        normalize(&mut samples, &mut rng(1)).expect("loud enough");
    }

    #[test]
    fn silence_and_non_finite_samples_are_refused() {
        for samples in [
            vec![],
            vec![0.0; 100],
            vec![1e-4; 100],
            vec![f32::NAN; 100],
            vec![f32::INFINITY; 9],
        ] {
            assert_eq!(normalize(&mut samples.clone(), &mut rng(1)), Err(TooQuiet));
        }
    }
}
