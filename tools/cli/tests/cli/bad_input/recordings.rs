//! WAV files that are not as they should be.

use std::fs;

use hound::{SampleFormat, WavSpec, WavWriter};
use test_tiers::sized;

use crate::support::{QA, Stage, files_below, write_long};

/// The result of `anonymize`, `submit` and `seal` for a file.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    /// The file is read; the anonymizer decides the rest.
    Read,
    /// One line with the file's name and this word.
    Refused(&'static str),
}

#[test]
fn every_recording_is_read_or_refused_by_name_in_one_line() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    let recordings = write_recordings(&stage);
    for (name, expected) in recordings {
        assert_handling(&stage, name, expected);
    }
}

fn assert_handling(stage: &Stage, name: &str, expected: Expected) {
    let recipient = &stage.recipient;
    let before = stage.outbox("d").len();
    let anonymized = stage.sordino(&format!("anonymize {name} --out out"));
    let submitted = stage.sordino(&format!("device d submit {name} --json"));
    let listened = stage.sordino(&format!("device d listen {name}"));
    let sealed = stage.sordino(&format!(
        "seal {name} --recipient {recipient} --out one.age"
    ));
    match expected {
        Expected::Read => {
            anonymized.ok();
            let submitted = submitted.ok().document();
            listened.ok();
            let is_queued = submitted["outcome"] == "queued";
            assert_eq!(
                is_queued,
                sealed.status == Some(0),
                "{name}: {submitted} and {sealed:?}"
            );
            match is_queued {
                true => drop(sealed.ok()),
                false => sealed.refused(&[name]),
            }
            assert_eq!(stage.path("one.age").exists(), is_queued, "{name}");
        }
        Expected::Refused(reason) => {
            anonymized.refused(&[name, reason]);
            submitted.refused(&[name, reason]);
            listened.refused(&[name, reason]);
            sealed.refused(&[name, reason]);
            assert!(
                files_below(&stage.path("out")).is_empty(),
                "{name} left something"
            );
            assert!(!stage.path("one.age").exists(), "{name}");
            assert_eq!(stage.outbox("d").len(), before, "{name}");
        }
    }
    fs::remove_dir_all(stage.path("out")).unwrap();
    let _ = fs::remove_file(stage.path("one.age"));
    assert_eq!(
        stage.status("d")["consent"],
        "granted",
        "the state opens after {name}"
    );
}

fn write_recordings(stage: &Stage) -> Vec<(&'static str, Expected)> {
    let raw = |name: &str, bytes: &[u8]| fs::write(stage.path(name), bytes).unwrap();
    let good = fs::read(stage.path("audio/flute-alone.wav")).unwrap();
    raw("empty.wav", b"");
    raw("header-only.wav", &good[..44]);
    raw("half-a-header.wav", &good[..20]);
    raw("truncated.wav", &good[..good.len() / 2]);
    raw("one-byte-short.wav", &good[..good.len() - 1]);
    raw(
        "text.wav",
        b"This is not a recording, in spite of its name. It is text.\n",
    );
    raw("zeros.wav", &[0; 100_000]);
    raw("one-frame-short.wav", &good[..good.len() - 2]);
    // The header that a writer to a pipe produces.
    let mut open = good.clone();
    open[40..44].copy_from_slice(&(u32::MAX - 15).to_le_bytes());
    raw("open-ended.wav", &open);
    fs::create_dir(stage.path("folder.wav")).unwrap();
    std::os::unix::fs::symlink("nowhere", stage.path("dangling.wav")).unwrap();

    tone(stage, "8-bit.wav", int(8, 1, 44_100), 4.0);
    tone(stage, "24-bit.wav", int(24, 2, 96_000), 4.0);
    tone(stage, "32-bit.wav", int(32, 1, 48_000), 4.0);
    tone(stage, "8-khz.wav", int(16, 1, 8_000), 4.0);
    tone(stage, "8-channels.wav", int(16, 8, 48_000), 4.0);
    tone(stage, "192-khz.wav", int(16, 2, 192_000), 4.0);
    tone(stage, "4-khz.wav", int(16, 1, 4_000), 4.0);
    floats(
        stage,
        "float.wav",
        (0..192_000).map(|at| 0.3 * sine(at, 48_000)),
    );
    floats(
        stage,
        "loud.wav",
        (0..192_000).map(|at| 1e30 * sine(at, 48_000)),
    );
    floats(
        stage,
        "nan.wav",
        (0..96_000).map(|at| {
            if at == 50_000 {
                f32::NAN
            } else {
                sine(at, 48_000)
            }
        }),
    );
    floats(
        stage,
        "infinite.wav",
        (0..96_000).map(|at| if at == 7 { f32::INFINITY } else { 0.1 }),
    );
    floats(stage, "all-nan.wav", (0..96_000).map(|_| f32::NAN));
    floats(stage, "one-sample.wav", std::iter::once(0.5));

    let mut recordings = vec![
        ("nowhere.wav", Expected::Refused("No such file")),
        ("dangling.wav", Expected::Refused("No such file")),
        ("folder.wav", Expected::Refused("not a file")),
        ("empty.wav", Expected::Refused("empty")),
        ("header-only.wav", Expected::Refused("truncated")),
        ("half-a-header.wav", Expected::Refused("truncated")),
        ("truncated.wav", Expected::Refused("truncated")),
        ("one-frame-short.wav", Expected::Refused("truncated")),
        ("text.wav", Expected::Refused("not a WAV")),
        ("zeros.wav", Expected::Refused("not a WAV")),
        (
            "nan.wav",
            Expected::Refused("sample 50000 is not a finite number"),
        ),
        (
            "infinite.wav",
            Expected::Refused("sample 7 is not a finite number"),
        ),
        (
            "all-nan.wav",
            Expected::Refused("sample 0 is not a finite number"),
        ),
        ("4-khz.wav", Expected::Refused("4000 Hz")),
    ];
    recordings.extend(
        [
            "8-bit.wav",
            "24-bit.wav",
            "32-bit.wav",
            "8-khz.wav",
            "8-channels.wav",
            "192-khz.wav",
            "float.wav",
            "loud.wav",
            "one-sample.wav",
            "one-byte-short.wav",
            "open-ended.wav",
        ]
        .map(|name| (name, Expected::Read)),
    );
    recordings
}

/// Every command except `listen`, which plays WAV files.
#[test]
fn a_corrupt_recording_of_any_format_is_refused_in_one_line() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    let bytes = [b"fLaC\x00\x00\x00\x22".as_slice(), &[0; 1000]].concat();
    fs::write(stage.path("flac.wav"), bytes).unwrap();
    let recipient = &stage.recipient;
    for line in [
        "anonymize flac.wav --out out".to_owned(),
        "device d submit flac.wav".to_owned(),
        format!("seal flac.wav --recipient {recipient} --out one.age"),
    ] {
        stage
            .sordino(&line)
            .refused(&["flac.wav", "damaged", "ffmpeg -i"]);
    }
    stage
        .sordino("device d listen flac.wav")
        .refused(&["flac.wav", "not a WAV"]);
    assert!(files_below(&stage.path("out")).is_empty());
}

/// An hour is worked on; a day is refused before memory is spent on it.
#[test]
fn an_hour_is_handled_and_a_day_is_refused() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    write_long(&stage, "hour.wav", 3600);
    write_long(&stage, "day.wav", 24 * 3600);
    for line in [
        "device d submit day.wav".to_owned(),
        format!("seal day.wav --recipient {} --out one.age", stage.recipient),
    ] {
        stage
            .sordino(&line)
            .refused(&["day.wav", "cut it into parts"]);
    }
    stage
        .sordino("anonymize day.wav --out out")
        .failed(&["day.wav", "cut it into parts"]);
    assert!(files_below(&stage.path("out")).is_empty());
    // Each second costs as much as the one before, so that a soak alone has the time for all of an hour.
    let worked_on = sized(300, 3600);
    write_long(&stage, "long.wav", worked_on);
    stage.sordino("anonymize long.wav --out out").ok();
    assert!(stage.path("out/long.json").is_file());
    // The device takes the last seconds of whatever it is submitted.
    assert_eq!(stage.sordino("device d submit hour.wav").status, Some(0));
    assert_eq!(stage.status("d")["consent"], "granted");
}

#[test]
fn a_pipe_does_not_block_a_command() {
    let stage = Stage::without_collector();
    let made = stage.command_of("mkfifo", "pipe.wav").status().unwrap();
    assert!(made.success());
    stage
        .sordino("anonymize pipe.wav --out out")
        .failed(&["pipe.wav", "not a file"]);
}

fn int(bits: u16, channels: u16, rate: u32) -> WavSpec {
    WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: bits,
        sample_format: SampleFormat::Int,
    }
}

/// Four harmonics, so that it is playing rather than a test signal.
fn tone(stage: &Stage, name: &str, spec: WavSpec, seconds: f64) {
    let mut writer = WavWriter::create(stage.path(name), spec).unwrap();
    let full_scale = f64::from(1_u32 << (spec.bits_per_sample - 1)) - 1.0;
    for at in 0..(seconds * f64::from(spec.sample_rate)) as u32 {
        let value = f64::from(0.3 * sine(at, spec.sample_rate)) * full_scale;
        for _ in 0..spec.channels {
            writer.write_sample(value as i32).unwrap();
        }
    }
    writer.finalize().unwrap();
}

fn floats(stage: &Stage, name: &str, samples: impl Iterator<Item = f32>) {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let mut writer = WavWriter::create(stage.path(name), spec).unwrap();
    for sample in samples {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
}

fn sine(at: u32, rate: u32) -> f32 {
    let cycles = f64::from(at) * 440.0 / f64::from(rate);
    (cycles * std::f64::consts::TAU).sin() as f32
}
