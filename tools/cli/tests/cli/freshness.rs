//! Plans that rule only while the organization confirms them, from the key to the device.

use std::fs;

use serde_json::Value;

use crate::support::{CommandResult, QA, Stage, administer, collector_program, has, queued};

/// A stage whose plan is fresh for three days.
fn stage() -> Stage {
    let stage = Stage::without_collector();
    stage.sign_plan("plan", &[("paused", "false\nfresh_days = 3")]);
    stage
}

const OFFER: &str = "device d submit audio/flute-alone.wav";

/// A stage whose plan was signed ten days ago, and a device that sent a sample then and has another one waiting. `None`
/// where no program sets the clock.
fn ten_days_later(test: &str) -> Option<Stage> {
    if !has("faketime", test) {
        return None;
    }
    let mut stage = stage();
    stage.ten_days_ago("plan sign plan.toml --key organization.key --out plan.json");
    stage.start_collector();
    let (key, url) = (&stage.plan_key, stage.url());
    stage.ten_days_ago(&format!(
        "device d init --plan plan.json --plan-key {key} --collector {url}"
    ));
    stage.ten_days_ago(&format!("device d consent --age-band adult --purpose {QA}"));
    queued(|| stage.ten_days_ago(OFFER).document());
    stage.ten_days_ago("device d upload");
    assert_eq!(stage.objects().len(), 1);
    queued(|| stage.ten_days_ago(OFFER).document());
    assert_eq!(stage.json(OFFER)["reason"], "plan-not-fresh");
    Some(stage)
}

impl Stage {
    /// Runs `sordino` with the words of `line` ten days ago.
    fn ten_days_ago(&self, line: &str) -> CommandResult {
        let sordino = env!("CARGO_BIN_EXE_sordino");
        let line = format!("-f -10d {sordino} {line} --json");
        CommandResult::run(&mut self.command_of("faketime", &line), &line).ok()
    }

    fn refresh(&self, plan: &str) -> Value {
        self.json(&format!("plan refresh {plan}.json --key organization.key"))
    }
}

#[test]
fn a_paused_plan_hidden_by_the_collector_stops_sampling() {
    let Some(stage) = ten_days_later("a_paused_plan_that_the_collector_hides") else {
        return;
    };
    // The organization confirms the plan that pauses, which the collector was never given.
    stage.sign_plan(
        "paused",
        &[("version", "2"), ("paused", "true\nfresh_days = 3")],
    );
    stage.refresh("paused");
    let data = stage.collected();
    let line = format!(
        "plan refresh paused.freshness.json --data {}",
        data.display()
    );
    let output = stage
        .command_of(collector_program(), &line)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("version 1 is in force"),
        "{said}"
    );
    let ran = stage.sordino("device d upload --json");
    let uploaded: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(uploaded["samples"], 0, "{uploaded}");
    let reason = uploaded["waiting"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("not been confirmed"), "{uploaded}");
    assert_eq!((stage.objects().len(), stage.outbox("d").len()), (1, 1));
    assert_eq!(stage.json(OFFER)["reason"], "plan-not-fresh");
}

#[test]
fn a_freshness_statement_resumes_sampling_and_uploads() {
    let Some(stage) = ten_days_later("a_statement_lets_sampling_go_on") else {
        return;
    };
    stage.refresh("plan");
    let statement = stage.path("plan.freshness.json");
    let words = ["plan", "refresh", statement.to_str().unwrap()];
    administer(&stage.collected(), &words);
    // The statement comes with the response that there is no newer plan.
    let uploaded = stage.upload("d");
    assert_eq!(uploaded["samples"], 1, "{uploaded}");
    assert_eq!(stage.objects().len(), 2);
    queued(|| stage.json(OFFER));
}

#[test]
fn a_withdrawal_is_sent_under_a_stale_plan() {
    let Some(stage) = ten_days_later("a_withdrawal_is_sent_under_a_stale_plan") else {
        return;
    };
    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    assert!(stage.objects().is_empty());
}

#[test]
fn a_statement_is_signed_by_the_key_of_the_plan_for_today() {
    let stage = stage();
    let said = stage.refresh("plan");
    assert_eq!(said["version"], 1);
    assert_eq!(said["key"], stage.plan_key.as_str());
    let written = fs::read_to_string(stage.path("plan.freshness.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["statement"], "plan-freshness");
    assert_eq!(written["plan"], 1);
    assert_eq!(written["day"], said["day"]);
    let shown = stage.json("plan show plan.json");
    assert_eq!(shown["plan"]["fresh_days"], 3);
    assert!(shown["plan"]["signed_on"].is_string());

    stage
        .sordino("plan refresh plan.json --key organization.key -o said.json")
        .ok();
    assert!(stage.path("said.json").exists());
    stage.sordino("plan keygen --out other.key").ok();
    stage
        .sordino("plan refresh plan.json --key other.key -o no.json")
        .refused(&["other.key", &stage.plan_key]);
    stage.sign_plan("without", &[]);
    stage
        .sordino("plan refresh without.json --key organization.key -o no.json")
        .refused(&["without.json", "needs no statement"]);
    stage
        .sordino("plan refresh said.json --key organization.key -o no.json")
        .refused(&["said.json"]);
    assert!(!stage.path("no.json").exists());
    // A statement is not a plan.
    let (key, url) = (&stage.plan_key, stage.url());
    stage
        .sordino(&format!(
            "device new init --plan said.json --plan-key {key} --collector {url}"
        ))
        .refused(&["said.json"]);
}
