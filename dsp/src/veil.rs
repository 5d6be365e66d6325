//! One and the same noise over every clip: what is left of a device's floor lies below it, and whoever
//! takes its known spectrum off again is left with its randomness. White noise, and noise that falls by 3 dB an
//! octave (three one-pole filters), 39 dB below the level that clips are brought to.

use super::random::Draws;

/// The floor's level, in dB below full scale.
pub(crate) const FLOOR_DBFS: f64 = -62.0;
/// The poles and weights of the falling part: some -3 dB an octave from 30 Hz on.
const POLES: [(f32, f32); 3] = [(0.99, 0.098), (0.9, 0.32), (0.3, 0.85)];
/// Lays the noise over `samples` (16 kHz, at their level).
pub(crate) fn lay_veil(samples: &mut [f32], draws: &mut Draws) {
    let scale = (10f64.powf(FLOOR_DBFS / 20.0) / floor_rms()) as f32;
    let mut states = [0.0; POLES.len()];
    for sample in samples {
        let draw = draws.triangular();
        for (state, (pole, weight)) in states.iter_mut().zip(POLES) {
            *state = pole * *state + weight * draw;
        }
        *sample += scale * (draw + states.iter().sum::<f32>());
    }
}

/// The root mean square of the floor's noise before it is scaled: the draws' (1/6 of their power), and
/// the energy of what one of them becomes.
fn floor_rms() -> f64 {
    let poles = POLES.map(|(pole, weight)| (f64::from(pole), f64::from(weight)));
    let pairs = poles
        .iter()
        .flat_map(|one| poles.iter().map(move |other| (one, other)));
    let falling: f64 = pairs
        .map(|(one, other)| one.1 * other.1 / (1.0 - one.0 * other.0))
        .sum();
    let both: f64 = poles.iter().map(|(_, weight)| 2.0 * weight).sum();
    ((1.0 + both + falling) / 6.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        random::{Seed, Step},
        testing::level,
    };

    #[test]
    fn the_floor_has_its_level_whatever_is_drawn() {
        for number in 0..5 {
            let mut samples = vec![0.0; 160_000];
            lay_veil(&mut samples, &mut Seed::for_test(number).draws(Step::Noise));
            assert!(
                (level(&samples) - FLOOR_DBFS).abs() < 0.3,
                "{}",
                level(&samples)
            );
        }
    }
}
