//! One second of the same tone in every format, as ffmpeg encodes it.

use std::{
    f64::consts::TAU,
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::{name_of, read, read_bytes};

/// Formats that keep the samples exactly.
const LOSSLESS: [&str; 5] = [
    "tone.flac",
    "tone-alac.m4a",
    "tone-flac.ogg",
    "tone.aiff",
    "tone.caf",
];
const LOSSY: [&str; 4] = ["tone.mp3", "tone-aac.m4a", "tone.ogg", "tone.aac"];
const RATE: u32 = 16_000;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/formats")
        .join(name)
}

/// The encoded sound, as its README describes it: four harmonics of 440 Hz, swelling three times.
fn tone() -> Vec<f64> {
    let sample = |at: u32| {
        let seconds = f64::from(at) / f64::from(RATE);
        let harmonics =
            (1..=4).map(|k| (TAU * 440.0 * f64::from(k) * seconds).sin() / f64::from(k));
        let edges = (20.0 * seconds.min(1.0 - seconds)).min(1.0);
        let swell = 0.6 + 0.4 * (TAU * 3.0 * seconds).sin();
        harmonics.sum::<f64>() * 0.2 * edges * swell
    };
    (0..RATE).map(sample).collect()
}

#[test]
fn every_lossless_format_is_read_sample_by_sample() {
    for name in LOSSLESS {
        let recording = read(&path(name)).unwrap();
        assert_eq!(
            (recording.rate, recording.samples.len()),
            (RATE, RATE as usize),
            "{name}"
        );
        for (sample, expected) in recording.samples.iter().zip(tone()) {
            // Half a step of 16 bits, plus rounding of f32.
            assert!(
                (f64::from(*sample) - expected).abs() < 0.51 / 32_768.0,
                "{name}"
            );
        }
    }
}

#[test]
fn every_lossy_format_decodes_to_its_sound() {
    for name in LOSSY {
        let recording = read(&path(name)).unwrap();
        assert_eq!(recording.rate, RATE, "{name}");
        // Encoders add some frames before and after the sound.
        let excess = recording.samples.len() as i64 - i64::from(RATE);
        assert!(
            (0..4_096).contains(&excess),
            "{name}: {excess} samples too many"
        );
        let tone = tone();
        let energy: f64 = tone.iter().map(|sample| sample * sample).sum();
        let noise_at = |delay: usize| -> f64 {
            let heard = recording.samples[delay..].iter().zip(&tone);
            heard
                .map(|(heard, sound)| (f64::from(*heard) - sound).powi(2))
                .sum()
        };
        let noise = (0..=excess as usize)
            .map(noise_at)
            .fold(f64::INFINITY, f64::min);
        let decibels = 10.0 * (energy / noise).log10();
        assert!(decibels > 20.0, "{name}: {decibels} dB");
    }
}

#[test]
fn the_format_is_detected_by_content_not_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let misnamed = folder.path().join("tone.wav");
    for name in LOSSLESS.into_iter().chain(LOSSY) {
        fs::copy(path(name), &misnamed).unwrap();
        let recording = read(&misnamed).unwrap();
        assert_eq!(
            recording.samples,
            read(&path(name)).unwrap().samples,
            "{name}"
        );
    }
}

#[test]
fn an_undecodable_file_gets_one_line_with_how_to_convert_it() {
    for (name, words) in [("tone.opus", "Opus"), ("tone.webm", "WebM")] {
        let line = read(&path(name)).unwrap_err().to_string();
        assert!(line.contains(words) && line.contains("ffmpeg -i"), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
}

#[test]
fn outputs_are_named_after_the_input_or_stdin() {
    assert_eq!(name_of(Path::new("a/take.2.flac")), Some("take.2".as_ref()));
    assert_eq!(name_of(Path::new("-")), Some("stdin".as_ref()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: test_tiers::sized(300, 20_000), ..ProptestConfig::default() })]

    /// Truncated and modified files are read or rejected in one line, and are never longer than their bytes allow.
    #[test]
    fn a_corrupt_recording_is_read_or_refused_in_one_line(
        name in prop::sample::select(LOSSLESS.into_iter().chain(LOSSY).collect::<Vec<_>>()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        early in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = fs::read(path(name)).unwrap();
        // Most errors are in the header.
        let reach = if early { bytes.len().min(600) } else { bytes.len() };
        for (at, byte) in changes {
            bytes[at.index(reach)] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()) + 1);
        }
        match read_bytes(bytes, Path::new("damaged")) {
            Ok(recording) => prop_assert!(recording.samples.iter().all(|sample| sample.is_finite())),
            Err(error) => prop_assert!(!error.to_string().contains('\n'), "{}", error),
        }
    }
}
