//! Plans that must not rule a device.

use std::fs;

use crate::support::{CommandResult, PLAYED, QA, Stage, has};

/// Written by hand, forged, cut, or not a plan at all: each leaves a new device unmade and an old
/// one as it was.
#[test]
fn a_plan_of_another_organization_is_refused() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    stage.sign_plan("second", &[("version", "2"), ("samples_per_day", "0")]);
    let good = fs::read_to_string(stage.path("second.json")).unwrap();
    let edited = good.replacen("\"samples_per_day\": 0", "\"samples_per_day\": 9", 1);
    assert_ne!(edited, good);
    let unsigned = {
        let mut plan: serde_json::Value = serde_json::from_str(&good).unwrap();
        plan.as_object_mut().unwrap().remove("signature");
        plan.to_string()
    };
    stage.sordino("plan keygen --out forger.key").ok();
    stage
        .sordino("plan sign second.toml --key forger.key --out forged.json")
        .ok();
    let forged = fs::read_to_string(stage.path("forged.json")).unwrap();
    for (case, bytes) in [
        ("edited", edited.as_bytes()),
        ("unsigned", unsigned.as_bytes()),
        ("forged", forged.as_bytes()),
        ("cut", &good.as_bytes()[..good.len() / 2]),
        ("empty", b""),
        ("text", b"all samples, please"),
        ("list", b"[]"),
        ("deep", "[".repeat(100_000).as_bytes()),
        ("binary", &[0xff; 1000]),
        ("huge", " ".repeat(64 << 20).as_bytes()),
    ] {
        let name = format!("{case}.json");
        fs::write(stage.path(&name), bytes).unwrap();
        let init = |device: &str| {
            stage.sordino(&format!(
                "device {device} init --plan {name} --plan-key {} --collector {}",
                stage.plan_key,
                stage.url()
            ))
        };
        init("new").refused(&[&name]);
        assert!(!stage.path("new").exists(), "{case} made a device");
        init("d").refused(&[&name]);
        if case != "forged" {
            stage
                .sordino(&format!("plan show {name}"))
                .refused(&[&name]);
        }
    }
    stage.submit("d", PLAYED[0]);
}

#[test]
fn an_older_plan_and_another_of_the_same_version_are_refused() {
    let stage = Stage::without_collector();
    stage.sign_plan("plan", &[("version", "3")]);
    stage.granted("d", QA);
    for (version, says) in [("2", "never go back"), ("3", "raise its version")] {
        stage.sign_plan("plan", &[("version", version), ("samples_per_day", "0")]);
        let (key, url) = (&stage.plan_key, stage.url());
        stage
            .sordino(&format!(
                "device d init --plan plan.json --plan-key {key} --collector {url}"
            ))
            .refused(&[version, says]);
    }
    stage.submit("d", PLAYED[0]);
}

#[test]
fn an_expired_plan_is_refused_and_stops_sampling() {
    let stage = Stage::new();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.sign_plan("plan", &[("version", "2"), ("expires", "\"2020-01-01\"")]);
    let (key, url) = (&stage.plan_key, stage.url());
    let line = format!("init --plan plan.json --plan-key {key} --collector {url}");
    for device in ["d", "new"] {
        stage
            .sordino(&format!("device {device} {line}"))
            .refused(&["expired on 2020-01-01"]);
    }
    assert!(!stage.path("new").exists(), "it made a device");

    const TEST: &str = "one_that_expires_samples_and_sends_nothing";
    if !has("faketime", TEST) {
        return;
    }
    let sordino = env!("CARGO_BIN_EXE_sordino");
    let years_later = |words: &str| {
        let line = format!("-f +9y {sordino} device d {words} --json");
        CommandResult::run(&mut stage.command_of("faketime", &line), &line)
    };
    let submitted = years_later(&format!("submit audio/{}.wav", PLAYED[1]))
        .ok()
        .document();
    assert_eq!(submitted["reason"], "plan-expired");
    years_later("upload");
    assert!(stage.objects().is_empty());
}
