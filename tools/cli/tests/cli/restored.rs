//! Withdrawals where something was put back from a backup, was moved, or came garbled: a device's folder, a collector, a
//! collector's URL, a dataset and its token, a byte in transit.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::support::{
    Address, Collector, CommandResult, PLAYED, QA, RESEARCH, RecordingProxy, Stage, administer,
    files_below, has, sealed_in,
};

/// A device of an adult, with one sample at its collector.
fn sent(purposes: &str) -> (Stage, String) {
    let stage = Stage::new();
    stage.granted("d", purposes);
    let sample = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    assert!(stage.objects().contains(&sample));
    (stage, sample)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copied = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &copied),
            false => drop(fs::copy(entry.path(), copied).unwrap()),
        }
    }
}

fn restore(backup: &Path, folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
    copy(backup, folder);
}

#[test]
fn a_restored_state_sends_nothing_after_a_withdrawal() {
    let (stage, _) = sent(QA);
    copy(&stage.path("d"), &stage.path("backup"));
    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    assert!(stage.objects().is_empty());

    restore(&stage.path("backup"), &stage.path("d"));
    assert_eq!(stage.status("d")["consent"], "granted", "it cannot know");
    for recording in PLAYED {
        stage.submit("d", recording);
    }
    let ran = stage.sordino("device d upload --json");
    assert_eq!(ran.document()["samples"], 0, "{ran:?}");
    assert!(stage.objects().is_empty());
    let status = stage.status("d");
    assert_eq!(
        (&status["consent"], &status["pending"]),
        (&json!("withdrawn"), &json!(0))
    );
    assert!(stage.outbox("d").is_empty(), "what waited is shredded");
}

/// Taken before the registration was acknowledged, the folder knows no collector that has the record.
#[test]
fn a_state_restored_from_before_registration_sends_nothing() {
    let stage = Stage::new();
    stage.granted("d", &format!("{QA} {RESEARCH}"));
    copy(&stage.path("d"), &stage.path("backup"));
    stage.upload("d");
    stage
        .sordino(&format!("device d withdraw --purpose {QA}"))
        .ok();
    stage.upload("d");

    restore(&stage.path("backup"), &stage.path("d"));
    let sample = stage.submit("d", PLAYED[0]);
    let _ = stage.sordino("device d upload");
    stage.upload("d");
    assert_eq!(stage.status("d")["purposes"], json!([RESEARCH]));
    assert!(stage.objects().contains(&sample), "it was made for both");
    let pulled = |purpose| {
        let line = stage.pull_line(purpose, "bundle");
        stage.json(&format!("{line} --purpose {purpose}"))["pulled"].clone()
    };
    assert_eq!((pulled(QA), pulled(RESEARCH)), (json!(0), json!(1)));
}

#[test]
fn a_withdrawal_goes_to_the_collector_that_has_the_samples() {
    let (mut stage, first) = sent(QA);
    let elsewhere = Address::claim();
    let another = stage.path("another");
    let _another = Collector::start(&another, elsewhere.address, &stage.path("plan.json"));
    stage.device_at("d", &format!("http://{}", elsewhere.address));
    let second = stage.submit("d", PLAYED[1]);
    stage.upload("d");
    assert!(sealed_in(&another).contains(&second));

    stage.stop_collector();
    stage.sordino("device d withdraw").ok();
    stage.sordino("device d upload").failed(&[]);
    assert!(sealed_in(&another).is_empty(), "the present one got it");
    let status = stage.status("d");
    assert_eq!(status["deletions_pending"], 1, "the first was not");
    assert!(stage.objects().contains(&first));
    stage.start_collector();
    stage.upload("d");
    assert!(stage.objects().is_empty());
    assert_eq!(stage.status("d")["deletions_pending"], 0);
}

/// A pull for one purpose, for another, and one that may read nothing any more. (For a token that has expired the
/// collector's tests hold the same.)
#[test]
fn a_pull_removes_withdrawn_samples_with_any_token() {
    for reader in ["one purpose", "another purpose", "revoked"] {
        let (stage, sample) = sent(QA);
        assert_eq!(stage.pull("data", "bundle")["pulled"], 1);
        assert!(stage.mentions("data", sample.as_bytes()));
        let use_token_for = |purpose| {
            let words = ["token", "create", "--name", reader, "--purpose", purpose];
            let made = administer(&stage.collected(), &words);
            fs::write(stage.path("token"), made["token"].as_str().unwrap()).unwrap();
        };
        match reader {
            "one purpose" => use_token_for(QA),
            "another purpose" => use_token_for(RESEARCH),
            _ => drop(administer(
                &stage.collected(),
                &["token", "revoke", "first-reader"],
            )),
        }
        stage.sordino("device d withdraw").ok();
        stage.upload("d");
        let ran = stage.sordino(&stage.pull_line("data", "bundle"));
        assert_eq!(ran.status == Some(0), reader != "revoked", "{ran:?}");
        let is_sound = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "flac");
        assert!(!files_below(&stage.path("data")).iter().any(is_sound));
        assert!(!stage.mentions("data", sample.as_bytes()), "{reader}");
    }
}

#[test]
fn a_restored_collector_gets_every_withdrawal_again() {
    let (mut stage, first) = sent(QA);
    stage.granted("e", QA);
    let second = stage.submit("e", PLAYED[1]);
    stage.upload("e");
    stage.stop_collector();
    let (data, backup) = (stage.collected(), stage.path("backup"));
    copy(&data, &backup);
    stage.start_collector();

    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    stage.sordino("device e delete --all").ok();
    stage.upload("e");
    assert!(stage.objects().is_empty());

    // Database and objects are as they were; the file next to them, which no backup of a database has, is not.
    stage.stop_collector();
    let epoch = fs::read(data.join("collector.epoch")).unwrap();
    restore(&backup, &data);
    fs::write(data.join("collector.epoch"), epoch).unwrap();
    stage.start_collector();
    assert_eq!(stage.objects(), [first, second].into());
    if !has(
        "faketime",
        "a_restored_collector_gets_every_withdrawal_again",
    ) {
        return;
    }
    let program = env!("CARGO_BIN_EXE_sordino");
    for device in ["d", "e"] {
        let line = format!("-f +25h {program} device {device} upload");
        CommandResult::run(&mut stage.command_of("faketime", &line), &line).ok();
    }
    assert!(stage.objects().is_empty());
}

#[test]
fn a_flipped_bit_in_transit_loses_no_sample() {
    let stage = Stage::new();
    let line = RecordingProxy::new(stage.collector_address());
    stage.device_at("d", &line.url());
    stage.consent("d", QA);
    let sample = stage.submit("d", PLAYED[0]);
    line.garble();
    for _ in 0..2 {
        stage.sordino("device d upload").failed(&["Content-Digest"]);
        assert_eq!(stage.outbox("d"), [sample.clone()].into());
        assert!(stage.objects().is_empty());
    }
    line.restore();
    assert_eq!(stage.upload("d")["samples"], 1);
    assert_eq!(stage.objects(), [sample].into());
}
