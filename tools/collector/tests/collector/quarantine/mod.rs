//! Quarantine of samples with an audible voice, until the operator decides.

mod pull_model;

use serde_json::{Value, json};
use sordino::{Id, Week};
use sordino_collector::{BlockingServer, Config, Verdicts};

use crate::support::*;

fn heard(collector: &Collector, token: &str, id: Id, anonymizer: &str) -> Response {
    let target = format!("/v1/samples/{id}/quarantine?purpose={QA}");
    let body = Body::Json(json!({"anonymizer": anonymizer}));
    collector.say(token, &target, body)
}

fn withdrawn(collector: &Collector, token: &str, purpose: &str) -> Value {
    let target = format!("/v1/withdrawn?purpose={purpose}");
    collector.read(token, &target).expect(200).json()["ids"].clone()
}

/// The ids that are listed as quarantined.
fn held_back(collector: &Collector, token: &str, purpose: &str) -> Value {
    let target = format!("/v1/withdrawn?purpose={purpose}");
    collector.read(token, &target).expect(200).json()["quarantined"].clone()
}

fn quarantine(collector: &Collector, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let data = collector.data().to_str().unwrap();
    let output = run(&[&["quarantine"], arguments, &["--json", "--data", data]].concat());
    let found = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let complaint = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), found, complaint)
}

fn release(config: &Config, id: Id) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(sordino_collector::release(config, id))
        .unwrap();
}

#[test]
fn a_quarantined_sample_is_removed_by_every_pull() {
    let collector = Collector::start_with(|config| config.verdicts = Verdicts::Plain);
    let (_, id) = Device::with_sample(&collector, BOTH);
    let (_, other) = Device::with_sample(&collector, BOTH);
    let token = collector.token(BOTH);
    let review = format!("/v1/reviews/{id}?purpose={QA}");
    let verdict = || Body::Json(json!({"verdict": "unusable"}));
    collector.say(&token, &review, verdict()).expect(204);
    for _ in 0..2 {
        heard(&collector, &token, id, "3.1.0").expect(204);
        for purpose in [QA, RESEARCH] {
            assert_eq!(collector.listed(&token, purpose), [other.to_string()]);
            assert_eq!(withdrawn(&collector, &token, purpose), json!([id]));
            assert_eq!(held_back(&collector, &token, purpose), json!([id]));
            collector
                .read(&token, &format!("/v1/samples/{id}?purpose={purpose}"))
                .problem(410, "deleted");
        }
    }
    let found = collector.read(&token, &format!("/v1/reviews?purpose={QA}"));
    assert_eq!(found.json()["reviews"], json!([]));
    collector
        .say(&token, &review, verdict())
        .problem(410, "deleted");
    assert!(collector.object(id).exists(), "it can still be released");
}

#[test]
fn a_quarantine_requires_a_token_for_the_purpose() {
    let collector = Collector::start();
    let (_, id) = Device::with_sample(&collector, BOTH);
    let (_, other) = Device::with_sample(&collector, RESEARCH);
    let token = collector.token(QA);
    heard(&collector, &collector.token(RESEARCH), id, "3.1.0").problem(403, "wrong-purpose");
    heard(&collector, "sordino_0", id, "3.1.0").problem(401, "bad-token");
    for unknown in [other, sample()] {
        heard(&collector, &token, unknown, "3.1.0").problem(404, "unknown-sample");
    }
    let long = "1".repeat(41);
    for bad in ["", &long, "3.1\n", "3 1", "\"} 1", "3.1é"] {
        heard(&collector, &token, id, bad).problem(400, "malformed");
    }
    let target = format!("/v1/samples/{id}/quarantine?purpose={QA}");
    for bad in [
        json!({}),
        json!({"anonymizer": 3}),
        json!({"anonymizer": "3", "why": ""}),
    ] {
        collector
            .say(&token, &target, Body::Json(bad))
            .problem(400, "malformed");
    }
    assert_eq!(collector.listed(&token, QA), [id.to_string()]);
    heard(&collector, &token, id, &"1".repeat(40)).expect(204);
}

#[test]
fn a_quarantine_is_counted_once_per_anonymizer_version() {
    let mut collector = Collector::start_with(|config| {
        config.metrics = Some("127.0.0.1:0".to_owned());
    });
    let token = collector.token(QA);
    let samples: Vec<_> = (0..4)
        .map(|_| Device::with_sample(&collector, QA))
        .collect();
    for ((_, id), version) in samples.iter().zip(["3.1.0", "3.1.0", "3.2.0-rc.1"]) {
        for _ in 0..2 {
            heard(&collector, &token, *id, version).expect(204);
        }
    }
    let shows = |collector: &Collector, held_back: u32| {
        let page = collector.metrics_page();
        for line in [
            r#"sordino_voices_heard_total{anonymizer="3.1.0"} 2"#,
            r#"sordino_voices_heard_total{anonymizer="3.2.0-rc.1"} 1"#,
            &format!("sordino_samples_quarantined {held_back}"),
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
    };
    shows(&collector, 3);
    let (device, id) = &samples[0];
    collector.send(&device.delete(*id)).expect(204);
    release(&collector.config, samples[2].1);
    // The statistics are refreshed.
    collector.restart();
    shows(&collector, 1);
}

#[test]
fn a_quarantined_sample_can_be_deleted_and_withdrawn() {
    let collector = Collector::start();
    let token = collector.token(BOTH);
    let (device, id) = Device::with_sample(&collector, BOTH);
    heard(&collector, &token, id, "3.1.0").expect(204);
    assert_eq!(held_back(&collector, &token, QA), json!([id]));
    collector.send(&device.delete(id)).expect(204);
    assert!(!collector.object(id).exists());
    assert_eq!(
        held_back(&collector, &token, QA),
        json!([]),
        "it is deleted"
    );
    heard(&collector, &token, id, "3.1.0").expect(204);
    assert_eq!(
        quarantine(&collector, &["list"]).1,
        json!({"quarantined": []})
    );
    assert_eq!(
        quarantine(&collector, &["release", &id.to_string()]).0,
        Some(1)
    );
    collector
        .send(&device.put(id, BOTH, &age_file(1, 1)))
        .problem(410, "deleted");

    // Purposes that were withdrawn in the meantime are not restored.
    let (device, id) = Device::with_sample(&collector, BOTH);
    heard(&collector, &token, id, "3.1.0").expect(204);
    collector.send(&device.withdraw(QA)).expect(200);
    release(&collector.config, id);
    assert_eq!(collector.listed(&token, RESEARCH), [id.to_string()]);
    assert!(collector.listed(&token, QA).is_empty());
    let ids = withdrawn(&collector, &token, QA);
    assert!(ids.as_array().unwrap().contains(&json!(id)));
    let (device, id) = Device::with_sample(&collector, BOTH);
    heard(&collector, &token, id, "3.1.0").expect(204);
    collector.send(&device.withdraw(BOTH)).expect(200);
    assert!(!collector.object(id).exists());
    // A pull sees it once.
    let ids = withdrawn(&collector, &token, QA);
    let found = ids.as_array().unwrap().iter();
    assert_eq!(found.filter(|found| **found == json!(id)).count(), 1);
}

#[test]
fn the_operator_lists_releases_and_deletes() {
    let collector = Collector::start_with(|config| config.verdicts = Verdicts::Plain);
    let token = collector.token(QA);
    let [(_, first), (_, second)] = [
        Device::with_sample(&collector, QA),
        Device::with_sample(&collector, QA),
    ];
    let review = format!("/v1/reviews/{first}?purpose={QA}");
    let verdict = Body::Json(json!({"verdict": "unusable"}));
    collector.say(&token, &review, verdict).expect(204);
    let found = |after: &str| {
        let target = format!("/v1/reviews?purpose={QA}{after}");
        collector.read(&token, &target).expect(200).json()
    };
    let after = format!("&after={}", found("")["next"].as_str().unwrap());
    heard(&collector, &token, first, "3.1.0").expect(204);
    heard(&collector, &token, second, "3.2.0").expect(204);
    let week = Week::from_timestamp(jiff::Timestamp::now());
    assert_eq!(
        quarantine(&collector, &["list"]).1,
        json!({"quarantined": [
            {"sample": first, "anonymizer": "3.1.0", "week": week},
            {"sample": second, "anonymizer": "3.2.0", "week": week},
        ]})
    );
    let (code, released, _) = quarantine(&collector, &["release", &first.to_string()]);
    assert_eq!((code, released), (Some(0), json!({"released": first})));
    assert_eq!(collector.listed(&token, QA), [first.to_string()]);
    // An open page that dropped the verdict with the sample receives it again.
    assert_eq!(found(&after)["reviews"][0]["sample"], json!(first));
    let (code, deleted, _) = quarantine(&collector, &["delete", &second.to_string()]);
    assert_eq!((code, deleted), (Some(0), json!({"deleted": second})));
    assert!(!collector.object(second).exists());
    assert_eq!(withdrawn(&collector, &token, QA), json!([second]));
    assert_eq!(
        quarantine(&collector, &["list"]).1,
        json!({"quarantined": []})
    );
    for id in [first, second, sample()] {
        for command in ["release", "delete"] {
            let (code, _, complaint) = quarantine(&collector, &[command, &id.to_string()]);
            assert_eq!(code, Some(1));
            assert!(complaint.contains(&id.to_string()) && complaint.contains("quarantine list"));
            assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
        }
    }
    assert_eq!(quarantine(&collector, &["release", "no-id"]).0, Some(2));
    assert_eq!(collector.listed(&token, QA), [first.to_string()]);
}

#[test]
fn collectors_on_one_database_share_the_quarantine() {
    let collector = Collector::start();
    let second = BlockingServer::start(collector.config.clone()).unwrap();
    let token = collector.token(QA);
    let get = |target: String| {
        let request =
            Request::new("GET", target).header("Authorization", format!("Bearer {token}"));
        send(second.address(), &request)
    };
    for _ in 0..10 {
        let (_, id) = Device::with_sample(&collector, QA);
        let target = format!("/v1/samples/{id}?purpose={QA}");
        get(target.clone()).expect(200);
        heard(&collector, &token, id, "3.1.0").expect(204);
        get(target.clone()).problem(410, "deleted");
        release(&collector.config, id);
        get(target).expect(200);
    }
}
