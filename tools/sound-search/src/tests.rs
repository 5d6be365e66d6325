#![allow(clippy::unwrap_used)]

use super::*;

/// A tone whose pitch never stays, so that no two places are alike, with a rest of silence.
fn sound() -> Sound {
    let samples: Vec<f32> = (0..200_000)
        .map(|at| {
            let second = at as f32 / 48_000.0;
            let silent = (60_000..80_000).contains(&at);
            let tone = 0.3 * (second * (400.0 + 150.0 * second) * std::f32::consts::TAU).sin();
            if silent { 0.0 } else { tone }
        })
        .collect();
    Sound {
        runs: Runs::of(&samples),
        likeness: Likeness::of(&samples),
        samples,
    }
}

/// Also across two blocks, at the beginning, or at the end.
#[test]
fn a_stretch_is_found_wherever_it_was_in_the_sound() {
    let sound = sound();
    let last = sound.samples.len() - 5_000;
    for start in (0..last).step_by(1_777).chain([last]) {
        if (54_000..80_000).contains(&start) {
            continue;
        }
        // No run of it to the bit.
        let piece = sound.samples[start..][..5_000].iter().enumerate();
        let bytes: Vec<u8> = piece
            .flat_map(|(at, sample)| (sample * 0.7 + 0.01 * (at % 7) as f32).to_le_bytes())
            .collect();
        assert_eq!(sound.runs.found_in(&bytes), None);
        let found = sound.likeness.found_in(&bytes);
        assert!(found.is_some(), "from {start} on");
    }
}

#[test]
fn silence_and_non_finite_samples_match_nothing() {
    let sound = sound();
    for value in [0.0, 0.25, f32::NAN, f32::INFINITY, f32::MAX] {
        let bytes: Vec<u8> = std::iter::repeat_n(value, 20_000)
            .flat_map(f32::to_le_bytes)
            .collect();
        assert_eq!(sound.found_in(&[bytes]), None, "{value}");
    }
}
