//! `seal` and `open`.

use std::{fs, process::Stdio};

use serde_json::{Value, json};

use crate::support::{CommandResult, PLAYED, QA, RESEARCH, Stage, has};

#[test]
fn a_sample_opens_only_with_its_recipients_keys() {
    let stage = Stage::without_collector();
    let other = stage.sordino("keygen --out other.key").last_word();
    stage.sordino("keygen --out stranger.key").ok();
    let sealed = stage.json(&format!(
        "seal audio/{}.wav --recipient {} --recipient {other} --out one.age",
        PLAYED[0], stage.recipient
    ));
    let length = fs::metadata(stage.path("one.age")).unwrap().len();
    assert_eq!(sealed["bytes"], length);
    for key in ["qa.key", "other.key"] {
        let opened = stage.json(&format!("open one.age --identity {key} --out opened-{key}"));
        assert_eq!(opened["manifest"]["sample"], sealed["sample_id"]);
        assert_eq!(opened["manifest"]["purposes"], json!([QA, RESEARCH]));
        assert_eq!(opened["seconds"], sealed["seconds"]);
        let manifest = fs::read(stage.path(format!("opened-{key}/manifest.json"))).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest, opened["manifest"]);
        let wav = hound::WavReader::open(stage.path(format!("opened-{key}/audio.wav"))).unwrap();
        assert_eq!(wav.spec().sample_rate, 16_000);
        let seconds = f64::from(wav.duration()) / 16_000.0;
        assert!((seconds - sealed["seconds"].as_f64().unwrap()).abs() < 0.001);
    }
    stage
        .sordino("open one.age --identity stranger.key --out stolen")
        .refused(&["one.age", "another key"]);
    assert!(!stage.path("stolen").exists());
}

#[test]
fn a_changed_or_truncated_sample_does_not_open() {
    let stage = Stage::without_collector();
    stage.seal(PLAYED[0]);
    let whole = fs::read(stage.path("one.age")).unwrap();
    for at in [0, 30, 100, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(stage.path("changed.age"), changed).unwrap();
        stage
            .sordino("open changed.age --identity qa.key --out made")
            .refused(&["changed.age"]);
        fs::write(stage.path("changed.age"), &whole[..at]).unwrap();
        stage
            .sordino("open changed.age --identity qa.key --out made")
            .refused(&["changed.age"]);
        assert!(!stage.path("made").exists(), "at {at}");
    }
}

/// The steps of a QA engineer without Sordino's tools: `age -d -i qa.key sample.age | tar x`.
#[test]
fn the_age_program_and_tar_open_a_sample() {
    const TEST: &str = "the_age_program_and_tar_open_a_sample";
    if !has("age", TEST) || !has("tar", TEST) {
        return;
    }
    let stage = Stage::without_collector();
    let sealed = stage.json(&format!(
        "seal audio/{}.wav --recipient {} --out one.age",
        PLAYED[0], stage.recipient
    ));
    fs::create_dir(stage.path("opened")).unwrap();
    let mut age = stage
        .command_of("age", "-d -i qa.key one.age")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut tar = stage.command_of("tar", "xf - -C opened");
    CommandResult::run(tar.stdin(age.stdout.take().unwrap()), "tar").ok();
    assert!(age.wait().unwrap().success());
    let manifest = fs::read(stage.path("opened/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["sample"], sealed["sample_id"]);
    let flac = fs::read(stage.path("opened/audio.flac")).unwrap();
    assert!(flac.starts_with(b"fLaC"));
    assert_eq!(
        fs::read_dir(stage.path("opened")).unwrap().count(),
        2,
        "nothing else is in it"
    );
    assert!(manifest.get("seconds").is_none() && manifest["week"].is_string());
}
