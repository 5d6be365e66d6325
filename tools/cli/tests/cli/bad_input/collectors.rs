//! Collectors that are down, slow, broken, or none at all.

use std::{io::Read as _, net::TcpListener, process::Stdio, sync::mpsc, thread};

use serde_json::json;

use super::fake_server::{Behavior, FakeServer};
use crate::support::{CommandResult, PLAYED, QA, Stage, has};

/// A stage whose collector is away, so that its address is free, and a device with two samples.
fn waiting_device() -> Stage {
    let mut stage = Stage::new();
    stage.stop_collector();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.submit("d", PLAYED[1]);
    stage
}

fn assert_nothing_is_lost(stage: &Stage) {
    let status = stage.status("d");
    assert_eq!(
        (&status["pending"], &status["sent"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(stage.outbox("d").len(), 2);
    assert_eq!(status["consent"], "granted");
}

#[test]
fn no_impostor_makes_a_device_lose_samples() {
    for manner in Behavior::ALL {
        // One that speaks the protocol and says 200 is the collector, whatever it keeps; and what
        // a collector asks to wait for is waited for, below.
        if matches!(manner, Behavior::Nonsense | Behavior::TooMany) {
            continue;
        }
        let mut stage = waiting_device();
        let impostor = FakeServer::at(stage.collector_address(), manner);
        for _ in 0..2 {
            let ran = stage.sordino("device d upload --json");
            ran.failed(&[]);
            assert_eq!(ran.document()["samples"], 0, "{manner:?}");
            assert!(
                !ran.stderr.contains('\u{1b}'),
                "no control letters: {ran:?}"
            );
            assert_nothing_is_lost(&stage);
        }
        assert!(impostor.requests() > 0, "{manner:?}");
        assert_eq!(
            impostor.samples(),
            0,
            "{manner:?}: no sample before the registration stands"
        );
        drop(impostor);
        stage.start_collector();
        assert_eq!(
            stage.upload("d"),
            json!({"registrations": 1, "samples": 2, "deletions": 0, "deleted_samples": 0, "refused": 0, "failed": 0,
                   "waiting": []}),
            "{manner:?}"
        );
        assert_eq!(stage.objects().len(), 2);
        assert_eq!(stage.pull("data", "bundle")["pulled"], 2);
    }
}

/// The collector fails after the record is registered, so that samples are being sent.
#[test]
fn a_sample_with_a_lost_acknowledgement_is_stored_once() {
    for manner in [
        Behavior::ClosesEarly,
        Behavior::Silent,
        Behavior::Portal,
        Behavior::Fails,
    ] {
        let mut stage = Stage::new();
        stage.granted("d", QA);
        stage.upload("d");
        stage.stop_collector();
        stage.submit("d", PLAYED[0]);
        stage.submit("d", PLAYED[1]);
        let impostor = FakeServer::at(stage.collector_address(), manner);
        stage.sordino("device d upload").failed(&[]);
        stage.sordino("device d upload").failed(&[]);
        assert_nothing_is_lost(&stage);
        drop(impostor);
        stage.start_collector();
        assert_eq!(stage.upload("d")["samples"], 2, "{manner:?}");
        assert_eq!(stage.objects().len(), 2);
    }
}

#[test]
fn without_consent_no_server_receives_anything() {
    for manner in Behavior::ALL {
        let impostor = FakeServer::new(manner);
        let stage = Stage::without_collector();
        stage.device_at("unasked", &impostor.url());
        stage.device_at("child", &impostor.url());
        stage
            .sordino(&format!("device child consent --purpose {QA}"))
            .ok();
        for device in ["unasked", "child"] {
            stage.upload(device);
        }
        assert_eq!(impostor.requests(), 0, "{manner:?}");
    }
}

#[test]
fn retry_after_is_respected_by_manual_uploads() {
    const TEST: &str = "retry_after_is_respected_by_manual_uploads";
    let mut stage = waiting_device();
    let impostor = FakeServer::at(stage.collector_address(), Behavior::TooMany);
    stage.sordino("device d upload").failed(&["429"]);
    let asked = impostor.requests();
    let waits = stage.sordino("device d upload --json");
    waits.failed(&["1 registration waits until 20", "429"]);
    let waiting = &waits.document()["waiting"][1];
    assert_eq!(
        (&waiting["kind"], &waiting["count"]),
        (&json!("sample"), &json!(2))
    );
    assert!(waiting["until"].is_string());
    assert_eq!(
        impostor.requests(),
        asked,
        "it was asked again before the hour was over"
    );
    assert_nothing_is_lost(&stage);
    drop(impostor);
    stage.start_collector();
    stage.sordino("device d upload").failed(&["429"]);
    assert!(stage.objects().is_empty());
    if !has("faketime", TEST) {
        return;
    }
    let line = format!(
        "-f +61m {} device d upload --json",
        env!("CARGO_BIN_EXE_sordino")
    );
    let result = CommandResult::run(&mut stage.command_of("faketime", &line), &line)
        .ok()
        .document();
    assert_eq!(result["samples"], 2, "{result}");
    assert_eq!(stage.objects().len(), 2);
}

/// The test does not wait for a minute: it kills the device while it waits.
#[test]
fn an_unresponsive_collector_blocks_only_the_upload() {
    let mut stage = waiting_device();
    let listener = TcpListener::bind(stage.collector_address()).unwrap();
    let (heard, hears) = mpsc::channel();
    let silent = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut first = [0; 1];
        connection.read_exact(&mut first).unwrap();
        heard.send(()).unwrap();
        // Until the other side is gone.
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let mut upload = stage
        .command("device d upload")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    hears.recv().unwrap();
    upload.kill().unwrap();
    upload.wait().unwrap();
    silent.join().unwrap();
    assert_nothing_is_lost(&stage);
    stage.start_collector();
    assert_eq!(stage.upload("d")["samples"], 2);
}

#[test]
fn an_unreachable_collector_is_named() {
    let stage = waiting_device();
    for _ in 0..3 {
        stage.sordino("device d upload").failed(&["refused"]);
        assert_nothing_is_lost(&stage);
    }
    let id = stage.outbox("d").into_iter().next().unwrap();
    stage
        .sordino(&format!("device d accesses {id}"))
        .refused(&["refused"]);
}

/// A wrong path or host of the collector.
#[test]
fn a_wrong_base_url_sends_and_loses_no_sample() {
    let stage = Stage::new();
    let url = format!("{}/elsewhere", stage.url());
    stage.device_at("d", &url);
    stage.consent("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.submit("d", PLAYED[1]);
    stage
        .sordino("device d upload")
        .failed(&["not a collector"]);
    assert_nothing_is_lost(&stage);
    assert!(stage.objects().is_empty());
    // The device gets the right URL. The wrong server is asked once whether it knows of a withdrawal.
    stage.device("d");
    let first = stage.sordino("device d upload --json");
    first.failed(&["not a collector"]);
    assert_eq!(first.document()["samples"], 2);
    assert_eq!(stage.upload("d")["failed"], 0);
}
