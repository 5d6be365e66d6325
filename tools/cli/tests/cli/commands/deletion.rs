//! `device … samples` and `delete`: the person sees each sample, and has one or all of them gone.

use regex::Regex;
use serde_json::{Value, json};

use crate::support::{PLAYED, QA, RESEARCH, Stage};

/// The states of the samples in `samples`, in the order of their creation.
fn states(stage: &Stage) -> Vec<String> {
    let samples = stage.json("device d samples");
    let state = |sample: &Value| sample["state"].as_str().unwrap().to_owned();
    samples.as_array().unwrap().iter().map(state).collect()
}

#[test]
fn samples_are_listed_with_their_state() {
    let stage = Stage::new();
    stage.sign_plan(
        "plan",
        &[
            ("random_probability", "1.0"),
            ("clip_seconds", "4"),
            ("pre_roll_seconds", "2"),
        ],
    );
    stage.granted("d", &format!("{QA} {RESEARCH}"));
    let lines = || {
        let text = stage.sordino("device d samples").ok().stdout;
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(), ["there are no samples"]);
    let marked = stage.submit("d", PLAYED[0]);
    stage
        .sordino(&format!("device d listen audio/{}.wav", PLAYED[0]))
        .ok();
    let line = |state: &str, why: &str, purposes: &str| {
        let seconds = r" [1-4]\.\d s";
        let line =
            format!(r"^[0-9a-f]{{32}}  20\d\d-W[0-5]\d  {state:14}  {why}  {seconds}  {purposes}$");
        Regex::new(&line).unwrap()
    };
    let both = format!("{QA}, {RESEARCH}");
    let listed = lines();
    assert!(listed.len() >= 2 && listed[0].starts_with(&marked));
    for (at, listed) in listed.iter().enumerate() {
        let why = if at == 0 { "marked" } else { "random" };
        assert!(line("pending", why, &both).is_match(listed), "{listed}");
    }

    // The remaining purposes, and the progress of each deletion.
    stage
        .sordino(&format!("device d withdraw --purpose {RESEARCH}"))
        .ok();
    stage.upload("d");
    let listed = lines();
    assert!(
        line("sent", "marked", QA).is_match(&listed[0]),
        "{listed:?}"
    );
    stage.sordino(&format!("device d delete {marked}")).ok();
    let listed = lines();
    assert!(line("deletion asked", "marked", QA).is_match(&listed[0]));
    stage.upload("d");
    assert!(line("deleted", "marked", QA).is_match(&lines()[0]));
    stage.sordino("device d withdraw").ok();
    let listed = lines();
    assert!(
        line("deletion asked", "random", "no purpose").is_match(&listed[1]),
        "{listed:?}"
    );
}

#[test]
fn deleting_all_samples_reaches_collector_and_datasets() {
    let stage = Stage::new();
    stage.granted("d", &format!("{QA} {RESEARCH}"));
    stage.granted("other", QA);
    let others = stage.submit("other", PLAYED[2]);
    stage.upload("other");
    let sent = [stage.submit("d", PLAYED[0]), stage.submit("d", PLAYED[1])];
    stage.upload("d");
    stage.pull_everything();
    stage.submit("d", PLAYED[2]);

    let deleted = stage.json("device d delete --all");
    assert_eq!(deleted, json!({"deletions_pending": 2}));
    assert!(stage.outbox("d").is_empty(), "what waited is shredded");
    assert_eq!(
        states(&stage),
        ["deletion-asked", "deletion-asked", "deleted"]
    );
    let status = stage.status("d");
    assert_eq!(
        (
            &status["pending"],
            &status["sent"],
            &status["deletions_pending"]
        ),
        (&json!(0), &json!(0), &json!(2))
    );
    // Again, in words: it is not asked twice.
    assert_eq!(
        stage.sordino("device d delete --all").ok().stdout,
        "all samples deleted here; 2 sent samples to be deleted by the collector\n"
    );

    assert_eq!(stage.upload("d")["deletions"], 2);
    assert_eq!(states(&stage), ["deleted"; 3]);
    assert_eq!(stage.objects(), [others.clone()].into());
    stage.pull_everything();
    for id in &sent {
        assert!(!stage.is_pulled(id), "{id} is still in the dataset");
    }
    assert!(stage.is_pulled(&others), "another's is not touched");

    // Consent is still valid, and the next sample is another one.
    let status = stage.status("d");
    assert_eq!(
        (&status["consent"], &status["deletions_pending"]),
        (&json!("granted"), &json!(0))
    );
    stage.submit("d", PLAYED[0]);
    assert_eq!(stage.upload("d")["samples"], 1);
}

#[test]
fn deleting_all_of_no_samples_succeeds() {
    let stage = Stage::without_collector();
    stage.device("d");
    assert_eq!(
        stage.json("device d delete --all"),
        json!({"deletions_pending": 0})
    );
    assert_eq!(stage.status("d")["consent"], "none");
}

#[test]
fn delete_needs_a_sample_or_all() {
    let stage = Stage::without_collector();
    stage.device("d");
    let id = "0".repeat(32);
    for line in [
        "device d delete".to_owned(),
        format!("device d delete {id} --all"),
    ] {
        let ran = stage.sordino(&line);
        ran.misused();
        assert!(ran.stderr.contains("--all"), "{ran:?}");
    }
}
