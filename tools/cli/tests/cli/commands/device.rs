//! `device … init`, `submit`, `listen`, `upload`, `samples`, `delete`, `accesses`.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::support::{PLAYED, QA, RESEARCH, SPOKEN, Stage, assert_withheld_as_spoken};

#[test]
fn init_makes_a_device_and_installs_newer_plans() {
    let stage = Stage::without_collector();
    let (key, url) = (&stage.plan_key, stage.url());
    let line = format!("device d init --plan plan.json --plan-key {key} --collector {url}");
    let made = stage.json(&line);
    assert_eq!(
        made,
        json!({"device": "d", "plan_version": 1, "collector": url})
    );
    stage.granted("d", QA);
    assert_eq!(stage.json(&line), made, "the same again changes nothing");
    assert_eq!(stage.status("d")["consent"], "granted");

    stage.sign_plan("plan", &[("version", "7"), ("samples_per_day", "0")]);
    assert_eq!(stage.json(&line)["plan_version"], 7);
    let submitted = stage.json(&format!("device d submit audio/{}.wav", PLAYED[0]));
    assert_eq!(submitted["reason"], "budget");

    let mode =
        std::os::unix::fs::PermissionsExt::mode(&stage.path("d").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700, "the state is its owner's alone");
}

#[test]
fn a_submission_is_queued_or_withheld_with_the_reason() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    let id = stage.submit("d", PLAYED[0]);
    assert_eq!(id.len(), 32);
    assert_eq!(stage.outbox("d"), BTreeSet::from([id.clone()]));
    let text = stage
        .sordino(&format!("device d submit audio/{}.wav", PLAYED[1]))
        .last_word();
    assert!(stage.outbox("d").contains(&text), "the id is the last word");

    let spoken = stage.json(&format!("device d submit audio/{SPOKEN}.wav"));
    assert_eq!(spoken["outcome"], "withheld", "{spoken}");
    assert_withheld_as_spoken(&spoken["reason"]);
    write_tone(&stage, "short.wav", 0.05);
    let short = stage.json("device d submit short.wav");
    assert_eq!(short["outcome"], "withheld", "{short}");

    stage.sign_plan("plan", &[("version", "2"), ("paused", "true")]);
    stage.device("d");
    let paused = stage.json(&format!("device d submit audio/{}.wav", PLAYED[0]));
    assert_eq!(paused, json!({"outcome": "withheld", "reason": "paused"}));
    assert_eq!(stage.status("d")["pending"], 2);
}

#[test]
fn the_annotation_is_in_the_pulled_dataset() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let annotation = format!("--annotation audio/{}.json", PLAYED[0]);
    stage.submit_with("d", PLAYED[0], &annotation);
    stage.upload("d");
    stage.pull("data", "bundle");
    let manifest = only_manifest(&stage);
    let shipped: Value =
        serde_json::from_slice(&fs::read(stage.path(format!("audio/{}.json", PLAYED[0]))).unwrap())
            .unwrap();
    assert_eq!(manifest["annotation"], shipped);
    assert_eq!(
        manifest["selection"],
        json!({"trigger": "mark", "probability": 1.0})
    );
    assert_eq!(manifest["purposes"], json!([QA]));
}

/// Free text could name a person.
#[test]
fn an_annotation_with_free_text_is_refused() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    for bad in [
        json!({"tag": "Anna's bar 7"}),
        json!({"comment": "played by the neighbor"}),
        json!({"expected": [{"midi": 200, "onset": 0.0}]}),
        json!({"expected": [{"midi": 60, "onset": -1.0}]}),
        json!("bar 7"),
    ] {
        fs::write(stage.path("bad.json"), bad.to_string()).unwrap();
        stage
            .sordino(&format!(
                "device d submit audio/{}.wav --annotation bad.json",
                PLAYED[0]
            ))
            .refused(&["bad.json"]);
    }
    assert_eq!(stage.status("d")["pending"], 0);
}

#[test]
fn listening_samples_marked_and_random_moments() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    let [one, two, _] = PLAYED;
    let heard = stage.json(&format!(
        "device d listen audio/{one}.wav audio/{SPOKEN}.wav audio/{two}.wav --mark"
    ));
    let heard = heard.as_array().unwrap();
    let files: Vec<&str> = heard
        .iter()
        .map(|one| one["file"].as_str().unwrap())
        .collect();
    assert_eq!(
        files,
        [
            format!("audio/{one}.wav"),
            format!("audio/{SPOKEN}.wav"),
            format!("audio/{two}.wav")
        ]
    );
    assert!(
        heard[1]["queued"].as_array().unwrap().is_empty(),
        "speech was sampled"
    );
    let queued: BTreeSet<String> = heard
        .iter()
        .flat_map(|one| one["queued"].as_array().unwrap())
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    assert!(queued.len() >= 2);
    assert_eq!(queued, stage.outbox("d"));

    // Unmarked, only the draw is left: never where it is never drawn, always where it always is.
    for (probability, drawn) in [("0.0", false), ("1.0", true)] {
        let name = format!("d{probability}");
        stage.sign_plan(
            "plan",
            &[
                ("random_probability", probability),
                ("clip_seconds", "4"),
                ("pre_roll_seconds", "2"),
            ],
        );
        stage.granted(&name, QA);
        stage
            .sordino(&format!("device {name} listen audio/{one}.wav"))
            .ok();
        let samples = stage.json(&format!("device {name} samples"));
        assert_eq!(!samples.as_array().unwrap().is_empty(), drawn, "{samples}");
        for sample in samples.as_array().unwrap() {
            assert_eq!(
                sample["selection"],
                json!({"trigger": "random", "probability": 1.0})
            );
        }
    }
}

#[test]
fn upload_counts_its_work_and_repeats_nothing() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let ids: BTreeSet<String> = PLAYED
        .iter()
        .map(|recording| stage.submit("d", recording))
        .collect();
    assert_eq!(
        stage.upload("d"),
        json!({"registrations": 1, "samples": 3, "deletions": 0, "deleted_samples": 0, "refused": 0, "failed": 0,
               "waiting": []})
    );
    assert_eq!(stage.objects(), ids);
    assert!(stage.outbox("d").is_empty());
    let status = stage.status("d");
    assert_eq!(
        (
            &status["sent"],
            &status["pending"],
            &status["pending_bytes"]
        ),
        (&json!(3), &json!(0), &json!(0))
    );
    assert_eq!(
        stage.upload("d"),
        json!({"registrations": 0, "samples": 0, "deletions": 0, "deleted_samples": 0, "refused": 0, "failed": 0,
               "waiting": []})
    );
}

#[test]
fn upload_fetches_a_newer_plan() {
    let mut stage = Stage::new();
    stage.granted("d", QA);
    stage.stop_collector();
    stage.sign_plan("plan", &[("version", "2"), ("paused", "true")]);
    stage.start_collector();
    stage.upload("d");
    let submitted = stage.json(&format!("device d submit audio/{}.wav", PLAYED[0]));
    assert_eq!(submitted["reason"], "paused");
}

#[test]
fn a_person_lists_samples_and_deletes_one() {
    let stage = Stage::new();
    stage.granted("d", &format!("{QA} {RESEARCH}"));
    let sent = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    let pending = stage.submit("d", PLAYED[1]);
    let kept = stage.submit("d", PLAYED[2]);

    let samples = stage.json("device d samples");
    let states: Vec<(&str, &str)> = samples
        .as_array()
        .unwrap()
        .iter()
        .map(|sample| {
            (
                sample["id"].as_str().unwrap(),
                sample["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            (sent.as_str(), "sent"),
            (&pending, "pending"),
            (&kept, "pending")
        ]
    );
    assert!(
        samples[0]["seconds"].as_f64() > Some(1.0) && samples[0]["bytes"].as_u64() > Some(1000)
    );
    assert_eq!(samples[0]["purposes"], json!([QA, RESEARCH]));
    let text = stage.sordino("device d samples").ok().stdout;
    assert_eq!(text.lines().count(), 3);

    // Unsent samples are gone at once; sent ones when the collector acknowledges it.
    assert_eq!(
        stage.json(&format!("device d delete {pending}"))["state"],
        "deleted"
    );
    assert_eq!(
        stage.json(&format!("device d delete {sent}"))["state"],
        "deletion-asked"
    );
    assert_eq!(stage.outbox("d"), BTreeSet::from([kept.clone()]));
    assert_eq!(stage.status("d")["deletions_pending"], 1);
    assert_eq!(stage.upload("d")["deletions"], 1);
    assert_eq!(stage.status("d")["deletions_pending"], 0);
    assert_eq!(stage.objects(), BTreeSet::from([kept.clone()]));
    assert_eq!(stage.status("d")["consent"], "granted");
    assert_eq!(
        stage.json(&format!("device d delete {sent}"))["state"],
        "deleted",
        "twice does no harm"
    );
}

#[test]
fn a_person_sees_who_downloaded_a_sample() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let id = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    let line = format!("device d accesses {id}");
    assert_eq!(stage.json(&line)["accesses"], json!([]));
    assert_eq!(
        stage.sordino(&line).ok().stdout,
        "nobody has downloaded it\n"
    );
    stage.pull("data", "bundle");
    let accesses = stage.json(&line);
    assert_eq!(accesses["accesses"][0]["reader"], "first-reader");
    assert_eq!(accesses["accesses"][0]["purpose"], QA);
    assert!(stage.sordino(&line).ok().stdout.contains("first-reader"));
}

#[test]
fn two_commands_at_once_do_not_share_a_state() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    let mut listening = stage.listening("d", &[]);
    let refused = stage.sordino("device d status");
    refused.refused(&["in use", " d "]);
    for command in [
        "withdraw",
        "delete --all",
        "came-of-age",
        "export --out mine.zip",
        "reset",
        "samples --json",
        "upload",
    ] {
        stage
            .sordino(&format!("device d {command}"))
            .refused(&["in use", " d "]);
    }
    listening.kill().unwrap();
    listening.wait().unwrap();
    assert_eq!(stage.status("d")["consent"], "granted");
}

fn only_manifest(stage: &Stage) -> Value {
    let mut manifests = crate::support::files_below(&stage.path("data"));
    manifests.retain(|path| path.ends_with("manifest.json"));
    assert_eq!(manifests.len(), 1);
    serde_json::from_slice(&fs::read(&manifests[0]).unwrap()).unwrap()
}

fn write_tone(stage: &Stage, name: &str, seconds: f64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(stage.path(name), spec).unwrap();
    for index in 0..(seconds * 48_000.0) as u32 {
        let phase = f64::from(index) * 440.0 / 48_000.0 * std::f64::consts::TAU;
        writer.write_sample((phase.sin() * 8000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}
