//! One and the same noise over every clip: what is left of a device's floor, and of hum, lies below it,
//! and whoever takes its known spectrum off again is left with its randomness.
//!
//! It has two parts. A floor: white noise, and noise that falls by 3 dB an octave (three one-pole
//! filters), 39 dB below the level that clips are brought to. And a false hum: at each harmonic of both
//! mains up to 1 kHz a tone whose amplitude and phase wander at random within the second, so that what
//! follows a line follows a draw.

use realfft::{RealFftPlanner, num_complex::Complex};

use super::{
    detector::RATE,
    hum::{HIGHEST_HZ, MAINS_HZ},
    random::Draws,
};

/// The floor's level, in dB below full scale.
pub(super) const FLOOR_DBFS: f64 = -62.0;
/// The poles and weights of the falling part: some -3 dB an octave from 30 Hz on.
const POLES: [(f32, f32); 3] = [(0.99, 0.098), (0.9, 0.32), (0.3, 0.85)];
/// The level of each false line, in dB below full scale.
const LINE_DBFS: f64 = -64.0;
/// All lines' common period: 0.1 s.
const PERIOD: usize = 1_600;
/// The distance of two bins of a period's spectrum, in Hz.
const BIN_HZ: f64 = RATE as f64 / PERIOD as f64;
/// Over which a line's amplitude goes from one draw to the next: 0.4 s.
const HOP: usize = 4 * PERIOD;

/// The transform refused its own buffers, which it cannot.
#[derive(Debug)]
pub(super) struct VeilFailed;

/// Lays the noise over `samples` (16 kHz, at their level).
pub(super) fn lay_veil(samples: &mut [f32], draws: &mut Draws) -> Result<(), VeilFailed> {
    lay_floor(samples, draws);
    lay_lines(samples, draws)
}

fn lay_floor(samples: &mut [f32], draws: &mut Draws) {
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

fn lay_lines(samples: &mut [f32], draws: &mut Draws) -> Result<(), VeilFailed> {
    let inverse = RealFftPlanner::<f32>::new().plan_fft_inverse(PERIOD);
    let mut scratch = inverse.make_scratch_vec();
    let mut bins = inverse.make_input_vec();
    let (mut from, mut to) = (inverse.make_output_vec(), inverse.make_output_vec());
    let lines = lines();
    // A line's wave is twice its bin; each part of an amplitude is drawn with a power of 1/3.
    let amplitude = 10f64.powf(LINE_DBFS / 20.0) * 3f64.sqrt() / 2.0;
    let mut next = |wave: &mut Vec<f32>| {
        bins.fill(Complex::default());
        for &line in &lines {
            let mut part = || (amplitude * draws.even()) as f32;
            bins[line] = Complex::new(part(), part());
        }
        inverse
            .process_with_scratch(&mut bins, wave, &mut scratch)
            .map_err(|_| VeilFailed)
    };
    next(&mut to)?;
    for samples in samples.chunks_mut(HOP) {
        std::mem::swap(&mut from, &mut to);
        next(&mut to)?;
        for (index, sample) in samples.iter_mut().enumerate() {
            let share = index as f32 / HOP as f32;
            let (from, to) = (from[index % PERIOD], to[index % PERIOD]);
            *sample += from + share * (to - from);
        }
    }
    Ok(())
}

/// The bins of a period in which a hum could stand.
fn lines() -> Vec<usize> {
    let mut lines: Vec<usize> = MAINS_HZ
        .iter()
        .flat_map(|mains| {
            let count = (HIGHEST_HZ / mains) as usize;
            (1..=count).map(move |k| (k as f64 * mains / BIN_HZ) as usize)
        })
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymize::{
        random::{Seed, Step},
        testing::level,
    };

    #[test]
    fn the_floor_has_its_level_whatever_is_drawn() {
        for number in 0..5 {
            let mut samples = vec![0.0; 160_000];
            lay_floor(&mut samples, &mut Seed::for_test(number).draws(Step::Noise));
            assert!(
                (level(&samples) - FLOOR_DBFS).abs() < 0.3,
                "{}",
                level(&samples)
            );
        }
    }

    #[test]
    fn every_line_of_both_mains_is_there_at_its_level() {
        assert_eq!(lines()[..4], [5, 6, 10, 12]);
        let mut samples = vec![0.0; 160_000];
        lay_lines(&mut samples, &mut Seed::for_test(1).draws(Step::Noise)).expect("laid");
        // Between two draws there is less of either: two thirds of the power.
        let expected = LINE_DBFS + 10.0 * (lines().len() as f64 * 2.0 / 3.0).log10();
        assert!(
            (level(&samples) - expected).abs() < 1.5,
            "{}",
            level(&samples)
        );
    }
}
