//! `device … reset`: erases all state except the withdrawals that are still to be sent.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::support::{PLAYED, QA, RESEARCH, Stage, files_below};

/// A device with consent, with a sample at the collector and in every dataset, and one that
/// waits. The id of the first.
fn in_use(stage: &Stage) -> String {
    stage.granted("d", &format!("{QA} {RESEARCH}"));
    let sent = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    stage.pull_everything();
    stage.submit("d", PLAYED[1]);
    sent
}

/// After the next upload nothing is left of a sample anywhere.
fn assert_deletion_requested(stage: &Stage, sent: &str) {
    assert!(stage.objects().contains(sent), "the collector cannot know");
    assert_eq!(stage.status("d")["deletions_pending"], 1);
    assert_eq!(stage.upload("d")["deletions"], 1);
    assert_eq!(stage.status("d")["deletions_pending"], 0);
    assert_eq!(stage.upload("d")["deletions"], 0, "it is said once");
    assert!(stage.objects().is_empty());
    stage.pull_everything();
    assert!(!stage.is_pulled(sent));
    assert_eq!(stage.pull("afresh", "bundle")["total"], 0);
}

#[test]
fn a_reset_keeps_the_plan_and_requests_deletion_of_samples() {
    let stage = Stage::new();
    let sent = in_use(&stage);
    let record = stage.json("device d samples")[0]["consent"].clone();
    assert_eq!(stage.json("device d reset"), json!({"settings_kept": true}));
    let status = stage.status("d");
    assert_eq!(
        (&status["consent"], &status["purposes"], &status["pending"]),
        (&json!("none"), &json!([]), &json!(0))
    );
    assert_eq!(stage.json("device d samples"), json!([]));
    assert!(stage.outbox("d").is_empty(), "what waited is shredded");
    assert_eq!(
        stage.json(&format!("device d submit audio/{}.wav", PLAYED[0]))["reason"],
        "no-consent"
    );
    assert_deletion_requested(&stage, &sent);
    // The part of the record that is kept is the signed withdrawal, for a collector that is restored from a backup.
    let record_bytes = record.as_str().unwrap().as_bytes();
    assert!(stage.mentions("d/slips", record_bytes));
    fs::remove_dir_all(stage.path("d/slips")).unwrap();
    assert!(!stage.mentions("d", record_bytes));

    // A new yes needs no new plan, and is another record.
    stage.consent("d", QA);
    let new = stage.submit("d", PLAYED[0]);
    assert_ne!(stage.json("device d samples")[0]["consent"], record);
    stage.upload("d");
    assert_eq!(stage.objects(), [new].into());
}

/// Before the withdrawal was sent, and after: nothing is lost, and nothing is restored.
#[test]
fn a_device_can_be_reset_repeatedly() {
    let stage = Stage::new();
    let sent = in_use(&stage);
    stage.sordino("device d withdraw").ok();
    for _ in 0..3 {
        let said = stage.sordino("device d reset").ok().stdout;
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert_deletion_requested(&stage, &sent);
    stage.sordino("device d reset").ok();
    assert_eq!(stage.status("d")["deletions_pending"], 0);
}

/// The record was never sent to a collector.
#[test]
fn a_reset_requests_no_deletion_for_unregistered_records() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.sordino("device d reset").ok();
    assert_eq!(stage.status("d")["deletions_pending"], 0);
    assert_eq!(files_below(&stage.path("d/slips")), Vec::<PathBuf>::new());
}

type Damage = fn(&Stage);

/// Kinds of damage to a state.
const DAMAGES: [(&str, Damage); 4] = [
    ("rubbish", |stage| {
        let length = fs::metadata(stage.path("d/state.redb")).unwrap().len();
        fs::write(stage.path("d/state.redb"), rubbish(length as usize)).unwrap();
    }),
    ("rubbish behind the header", |stage| {
        let mut store = fs::read(stage.path("d/state.redb")).unwrap();
        let length = store.len();
        store[4096..].copy_from_slice(&rubbish(length - 4096));
        fs::write(stage.path("d/state.redb"), store).unwrap();
    }),
    ("cut short", |stage| {
        let store = fs::read(stage.path("d/state.redb")).unwrap();
        fs::write(stage.path("d/state.redb"), &store[..store.len() / 2]).unwrap();
    }),
    ("another's key", |stage| {
        fs::write(stage.path("d/state.key"), rubbish(32)).unwrap();
    }),
];

fn rubbish(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8)
        .collect()
}

#[test]
fn a_corrupt_device_says_how_to_reset_and_then_works() {
    for (name, damage) in DAMAGES {
        let stage = Stage::new();
        let sent = in_use(&stage);
        damage(&stage);
        let (key, url) = (&stage.plan_key, stage.url());
        for command in [
            format!("init --plan plan.json --plan-key {key} --collector {url}"),
            "status".to_owned(),
            format!("consent --age-band adult --purpose {QA}"),
            "came-of-age".to_owned(),
            "withdraw".to_owned(),
            format!("submit audio/{}.wav", PLAYED[0]),
            format!("listen audio/{}.wav", PLAYED[0]),
            "upload".to_owned(),
            "samples".to_owned(),
            "delete --all".to_owned(),
            format!("delete {sent}"),
            "export --out mine.zip".to_owned(),
            format!("accesses {sent}"),
        ] {
            for json in ["", " --json"] {
                stage
                    .sordino(&format!("device d {command}{json}"))
                    .refused(&["damaged", "`device d reset`"]);
            }
        }
        assert!(!stage.path("mine.zip").exists(), "{name}");

        let reset = stage.sordino("device d reset --json").ok().document();
        assert_eq!(reset, json!({"settings_kept": false}), "{name}");
        assert!(stage.outbox("d").is_empty(), "{name}");
        stage
            .sordino("device d status")
            .refused(&["no state in d", "`device d init`"]);
        stage.device("d");
        assert_eq!(stage.status("d")["consent"], "none", "{name}");
        assert_deletion_requested(&stage, &sent);
        stage.consent("d", QA);
        stage.submit("d", PLAYED[0]);
    }
}

#[test]
fn reset_does_not_change_a_folder_without_a_device() {
    let stage = Stage::without_collector();
    fs::create_dir(stage.path("photographs")).unwrap();
    fs::write(stage.path("photographs/outbox"), "mine").unwrap();
    for (folder, kept) in [("nowhere", None), ("photographs", Some("mine"))] {
        for json in ["", " --json"] {
            stage
                .sordino(&format!("device {folder} reset{json}"))
                .refused(&[folder, "no state"]);
        }
        let left = fs::read_to_string(stage.path(folder).join("outbox")).ok();
        assert_eq!(left.as_deref(), kept);
    }
    assert!(!stage.path("nowhere").exists());
}

/// The message is for a person whose device no longer works.
#[test]
fn reset_prints_the_next_step() {
    let stage = Stage::new();
    in_use(&stage);
    let said = stage.sordino("device d reset").ok().stdout;
    assert!(
        said.contains("`upload` requests the deletion of what was sent"),
        "{said}"
    );
    DAMAGES[0].1(&stage);
    let said = stage.sordino("device d reset").ok().stdout;
    assert!(
        said.contains("`init`") && said.contains("`upload`"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
}
