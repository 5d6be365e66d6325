//! `consent verify`: what a receipt says, and that a changed one says nothing.

use std::fs;

use serde_json::{Value, json};
use sordino::{
    consent::{App, Notice},
    plan::Plan,
};

use crate::support::{QA, RESEARCH, Stage};

/// Has the device `d` print a receipt to `receipt.json`.
fn receipt(stage: &Stage, options: &str) -> Value {
    let receipt = stage.json(&format!("device d consent {options}"));
    fs::write(stage.path("receipt.json"), receipt.to_string()).unwrap();
    receipt
}

#[test]
fn a_receipt_is_printed_in_a_few_lines() {
    let stage = Stage::without_collector();
    stage.device("d");
    receipt(
        &stage,
        &format!("--age-band adult --purpose {QA} {RESEARCH}"),
    );
    let text = stage.sordino("consent verify receipt.json").ok().stdout;
    assert!(text.lines().count() < 12, "{text}");
    for said in [
        "unchanged",
        "quality-assurance, recognition-research",
        "adult",
        "not needed",
        "version 1, in en, SHA-256 ",
        "Your school, privacy@school.example",
        stage.plan_key.as_str(),
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let result = stage.json("consent verify receipt.json");
    assert_eq!(result["purposes"], json!([QA, RESEARCH]));
    assert_eq!(
        (&result["age_band"], &result["guardian"]),
        (&json!("adult"), &json!(null))
    );
    assert_eq!(
        (&result["schema"], &result["revision"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(result["controller"]["key"], stage.plan_key.as_str());
    assert_eq!(result["controller"]["named"]["name"], "Your school");
    assert_eq!(result["notice_matches"], json!(null));
}

#[test]
fn a_childs_receipt_says_whether_and_how_its_guardian_approved() {
    let stage = Stage::without_collector();
    stage.device("d");
    receipt(&stage, &format!("--age-band child --purpose {QA}"));
    let text = stage.sordino("consent verify receipt.json").ok().stdout;
    assert!(text.contains("has not approved"), "{text}");

    fs::write(stage.path("short"), "a phone number").unwrap();
    let approve = format!("--age-band child --purpose {QA} --guardian-method text-plus");
    stage
        .sordino(&format!(
            "device d consent {approve} --guardian-evidence short"
        ))
        .refused(&["14 bytes", "16"]);
    assert_eq!(stage.status("d")["consent"], "awaiting-guardian");

    fs::write(stage.path("evidence"), "a token that the service gave").unwrap();
    receipt(&stage, &format!("{approve} --guardian-evidence evidence"));
    let result = stage.json("consent verify receipt.json");
    assert_eq!(result["guardian"]["method"], "text-plus");
    assert_eq!(result["guardian"]["evidence"].as_str().unwrap().len(), 64);
    let text = stage.sordino("consent verify receipt.json").ok().stdout;
    assert!(text.contains("by text-plus, evidence "), "{text}");
    let written = fs::read_to_string(stage.path("receipt.json")).unwrap();
    assert!(!written.contains("a token that"));
}

#[test]
fn a_notice_is_compared_with_the_one_agreed_to() {
    let stage = Stage::without_collector();
    stage.device("d");
    receipt(&stage, &format!("--age-band adult --purpose {QA}"));
    let app = App::new("Your school", "privacy@school.example").unwrap();
    let plan = fs::read(stage.path("plan.json")).unwrap();
    let plan = Plan::verify(&plan, &stage.plan_key.parse().unwrap()).unwrap();
    let shown = Notice::bundled(1, "en", &app, plan.content()).unwrap();
    fs::write(stage.path("notice"), shown.text()).unwrap();
    let result = stage.json("consent verify receipt.json --notice notice");
    assert_eq!(result["notice_matches"], true);
    fs::write(stage.path("other"), format!("{} ", shown.text())).unwrap();
    stage
        .sordino("consent verify receipt.json --notice other")
        .refused(&["other", "not the text that was agreed to"]);
}

#[test]
fn a_changed_receipt_gives_one_line() {
    let stage = Stage::without_collector();
    stage.device("d");
    let whole = receipt(&stage, &format!("--age-band adult --purpose {QA}")).to_string();
    let mut unsigned: Value = serde_json::from_str(&whole).unwrap();
    unsigned.as_object_mut().unwrap().remove("signature");
    for (receipt, says) in [
        (
            whole.replace("dpv:Adult", "dpv:Child"),
            "changed after it was signed",
        ),
        (
            whole.replace("\"schema:version\":1", "\"schema:version\":2"),
            "changed",
        ),
        (whole.replace("Your school", "My company"), "changed"),
        (unsigned.to_string(), "not signed"),
        (
            whole[..whole.len() - 1].to_owned(),
            "not a document of this kind",
        ),
        (String::new(), "not a document of this kind"),
    ] {
        assert_ne!(receipt, whole);
        fs::write(stage.path("receipt.json"), receipt).unwrap();
        stage
            .sordino("consent verify receipt.json")
            .refused(&["receipt.json", says]);
    }
}

/// Consent names the controller.
#[test]
fn consent_for_another_controller_is_a_new_record() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    let same = receipt(
        &stage,
        &format!("--age-band adult --purpose {QA} {RESEARCH}"),
    );
    assert_eq!(same["schema:version"], 2);
    stage.sign_plan("plan", &[("version", "2"), ("name", "\"Another company\"")]);
    stage.device("d");
    let other = receipt(&stage, &format!("--age-band adult --purpose {QA}"));
    assert_ne!(other["dct:identifier"], same["dct:identifier"]);
    let text = stage.sordino("consent verify receipt.json").ok().stdout;
    assert!(text.contains("Another company"), "{text}");
}

/// The format before records were JSON-LD.
#[test]
fn a_receipt_of_schema_1_is_verified_too() {
    let stage = Stage::without_collector();
    let vector = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/consent/schema-1.json"
    );
    fs::copy(vector, stage.path("receipt.json")).unwrap();
    let result = stage.json("consent verify receipt.json");
    assert_eq!(
        (&result["schema"], &result["given"]),
        (&json!(1), &json!("2026-W48"))
    );
    assert_eq!(result["controller"], json!(null));
}
