use super::*;
use crate::{
    detector::RATE,
    testing::{level, melody, sine, sum},
};

const PERIOD: usize = 1_600;

/// Takes the hum out of a whole clip.
fn cleaned(samples: &[f32]) -> Vec<f32> {
    let mut samples = samples.to_vec();
    let whole = Part::whole(samples.len());
    remove_hum(&mut samples, &[whole]);
    samples
}

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
            let after = cleaned(&before);
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
        let after = cleaned(&before);
        assert!(level(&after) - level(&before) < -20.0);
    }
}

#[test]
fn hum_goes_from_under_music_and_the_music_stays() {
    let music = melody(RATE, 10.0);
    let mut heard = sum(&[music.clone(), hum(50.0, 10.0)]);
    heard = cleaned(&heard);
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
        note[RATE as usize * 2..][..5 * RATE as usize].copy_from_slice(&sine(hz, 0.3, RATE, 5.0));
        let mut after = cleaned(&note);
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
    for length in [1, 2, PERIOD - 1, PERIOD, 3_201] {
        let mut samples = vec![0.1; length];
        samples = cleaned(&samples);
        assert!(samples.iter().all(|sample| sample.is_finite()));
    }
}
