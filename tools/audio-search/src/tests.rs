#![allow(clippy::unwrap_used)]

use super::*;

/// A tone with a changing pitch, so that no two positions are similar, and a pause.
fn sweep() -> Recording {
    let samples: Vec<f32> = (0..200_000)
        .map(|at| {
            let second = at as f32 / 48_000.0;
            let silent = (60_000..80_000).contains(&at);
            let tone = 0.3 * (second * (400.0 + 150.0 * second) * std::f32::consts::TAU).sin();
            if silent { 0.0 } else { tone }
        })
        .collect();
    Recording {
        exact: ExactMatcher::new(&samples),
        correlation: CorrelationMatcher::new(&samples),
        samples,
    }
}

/// Also across two blocks, at the beginning, and at the end.
#[test]
fn any_excerpt_of_the_recording_is_found() {
    let recording = sweep();
    let last = recording.samples.len() - 5_000;
    for start in (0..last).step_by(1_777).chain([last]) {
        if (54_000..80_000).contains(&start) {
            continue;
        }
        // So that no samples are equal to the bit.
        let excerpt = recording.samples[start..][..5_000].iter().enumerate();
        let bytes: Vec<u8> = excerpt
            .flat_map(|(at, sample)| (sample * 0.7 + 0.01 * (at % 7) as f32).to_le_bytes())
            .collect();
        assert_eq!(recording.exact.find_in(&bytes), None);
        let found = recording.correlation.find_in(&bytes);
        assert!(found.is_some(), "from {start} on");
    }
}

#[test]
fn silence_and_non_finite_samples_match_nothing() {
    let recording = sweep();
    for value in [0.0, 0.25, f32::NAN, f32::INFINITY, f32::MAX] {
        let bytes: Vec<u8> = std::iter::repeat_n(value, 20_000)
            .flat_map(f32::to_le_bytes)
            .collect();
        assert_eq!(recording.find_in(&[bytes]), None, "{value}");
    }
}
