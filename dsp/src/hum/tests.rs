use super::*;
use crate::{
    sample_rate::SAMPLE_RATE,
    testing::{level, melody, sine, sum},
};

const PERIOD: usize = 1_600;

/// Removes the hum from a whole clip.
fn without_hum(samples: &[f32]) -> Vec<f32> {
    let mut samples = samples.to_vec();
    let whole = Segment::whole(samples.len());
    remove_hum(&mut samples, &[whole]);
    samples
}

fn hum(hz: f64, seconds: f64) -> Vec<f32> {
    sum(&[
        sine(hz, 0.02, SAMPLE_RATE, seconds),
        sine(2.0 * hz, 0.01, SAMPLE_RATE, seconds),
        sine(3.0 * hz, 0.01, SAMPLE_RATE, seconds),
        sine(11.0 * hz, 0.002, SAMPLE_RATE, seconds),
    ])
}

#[test]
fn hum_is_removed_from_the_first_sample_to_the_last() {
    for mains in [50.0, 60.0] {
        for seconds in [1.5, 3.0, 10.0] {
            let before = hum(mains, seconds);
            let after = without_hum(&before);
            let tenths = before.chunks(PERIOD).zip(after.chunks(PERIOD));
            for (tenth, (before, after)) in tenths.enumerate() {
                let gain = level(after) - level(before);
                assert!(
                    gain < -30.0,
                    "{mains} Hz, {seconds} s, tenth {tenth}: {gain} dB"
                );
            }
        }
    }
}

#[test]
fn a_frequency_offset_of_0_05_hz_is_tracked() {
    for mains in [49.95, 60.04] {
        let before = sine(mains, 0.02, SAMPLE_RATE, 10.0);
        let after = without_hum(&before);
        assert!(level(&after) - level(&before) < -20.0);
    }
}

#[test]
fn hum_under_music_is_removed_and_the_music_kept() {
    let music = melody(SAMPLE_RATE, 10.0);
    let mut mixed = sum(&[music.clone(), hum(50.0, 10.0)]);
    mixed = without_hum(&mixed);
    mixed
        .iter_mut()
        .zip(&music)
        .for_each(|(mixed, music)| *mixed -= music);
    assert!(level(&mixed) - level(&hum(50.0, 10.0)) < -12.0);
}

#[test]
fn notes_at_or_near_a_harmonic_are_kept() {
    // G2, D3, B3 and D4 are within 3 Hz of a harmonic; the last note is on one for half the clip.
    for hz in [98.0, 146.83, 246.94, 293.66, 300.0] {
        let mut note = vec![0.0; 10 * SAMPLE_RATE as usize];
        note[SAMPLE_RATE as usize * 2..][..5 * SAMPLE_RATE as usize].copy_from_slice(&sine(
            hz,
            0.3,
            SAMPLE_RATE,
            5.0,
        ));
        let mut after = without_hum(&note);
        after
            .iter_mut()
            .zip(&note)
            .for_each(|(after, before)| *after -= before);
        let change = level(&after) - level(&note);
        assert!(change < -20.0, "{hz} Hz was changed by {change} dB");
    }
}

#[test]
fn clips_shorter_than_the_window_stay_finite() {
    for length in [1, 2, PERIOD - 1, PERIOD, 3_201] {
        let mut samples = vec![0.1; length];
        samples = without_hum(&samples);
        assert!(samples.iter().all(|sample| sample.is_finite()));
    }
}
