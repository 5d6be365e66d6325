//! Masking noise: the same noise spectrum on every clip.
//!
//! It is louder than the rest of a device's own noise floor. An attacker who subtracts the known spectrum is left with
//! its random fluctuation. The noise is white noise plus pink noise, whose -3 dB per octave the sum of three one-pole
//! low-pass filters approximates.

use crate::rng::StepRng;

/// The level of the noise, in dBFS: 39 dB below the level to which clips are normalized.
pub(crate) const NOISE_DBFS: f64 = -62.0;
/// The poles and gains of the pink part: about -3 dB per octave from 30 Hz on.
const POLES: [(f32, f32); 3] = [(0.99, 0.098), (0.9, 0.32), (0.3, 0.85)];

/// Adds the noise to `samples` (16 kHz, normalized).
pub(crate) fn add_masking_noise(samples: &mut [f32], rng: &mut StepRng) {
    let scale = (10f64.powf(NOISE_DBFS / 20.0) / unscaled_rms()) as f32;
    let mut states = [0.0; POLES.len()];
    for sample in samples {
        let white = rng.triangular();
        for (state, (pole, gain)) in states.iter_mut().zip(POLES) {
            *state = pole * *state + gain * white;
        }
        *sample += scale * (white + states.iter().sum::<f32>());
    }
}

/// The root mean square of the noise before scaling: the variance of the triangular distribution, 1/6, times the
/// energy of the impulse response.
fn unscaled_rms() -> f64 {
    let poles = POLES.map(|(pole, gain)| (f64::from(pole), f64::from(gain)));
    let pairs = poles
        .iter()
        .flat_map(|one| poles.iter().map(move |other| (one, other)));
    let pink: f64 = pairs
        .map(|(one, other)| one.1 * other.1 / (1.0 - one.0 * other.0))
        .sum();
    let cross: f64 = poles.iter().map(|(_, gain)| 2.0 * gain).sum();
    ((1.0 + cross + pink) / 6.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rng::{Seed, Step},
        testing::level,
    };

    #[test]
    fn the_noise_has_its_level_for_any_seed() {
        for number in 0..5 {
            let mut samples = vec![0.0; 160_000];
            add_masking_noise(
                &mut samples,
                &mut Seed::for_test(number).rng(Step::MaskingNoise),
            );
            assert!(
                (level(&samples) - NOISE_DBFS).abs() < 0.3,
                "{}",
                level(&samples)
            );
        }
    }
}
