//! The level: every sample is sent about equally loud, so that loudness tells nothing of distance or
//! device. About, by a random decibel: what an exact level would still tell is how the clip that was
//! measured differed from what was sent.

use super::random::Draws;

/// The level that what is kept is brought to, in dB below full scale (root mean square).
pub(crate) const TARGET_DBFS: f64 = -23.0;
/// How far from it a clip may lie either way, drawn for each, in dB.
pub(crate) const SPREAD_DB: f64 = 1.0;
/// What no peak exceeds, in dB below full scale. It goes before the level.
pub(crate) const CEILING_DBFS: f64 = -1.0;
/// Below it there is nothing but a room and the microphone's noise: a phone's own lies at -60 to
/// -75 dBFS, and raising it would send a fingerprint of the device and no music.
pub(crate) const QUIETEST_DBFS: f64 = -55.0;

/// How long it must be louder than that in all, in windows of [`WINDOW`]: 0.4 s. A click, or the thump of a converter that
/// wakes, is no music.
const MIN_AUDIBLE: usize = 6_400;
/// What is measured at once for it: 50 ms at 16 kHz.
const WINDOW: usize = 800;

/// There is no sound to bring to a level.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooQuiet;

/// Brings `samples` to within [`SPREAD_DB`] of [`TARGET_DBFS`], or to what the ceiling leaves of it.
pub(crate) fn normalize(samples: &mut [f32], draws: &mut Draws) -> Result<(), TooQuiet> {
    let peak = samples
        .iter()
        .fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    let rms = root_mean_square(samples);
    // What is no number is no sound either.
    let audible = rms.is_finite() && rms >= amplitude(QUIETEST_DBFS);
    if !audible || audible_length(samples) < MIN_AUDIBLE {
        return Err(TooQuiet);
    }
    let level = amplitude(TARGET_DBFS + SPREAD_DB * draws.even());
    let gain = (level / rms).min(amplitude(CEILING_DBFS) / f64::from(peak)) as f32;
    samples.iter_mut().for_each(|sample| *sample *= gain);
    Ok(())
}

/// How many samples lie in windows that are louder than [`QUIETEST_DBFS`].
fn audible_length(samples: &[f32]) -> usize {
    let loud = |window: &&[f32]| root_mean_square(window) >= amplitude(QUIETEST_DBFS);
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
        random::{Seed, Step},
        testing::{level, sine},
    };

    fn draws(number: u64) -> Draws {
        Seed::for_test(number).draws(Step::Level)
    }

    #[test]
    fn loud_and_quiet_come_out_alike() {
        for (number, peak) in [(1, 3e-3), (2, 0.03), (3, 0.9), (4, 30.0)] {
            let mut samples = sine(440.0, peak, 16_000, 1.0);
            normalize(&mut samples, &mut draws(number)).expect("loud enough");
            assert!((level(&samples) - TARGET_DBFS).abs() <= SPREAD_DB + 0.01);
        }
    }

    #[test]
    fn no_two_clips_share_a_level_by_rule() {
        let levels: Vec<f64> = (0..100)
            .map(|number| {
                let mut samples = sine(440.0, 0.1, 16_000, 0.5);
                normalize(&mut samples, &mut draws(number)).expect("loud enough");
                level(&samples)
            })
            .collect();
        let least = levels.iter().copied().fold(0.0, f64::min);
        let most = levels.iter().copied().fold(-100.0, f64::max);
        assert!(most - least > 1.8 * SPREAD_DB, "{least} to {most}");
    }

    #[test]
    fn no_peak_exceeds_the_ceiling() {
        let mut samples = vec![0.01; 16_000];
        samples[77] = -0.9;
        normalize(&mut samples, &mut draws(1)).expect("loud enough");
        assert!((f64::from(samples[77]) + amplitude(CEILING_DBFS)).abs() < 1e-6);
    }

    #[test]
    fn a_click_is_no_music_and_half_a_second_of_quiet_playing_is() {
        let mut samples = vec![0.0; 160_000];
        samples[50_000..50_800].fill(0.5);
        assert_eq!(normalize(&mut samples, &mut draws(1)), Err(TooQuiet));
        let note = sine(440.0, 0.05, 16_000, 0.5);
        samples[50_000..][..note.len()].copy_from_slice(&note);
        normalize(&mut samples, &mut draws(1)).expect("loud enough");
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
            assert_eq!(
                normalize(&mut samples.clone(), &mut draws(1)),
                Err(TooQuiet)
            );
        }
    }
}
