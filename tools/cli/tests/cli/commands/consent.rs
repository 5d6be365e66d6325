//! `device … consent` and `withdraw`, and the states that `status` names.

use std::fs;

use serde_json::{Value, json};

use crate::support::{CommandResult, PLAYED, QA, RESEARCH, Stage, has};

const GUARDIAN_METHODS: [&str; 9] = [
    "signed-form",
    "payment-card",
    "toll-free-call",
    "video-conference",
    "government-id",
    "knowledge-based",
    "face-match",
    "email-plus",
    "text-plus",
];

/// Without valid consent, a recording is withheld for that reason.
fn assert_nothing_is_sampled(stage: &Stage, device: &str) {
    let submitted = stage.json(&format!("device {device} submit audio/{}.wav", PLAYED[0]));
    assert_eq!(
        submitted,
        json!({"outcome": "withheld", "reason": "no-consent"})
    );
    let heard = stage.json(&format!(
        "device {device} listen audio/{}.wav --mark",
        PLAYED[0]
    ));
    assert_eq!(heard[0]["queued"], json!([]));
    assert!(
        heard[0]["frames"].as_u64() > Some(0),
        "the recognizer hears all the same"
    );
    assert!(stage.outbox(device).is_empty());
}

#[test]
fn a_fresh_device_has_no_consent_and_samples_nothing() {
    let stage = Stage::without_collector();
    stage.device("d");
    assert_eq!(
        stage.status("d"),
        json!({"consent": "none", "purposes": [], "pending": 0, "pending_bytes": 0, "sent": 0,
               "deletions_pending": 0, "waiting": []})
    );
    assert_nothing_is_sampled(&stage, "d");
    assert_eq!(stage.json("device d samples"), json!([]));
}

#[test]
fn a_person_of_unknown_age_needs_a_guardian() {
    let stage = Stage::without_collector();
    for band in ["", "--age-band unknown", "--age-band child"] {
        let name = format!("d{}", band.len());
        stage.device(&name);
        let receipt = stage.json(&format!("device {name} consent --purpose {QA} {band}"));
        let recorded = band.rsplit(' ').next().filter(|band| !band.is_empty());
        let subject = match recorded {
            Some("child") => json!(["dpv:DataSubject", "dpv:Child"]),
            _ => json!(["dpv:DataSubject"]),
        };
        assert_eq!(receipt["dpv:hasDataSubject"]["@type"], subject);
        let answers = receipt["dpv:hasConsentStatus"].as_array().unwrap();
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0]["@type"], "dpv:ConsentRequested");
        assert_eq!(stage.status(&name)["consent"], "awaiting-guardian");
        assert_eq!(stage.status(&name)["purposes"], json!([QA]));
        assert_nothing_is_sampled(&stage, &name);
    }
}

#[test]
fn guardian_approval_and_method_are_in_the_same_record() {
    let stage = Stage::without_collector();
    for method in GUARDIAN_METHODS {
        stage.device(method);
        let asked = stage.json(&format!("device {method} consent --purpose {QA}"));
        let approved = stage.json(&format!(
            "device {method} consent --purpose {QA} --guardian-method {method}"
        ));
        let approval = &approved["dpv:hasConsentStatus"][1];
        assert_eq!(
            approval["dpv:hasIndicationMethod"],
            format!("urn:sordino:guardian-method:{method}")
        );
        assert_eq!(approved["dct:identifier"], asked["dct:identifier"]);
        assert_eq!(stage.status(method)["consent"], "granted");
    }
    stage.submit(GUARDIAN_METHODS[0], PLAYED[0]);
    // The child and its guardian together, in one step.
    stage.device("at-once");
    stage
        .sordino(&format!(
            "device at-once consent --purpose {QA} --age-band child --guardian-method face-match"
        ))
        .ok();
    assert_eq!(stage.status("at-once")["consent"], "granted");
}

/// The output of the command, saved unchanged, is the receipt.
#[test]
fn consent_prints_a_verifiable_receipt() {
    let stage = Stage::without_collector();
    stage.device("d");
    let said = stage
        .sordino(&format!("device d consent --age-band child --purpose {QA}"))
        .ok();
    fs::write(stage.path("receipt.json"), said.stdout).unwrap();
    let verified = stage.sordino("consent verify receipt.json").ok();
    assert!(verified.stdout.contains(QA));
}

/// A script's or a person's copy of what was agreed to: no name, no clock time.
#[test]
fn the_receipt_is_the_signed_record() {
    let stage = Stage::without_collector();
    stage.device("d");
    let line = format!("device d consent --age-band adult --purpose {QA} {RESEARCH}");
    let receipt = stage.json(&line);
    assert_eq!(receipt["dpv:hasProcess"][0]["dct:identifier"], QA);
    assert_eq!(receipt["dpv:hasProcess"][1]["dct:identifier"], RESEARCH);
    assert_eq!(receipt["dpv:hasNotice"]["schema:version"], 1);
    assert_eq!(
        receipt["dpv:hasDataController"]["dpv:hasName"],
        "Your school"
    );
    assert_eq!(receipt["signature"]["algorithm"], "ed25519");
    let answer = &receipt["dpv:hasConsentStatus"][0];
    for week in [
        &answer["dpv:isIndicatedAtTime"],
        &answer["dpv:hasDuration"]["rdf:value"],
    ] {
        let week = week.as_str().unwrap();
        assert!(week.len() == 8 && &week[4..6] == "-W", "{week}");
    }
    let record = receipt.to_string();
    sordino::consent::Record::verify(record.as_bytes()).unwrap();
    let tampered = record.replace("dpv:Adult", "dpv:Child");
    sordino::consent::Record::verify(tampered.as_bytes()).unwrap_err();
    // Asked again, the same yes is the same record.
    assert_eq!(stage.json(&line), receipt);
}

#[test]
fn purposes_are_granted_and_withdrawn_one_by_one() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.consent("d", RESEARCH);
    assert_eq!(stage.status("d")["purposes"], json!([QA, RESEARCH]));
    stage.submit("d", PLAYED[1]);

    let withdrawn = stage.json(&format!("device d withdraw --purpose {QA}"));
    assert_eq!(withdrawn, json!({"shredded": 1, "deletions_pending": 0}));
    let status = stage.status("d");
    assert_eq!(status["consent"], "granted");
    assert_eq!(status["purposes"], json!([RESEARCH]));
    // Samples for both purposes may be used for the remaining one.
    assert_eq!(
        (status["pending"].as_u64(), stage.outbox("d").len()),
        (Some(1), 1)
    );
    let samples = stage.json("device d samples");
    let left: Vec<&Value> = samples
        .as_array()
        .unwrap()
        .iter()
        .map(|sample| &sample["purposes"])
        .collect();
    assert_eq!(left[1], &json!([RESEARCH]));

    stage
        .sordino(&format!("device d withdraw --purpose {RESEARCH}"))
        .ok();
    let status = stage.status("d");
    assert_eq!(status["consent"], "withdrawn");
    assert_eq!(status["purposes"], json!([]));
    assert_eq!(status["pending"], 0);
    assert!(stage.outbox("d").is_empty());
    assert_nothing_is_sampled(&stage, "d");
}

#[test]
fn a_withdrawal_shreds_pending_samples_and_is_idempotent() {
    let stage = Stage::without_collector();
    stage.granted("d", &format!("{QA} {RESEARCH}"));
    for recording in PLAYED {
        stage.submit("d", recording);
    }
    let withdrawn = stage.json("device d withdraw");
    assert_eq!(withdrawn, json!({"shredded": 3, "deletions_pending": 0}));
    assert!(stage.outbox("d").is_empty());
    let again = stage.json("device d withdraw");
    assert_eq!(again, json!({"shredded": 0, "deletions_pending": 0}));
    // A new yes is a new record, which cannot be linked to the old one.
    let before = stage.json("device d samples")[0]["consent"].clone();
    let receipt = stage.json(&format!("device d consent --age-band adult --purpose {QA}"));
    assert_ne!(receipt["dct:identifier"], before);
    assert_eq!(stage.status("d")["consent"], "granted");
    stage.submit("d", PLAYED[0]);
}

#[test]
fn withdrawing_without_consent_does_nothing() {
    let stage = Stage::without_collector();
    stage.device("d");
    stage.sordino("device d withdraw").ok();
    assert_eq!(stage.status("d")["consent"], "none");
}

#[test]
fn a_new_notice_outdates_consent_until_it_is_asked_again() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.sign_plan("plan", &[("version", "2"), ("notice_version", "2")]);
    stage.device("d");
    let status = stage.status("d");
    assert_eq!(status["consent"], "outdated");
    // Not withdrawn: it waits for the answer.
    assert_eq!(status["pending"], 1);
    let submitted = stage.json(&format!("device d submit audio/{}.wav", PLAYED[1]));
    assert_eq!(submitted["reason"], "no-consent");
    let receipt = stage.json(&format!("device d consent --age-band adult --purpose {QA}"));
    assert_eq!(receipt["dpv:hasNotice"]["schema:version"], 2);
    assert_eq!(stage.status("d")["consent"], "granted");
    stage.submit("d", PLAYED[1]);
}

#[test]
fn a_purpose_that_the_plan_does_not_ask_for_cannot_be_granted() {
    let stage = Stage::without_collector();
    stage.sign_plan("plan", &[("purposes", "[\"quality-assurance\"]")]);
    stage.device("d");
    stage
        .sordino(&format!(
            "device d consent --age-band adult --purpose {RESEARCH}"
        ))
        .refused(&[RESEARCH]);
    assert_eq!(stage.status("d")["consent"], "none");
}

#[test]
fn consent_expires_after_the_days_of_the_plan() {
    if !has("faketime", "consent_expires_after_the_days_of_the_plan") {
        return;
    }
    let stage = Stage::without_collector();
    stage.sign_plan("plan", &[("consent_days", "30")]);
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    let sordino = env!("CARGO_BIN_EXE_sordino");
    let state_after = |days: u32| {
        let line = format!("-f +{days}d {sordino} device d status --json");
        let ran = CommandResult::run(&mut stage.command_of("faketime", &line), &line);
        ran.ok().document()["consent"].clone()
    };
    assert_eq!(state_after(29), "granted");
    assert_eq!(state_after(31), "expired");
    // The clock set back does not bring it back.
    assert_eq!(stage.status("d")["consent"], "expired");
    assert_nothing_is_sampled_more(&stage);
    stage.consent("d", QA);
    assert_eq!(stage.status("d")["consent"], "granted");
}

fn assert_nothing_is_sampled_more(stage: &Stage) {
    let submitted = stage.json(&format!("device d submit audio/{}.wav", PLAYED[1]));
    assert_eq!(submitted["reason"], "no-consent");
}

#[test]
fn a_child_who_came_of_age_must_consent_as_an_adult() {
    let stage = Stage::new();
    stage.device("d");
    let child = stage.json(&format!(
        "device d consent --purpose {QA} --age-band child --guardian-method text-plus"
    ));
    stage.submit("d", PLAYED[0]);
    assert_eq!(
        stage.json("device d came-of-age"),
        json!({"consent": "outdated"})
    );
    assert_eq!(stage.status("d")["consent"], "outdated");
    let submitted = stage.json(&format!("device d submit audio/{}.wav", PLAYED[1]));
    assert_eq!(
        submitted,
        json!({"outcome": "withheld", "reason": "no-consent"})
    );
    // Nor is what waited sent under consent that is no longer valid.
    assert_eq!(stage.upload("d")["samples"], 0);
    assert!(stage.outbox("d").is_empty() && stage.objects().is_empty());
    stage
        .sordino("device d came-of-age")
        .refused(&["outdated", "ask as an adult"]);

    let adult = stage.json(&format!("device d consent --purpose {QA} --age-band adult"));
    assert_ne!(adult["dct:identifier"], child["dct:identifier"]);
    assert_eq!(stage.status("d")["consent"], "granted");
    let new = stage.submit("d", PLAYED[1]);
    stage.upload("d");
    assert_eq!(stage.objects(), [new].into());
}

#[test]
fn a_child_may_come_of_age_before_guardian_approval() {
    let stage = Stage::without_collector();
    stage.device("d");
    stage
        .sordino(&format!("device d consent --purpose {QA} --age-band child"))
        .ok();
    let said = stage.sordino("device d came-of-age").ok().stdout;
    assert_eq!(
        said,
        "consent is outdated: ask the person again, as an adult\n"
    );
    stage.consent("d", QA);
    assert_eq!(stage.status("d")["consent"], "granted");
}

#[test]
fn only_a_child_can_come_of_age() {
    let stage = Stage::without_collector();
    stage.device("d");
    stage
        .sordino("device d came-of-age")
        .refused(&["consent is none"]);
    stage.consent("d", QA);
    for json in ["", " --json"] {
        stage
            .sordino(&format!("device d came-of-age{json}"))
            .refused(&["consent is granted", "an adult consented"]);
    }
    assert_eq!(stage.status("d")["consent"], "granted");
    stage.sordino("device d withdraw").ok();
    stage
        .sordino("device d came-of-age")
        .refused(&["consent is withdrawn"]);
}
