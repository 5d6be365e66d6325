//! `anonymize`.

use std::{fs, path::Path};

use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::Value;

use crate::support::{PLAYED, SPOKEN, Stage, assert_withheld_as_spoken};

/// A recording with playing and with a voice, of which a part is kept.
const MIXED: &str = "talk-over";
/// Half a sample at 16 kHz, and what rounding to a thousandth of a second takes, in seconds.
const ROUNDING: f64 = 0.002;
/// The maximum that trimming of a clip's ends removes, with its changed clock, in seconds.
const TRIMMED: f64 = 0.25;

#[test]
fn kept_and_removed_parts_cover_the_input() {
    let stage = Stage::without_collector();
    stage
        .sordino(&format!(
            "anonymize audio/{MIXED}.wav audio/{}.wav --out out",
            PLAYED[0]
        ))
        .ok();
    for name in [MIXED, PLAYED[0]] {
        let input = seconds_of(&stage.path(format!("audio/{name}.wav")));
        let sidecar = sidecar(&stage, name);
        assert_eq!(sidecar["withheld"], false);
        let (kept, removed) = (spans(&sidecar["kept"]), spans(&sidecar["removed"]));
        let (samples, rate) = read(&stage.path(format!("out/{name}.wav")));
        let output = samples.len() as f64 / f64::from(rate);
        assert!(
            (total(&kept) - output).abs() < ROUNDING * kept.len() as f64,
            "{name}: {kept:?} and {output}"
        );

        // Kept and removed parts follow each other from the beginning to the end.
        let mut all = [kept, removed].concat();
        all.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut end = 0.0;
        for (from, to) in all {
            assert!(
                (from - end).abs() < ROUNDING && to > from,
                "{name}: {sidecar}"
            );
            end = to;
        }
        assert!((end - input).abs() < TRIMMED, "{name}: {end} of {input}");
    }
    assert!(
        !spans(&sidecar(&stage, MIXED)["removed"]).is_empty(),
        "the voice is to be cut"
    );
}

#[test]
fn a_dc_offset_loses_no_music_and_passes_no_voice() {
    let stage = Stage::without_collector();
    let with_offset = |name: &str| {
        let path = stage.path(format!("audio/{name}.wav"));
        let sound = hound::WavReader::open(path).unwrap();
        let spec = WavSpec {
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
            ..sound.spec()
        };
        let path = stage.path(format!("{name}-offset.wav"));
        let mut wav = WavWriter::create(path, spec).unwrap();
        for sample in sound.into_samples::<i16>() {
            let half = f32::from(sample.unwrap()) / 65_536.0;
            wav.write_sample(half + 0.3).unwrap();
        }
        wav.finalize().unwrap();
    };
    // An offset cost these two 3 s and more.
    let music = ["flute-alone", "piano-chords"];
    music.into_iter().chain([SPOKEN]).for_each(with_offset);
    let names = music.map(|name| format!("audio/{name}.wav {name}-offset.wav"));
    let line = format!(
        "anonymize {} {SPOKEN}-offset.wav --out out",
        names.join(" ")
    );
    stage.sordino(&line).ok();
    for name in music {
        let kept = |name: &str| total(&spans(&sidecar(&stage, name)["kept"]));
        let (alone, with) = (kept(name), kept(&format!("{name}-offset")));
        assert!(with > alone - 1.0, "{name}: {with} s instead of {alone} s");
    }
    let spoken = sidecar(&stage, &format!("{SPOKEN}-offset"));
    assert_eq!(spoken["withheld"], true, "{spoken}");
}

#[test]
fn keep_time_replaces_removed_parts_by_silence() {
    let stage = Stage::without_collector();
    stage
        .sordino(&format!(
            "anonymize audio/{MIXED}.wav --out out --keep-time"
        ))
        .ok();
    let sidecar = sidecar(&stage, MIXED);
    let (samples, rate) = read(&stage.path(format!("out/{MIXED}.wav")));
    let input = seconds_of(&stage.path(format!("audio/{MIXED}.wav")));
    assert!((samples.len() as f64 / f64::from(rate) - input).abs() < TRIMMED);
    let part = |(from, to): (f64, f64)| {
        let index =
            |seconds: f64| ((seconds * f64::from(rate)).round() as usize).min(samples.len());
        &samples[index(from + ROUNDING)..index(to - ROUNDING)]
    };
    for span in spans(&sidecar["removed"]) {
        assert!(
            part(span).iter().all(|&sample| sample == 0),
            "{span:?} is not silent"
        );
    }
    for span in spans(&sidecar["kept"]) {
        let loudest = part(span).iter().map(|sample| sample.unsigned_abs()).max();
        assert!(loudest > Some(1000), "{span:?} is silent");
    }
}

#[test]
fn a_withheld_recording_leaves_no_sound_of_any_run() {
    let stage = Stage::without_collector();
    let recording = |name: &str| {
        let from = stage.path(format!("audio/{name}.wav"));
        fs::copy(from, stage.path("take.2.wav")).unwrap();
    };
    recording(PLAYED[0]);
    stage.sordino("anonymize take.2.wav --out out").ok();
    assert!(stage.path("out/take.2.wav").exists());
    recording(SPOKEN);
    for keep_time in ["", "--keep-time"] {
        let result = stage.json(&format!("anonymize take.2.wav --out out {keep_time}"));
        assert_eq!(result[0]["withheld"], true);
        assert!(!stage.path("out/take.2.wav").exists());
        let sidecar = sidecar(&stage, "take.2");
        assert_eq!(sidecar["withheld"], true);
        assert_withheld_as_spoken(&sidecar["reason"]);
        assert_eq!(sidecar["kept"], serde_json::json!([]));
        assert!(!sidecar["removed"].as_array().unwrap().is_empty());
    }
}

#[test]
fn nothing_removed_is_printed_as_zero() {
    let stage = Stage::without_collector();
    let line = format!("anonymize audio/{}.wav --out out", PLAYED[0]);
    let text = stage.sordino(&line).ok().stdout;
    assert!(
        text.contains(" 0.0 s removed") && !text.contains("-0.0"),
        "{text}"
    );
    let result = stage.json(&line);
    let removed = result[0]["removed_s"].as_f64().unwrap();
    assert!(removed == 0.0 && removed.is_sign_positive());
}

/// Each format, under a name without a meaningful extension.
#[test]
fn recordings_in_other_formats_are_accepted() {
    let stage = Stage::without_collector();
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let kinds = ["flac", "mp3", "aac", "ogg", "aiff", "caf"];
    for kind in kinds {
        fs::copy(formats.join(format!("tone.{kind}")), stage.path(kind)).unwrap();
    }
    let result = stage.json(&format!("anonymize {} --out out", kinds.join(" ")));
    assert_eq!(result.as_array().unwrap().len(), kinds.len());
    for kind in kinds {
        sidecar(&stage, kind);
    }
}

#[test]
fn a_dash_is_standard_input_and_its_outputs_are_named_stdin() {
    let stage = Stage::without_collector();
    let name = PLAYED[0];
    let piped = |line: &str| {
        let recording = fs::File::open(stage.path(format!("audio/{name}.wav"))).unwrap();
        let ran = stage.command(line).stdin(recording).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    piped("anonymize - --out out");
    stage
        .sordino(&format!("anonymize audio/{name}.wav --out out"))
        .ok();
    assert_eq!(
        sidecar(&stage, "stdin")["removed"],
        sidecar(&stage, name)["removed"]
    );
    assert!(stage.path("out/stdin.wav").is_file());
    let recipient = &stage.recipient;
    piped(&format!("seal - --recipient {recipient} --out one.age"));
    stage
        .sordino("open one.age --identity qa.key --out opened")
        .ok();
}

#[test]
fn an_empty_standard_input_is_refused_by_its_name() {
    let stage = Stage::without_collector();
    stage
        .sordino("anonymize - --out out")
        .failed(&["stdin", "empty"]);
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let stage = Stage::without_collector();
    fs::write(stage.path("bad.wav"), "RIFF, or so it says").unwrap();
    let line = format!(
        "anonymize audio/{}.wav bad.wav audio/{SPOKEN}.wav nowhere.wav --out out",
        PLAYED[0]
    );
    let ran = stage.sordino(&line);
    ran.failed(&["2 of 4 recordings", "bad.wav"]);
    for name in [PLAYED[0], "bad", SPOKEN, "nowhere"] {
        let rows = ran.stdout.lines();
        let rows = rows.filter(|row| row.contains(&format!("{name}.wav")));
        assert_eq!(rows.count(), 1, "{name}: {ran:?}");
    }
    let ran = stage.sordino(&format!("{line} --json"));
    ran.failed(&["2 of 4 recordings", "bad.wav"]);
    let document = ran.document();
    let rows = document.as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let file = row["file"].as_str().unwrap();
        let is_bad = ["bad.wav", "nowhere.wav"].contains(&file);
        assert_eq!(row["error"].is_string(), is_bad, "{row}");
        assert_eq!(row["withheld"].is_boolean(), !is_bad, "{row}");
    }
    let mut left: Vec<String> = fs::read_dir(stage.path("out"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            format!("{}.json", PLAYED[0]),
            format!("{}.wav", PLAYED[0]),
            format!("{SPOKEN}.json")
        ]
    );
}

#[test]
fn two_inputs_never_share_an_output() {
    let stage = Stage::without_collector();
    let name = PLAYED[0];
    fs::create_dir(stage.path("other")).unwrap();
    fs::copy(
        stage.path(format!("audio/{name}.wav")),
        stage.path(format!("other/{name}.wav")),
    )
    .unwrap();
    fs::copy(
        stage.path(format!("audio/{name}.wav")),
        stage.path("alone.wav"),
    )
    .unwrap();
    let ran = stage.sordino(&format!(
        "anonymize audio/{name}.wav other/{name}.wav alone.wav --out out --json"
    ));
    ran.failed(&[&format!("other/{name}.wav"), &format!("audio/{name}.wav")]);
    // The others are done, and each has its row.
    let rows = ran.document();
    let failed = rows.as_array().unwrap().iter();
    assert_eq!(failed.filter(|row| row["error"].is_string()).count(), 2);
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert!(stage.path("out/alone.wav").exists());
    assert!(!stage.path(format!("out/{name}.wav")).exists());
}

fn sidecar(stage: &Stage, name: &str) -> Value {
    read_json(&stage.path(format!("out/{name}.json")))
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// `[[start, end], …]` or `[{start_s, end_s, …}, …]`.
fn spans(value: &Value) -> Vec<(f64, f64)> {
    let span = |span: &Value| match span.is_array() {
        true => (span[0].as_f64().unwrap(), span[1].as_f64().unwrap()),
        false => (
            span["start_s"].as_f64().unwrap(),
            span["end_s"].as_f64().unwrap(),
        ),
    };
    value.as_array().unwrap().iter().map(span).collect()
}

fn total(spans: &[(f64, f64)]) -> f64 {
    spans.iter().map(|(from, to)| to - from).sum()
}

fn read(path: &Path) -> (Vec<i16>, u32) {
    let reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    assert_eq!(
        (spec.channels, spec.bits_per_sample, spec.sample_rate),
        (1, 16, 16_000)
    );
    (
        reader.into_samples().map(Result::unwrap).collect(),
        spec.sample_rate,
    )
}

fn seconds_of(path: &Path) -> f64 {
    let reader = hound::WavReader::open(path).unwrap();
    f64::from(reader.duration()) / f64::from(reader.spec().sample_rate)
}
