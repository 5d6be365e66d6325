//! Mains hum out: 50 and 60 Hz and their harmonics, which say on which grid, and by their drift even
//! when, a recording was made.
//!
//! A notch that is narrow enough for music rings for long and does nothing at a clip's beginning. So
//! the hum is measured and subtracted: every fifth of a second, each line's amplitude and phase under
//! a Hann window of two seconds, which tells 98 Hz from 100 Hz. A line is hum only as far as it never
//! stops: no more is subtracted than little more than what is there in a quiet moment, so that a note
//! at a line's pitch stays.

use realfft::{RealFftPlanner, num_complex::Complex};
use zeroize::Zeroizing;

use super::detector::RATE;

/// Whole periods of both mains fit into it: 0.1 s.
const PERIOD: usize = 1_600;
/// The distance of two bins of a period's DFT, in Hz.
const BIN_HZ: usize = RATE as usize / PERIOD;
/// Between two measurements: 0.2 s.
const HOP: usize = 2 * PERIOD;
/// Periods under the window: 2 s.
const PERIODS: usize = 20;
/// The frequencies of the world's mains, in Hz.
const MAINS_HZ: [usize; 2] = [50, 60];
/// Harmonics above it are weaker than the noise of a microphone.
const HIGHEST_HZ: usize = 1_000;
/// Of all measurements of a line, the share that must reach what counts as its standing level.
const QUIET: f64 = 0.25;
/// How far above its standing level a hum may waver.
const WAVER: f32 = 1.4;

/// The transform refused its own buffers, which it cannot.
#[derive(Debug)]
pub(super) struct HumFailed;

/// Takes the hum out of `samples` (16 kHz), in place.
pub(super) fn remove_hum(samples: &mut [f32]) -> Result<(), HumFailed> {
    let mut planner = RealFftPlanner::<f32>::new();
    let forward = planner.plan_fft_forward(PERIOD);
    let inverse = planner.plan_fft_inverse(PERIOD);
    let lines = lines();

    let mut folded = Zeroizing::new(vec![0.0; PERIOD]);
    let mut bins = forward.make_output_vec();
    let window = window();
    let centres = samples.len().div_ceil(HOP).max(1);
    let mut measured: Vec<Vec<Complex<f32>>> = Vec::with_capacity(centres);
    for centre in 0..centres {
        let weight = fold(samples, centre * HOP, &window, &mut folded);
        forward
            .process(&mut folded, &mut bins)
            .map_err(|_| HumFailed)?;
        let scale = 1.0 / weight.max(f32::MIN_POSITIVE);
        measured.push(lines.iter().map(|&line| bins[line] * scale).collect());
    }
    limit(&mut measured);

    let mut waves = Vec::with_capacity(centres + 1);
    for amplitudes in &measured {
        bins.fill(Complex::default());
        lines
            .iter()
            .zip(amplitudes)
            .for_each(|(&line, amplitude)| bins[line] = *amplitude);
        let mut wave = inverse.make_output_vec();
        inverse
            .process(&mut bins, &mut wave)
            .map_err(|_| HumFailed)?;
        waves.push(wave);
    }
    if let Some(last) = waves.last().cloned() {
        waves.push(last);
    }
    for (pair, samples) in waves.windows(2).zip(samples.chunks_mut(HOP)) {
        for (index, sample) in samples.iter_mut().enumerate() {
            let (from, to) = (pair[0][index % PERIOD], pair[1][index % PERIOD]);
            *sample -= from + (to - from) * (index as f32 / HOP as f32);
        }
    }
    Ok(())
}

/// The bins of a period in which hum stands.
fn lines() -> Vec<usize> {
    let mut lines: Vec<usize> = MAINS_HZ
        .iter()
        .flat_map(|mains| (*mains..=HIGHEST_HZ).step_by(*mains))
        .map(|hz| hz / BIN_HZ)
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// A Hann window over all periods.
fn window() -> Vec<f32> {
    let length = PERIODS * PERIOD;
    let turn = std::f64::consts::TAU / length as f64;
    (0..length)
        .map(|n| (0.5 - 0.5 * (turn * n as f64).cos()) as f32)
        .collect()
}

/// Adds up the periods around `centre`, under the window, so that the DFT of the sum has the long
/// window's sharpness. Returns the weight of what lay inside the clip.
fn fold(samples: &[f32], centre: usize, window: &[f32], folded: &mut [f32]) -> f32 {
    folded.fill(0.0);
    let half = window.len() / 2;
    let mut weight = 0.0;
    // The centre is a multiple of the period, so a period of the window is one of the clip.
    for (period, window) in window.chunks_exact(PERIOD).enumerate() {
        let Some(from) = (centre + period * PERIOD).checked_sub(half) else {
            continue;
        };
        let inside = samples.get(from..).unwrap_or_default();
        for ((sum, sample), share) in folded.iter_mut().zip(inside).zip(window) {
            *sum += sample * share;
        }
        weight += window.iter().take(inside.len()).sum::<f32>();
    }
    weight
}

/// Holds every line at little more than its standing level.
fn limit(measured: &mut [Vec<Complex<f32>>]) {
    let count = measured.first().map_or(0, Vec::len);
    let mut levels = Vec::with_capacity(measured.len());
    for line in 0..count {
        levels.clear();
        levels.extend(measured.iter().map(|amplitudes| amplitudes[line].norm()));
        levels.sort_unstable_by(f32::total_cmp);
        let most = levels[(levels.len() as f64 * QUIET) as usize] * WAVER;
        for amplitudes in measured.iter_mut() {
            let level = amplitudes[line].norm();
            if level > most {
                amplitudes[line] *= most / level;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymize::testing::{level, melody, sine, sum};

    fn hum(hz: f64, seconds: f64) -> Vec<f32> {
        sum(&[
            sine(hz, 0.02, RATE, seconds),
            sine(2.0 * hz, 0.01, RATE, seconds),
            sine(3.0 * hz, 0.01, RATE, seconds),
            sine(11.0 * hz, 0.002, RATE, seconds),
        ])
    }

    #[test]
    fn hum_goes_from_the_first_sample_to_the_last() {
        for mains in [50.0, 60.0] {
            for seconds in [1.5, 3.0, 10.0] {
                let before = hum(mains, seconds);
                let mut after = before.clone();
                remove_hum(&mut after).expect("removed");
                let tenths = before.chunks(PERIOD).zip(after.chunks(PERIOD));
                for (tenth, (before, after)) in tenths.enumerate() {
                    let left = level(after) - level(before);
                    assert!(
                        left < -30.0,
                        "{mains} Hz, {seconds} s, tenth {tenth}: {left} dB"
                    );
                }
            }
        }
    }

    #[test]
    fn a_grid_that_is_off_by_a_twentieth_of_a_hertz_is_followed() {
        for mains in [49.95, 60.04] {
            let before = sine(mains, 0.02, RATE, 10.0);
            let mut after = before.clone();
            remove_hum(&mut after).expect("removed");
            assert!(level(&after) - level(&before) < -20.0);
        }
    }

    #[test]
    fn hum_goes_from_under_music_and_the_music_stays() {
        let music = melody(RATE, 10.0);
        let mut heard = sum(&[music.clone(), hum(50.0, 10.0)]);
        remove_hum(&mut heard).expect("removed");
        heard
            .iter_mut()
            .zip(&music)
            .for_each(|(heard, music)| *heard -= music);
        assert!(level(&heard) - level(&hum(50.0, 10.0)) < -12.0);
    }

    #[test]
    fn notes_near_a_line_or_on_it_stay() {
        // G2, D3, B3 and D4 lie within 3 Hz of a line; the last stands on one for half the clip.
        for hz in [98.0, 146.83, 246.94, 293.66, 300.0] {
            let mut note = vec![0.0; 10 * RATE as usize];
            note[RATE as usize * 2..][..5 * RATE as usize]
                .copy_from_slice(&sine(hz, 0.3, RATE, 5.0));
            let mut after = note.clone();
            remove_hum(&mut after).expect("removed");
            after
                .iter_mut()
                .zip(&note)
                .for_each(|(after, before)| *after -= before);
            let off = level(&after) - level(&note);
            assert!(off < -20.0, "{hz} Hz was changed by {off} dB");
        }
    }

    #[test]
    fn clips_shorter_than_the_window_are_taken() {
        for length in [1, 2, PERIOD - 1, PERIOD, HOP + 1] {
            let mut samples = vec![0.1; length];
            remove_hum(&mut samples).expect("removed");
            assert!(samples.iter().all(|sample| sample.is_finite()));
        }
    }
}
