//! Clocks that jump.

use serde_json::{Value, json};

use crate::support::{CommandResult, PLAYED, QA, Stage, has, queued};

/// Runs a command of device `d` with the clock set off by `offset`, as faketime writes it.
fn at(stage: &Stage, offset: &str, words: &str) -> Value {
    let sordino = env!("CARGO_BIN_EXE_sordino");
    let line = format!("-f {offset} {sordino} device d {words} --json");
    CommandResult::run(&mut stage.command_of("faketime", &line), &line)
        .ok()
        .document()
}

#[test]
fn a_clock_set_back_a_year_loses_and_extends_nothing() {
    if !has(
        "faketime",
        "a_clock_set_back_a_year_loses_and_extends_nothing",
    ) {
        return;
    }
    let stage = Stage::new();
    stage.sign_plan("plan", &[("consent_days", "30"), ("samples_per_day", "2")]);
    stage.granted("d", QA);
    let before = stage.submit("d", PLAYED[0]);
    // A failure sets a wait, which must not last a year now.
    assert_eq!(at(&stage, "-1y", "status")["consent"], "granted");
    assert_eq!(at(&stage, "-1y", "status")["pending"], 1);
    queued(|| at(&stage, "-1y", &format!("submit audio/{}.wav", PLAYED[1])));
    // A change of the clock in either direction does not renew the day's budget.
    for offset in ["-1y", "+0d"] {
        let third = at(&stage, offset, &format!("submit audio/{}.wav", PLAYED[2]));
        assert_eq!(
            third,
            json!({"outcome": "withheld", "reason": "budget"}),
            "{offset}"
        );
    }
    let result = at(&stage, "-1y", "upload");
    assert_eq!(
        (&result["samples"], &result["failed"]),
        (&json!(2), &json!(0)),
        "{result}"
    );
    assert!(stage.objects().contains(&before));
    assert_eq!(at(&stage, "+31d", "status")["consent"], "expired");
    assert_eq!(
        at(&stage, "-1y", "status")["consent"],
        "expired",
        "a clock set back revives nothing"
    );
}

#[test]
fn a_delay_set_before_a_clock_change_does_not_last_a_year() {
    if !has(
        "faketime",
        "a_delay_set_before_a_clock_change_does_not_last_a_year",
    ) {
        return;
    }
    let mut stage = Stage::new();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.stop_collector();
    stage.sordino("device d upload").failed(&["refused"]);
    stage.start_collector();
    assert_eq!(at(&stage, "-1y", "upload")["samples"], 1);
}

#[test]
fn no_clock_change_grants_consent_to_a_child() {
    if !has("faketime", "no_clock_change_grants_consent_to_a_child") {
        return;
    }
    let stage = Stage::new();
    stage.device("d");
    stage
        .sordino(&format!("device d consent --purpose {QA}"))
        .ok();
    for offset in ["-1y", "+0d", "+1y"] {
        let submitted = at(&stage, offset, &format!("submit audio/{}.wav", PLAYED[0]));
        assert_eq!(submitted["reason"], "no-consent", "{offset}");
        at(&stage, offset, "upload");
    }
    assert!(stage.objects().is_empty());
}
