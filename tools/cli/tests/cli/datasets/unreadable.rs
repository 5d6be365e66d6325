//! Samples that nothing can be made of: named, not exported, and not fetched again at every pull.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use sordino::{
    Config, Id, Sordino,
    outbox::SampleEntry,
    upload::{Client, Endpoint, UploadResult, sample_request},
};

use super::obstacles::{between, line, passed_on};
use crate::support::{FORMATS, PLAYED, QA, RESEARCH, Stage};

/// Sends what passes for a sealed sample, under the record of the device `name`: anybody who has the app can.
fn send_junk(stage: &Stage, name: &str) -> String {
    // 32 bytes in base64, where age has a share, a wrapped key and a MAC.
    let field = "A".repeat(43);
    let header = format!("age-encryption.org/v1\n-> X25519 {field}\n{field}\n--- {field}\n");
    let junk = [header.as_bytes(), &[0; 4096]].concat();
    fs::write(stage.path("junk.age"), &junk).unwrap();
    let id = Id::random().unwrap();
    let mut entry = stage.json(&format!("device {name} samples"))[0].clone();
    entry["id"] = json!(id);
    entry["sha256"] = json!(BASE64.encode(digest(&SHA256, &junk).as_ref()));
    let entry: SampleEntry = serde_json::from_value(entry).unwrap();
    let collector: Endpoint = stage.url().parse().unwrap();
    let key = stage.plan_key.parse().unwrap();
    let device = Sordino::open(Config::new(stage.path(name), key, collector.clone())).unwrap();
    let grants = device.grants().unwrap();
    let request = sample_request(&collector, &grants, &entry, stage.path("junk.age")).unwrap();
    match Client::default().send(&request) {
        UploadResult::Response(answer) => assert_eq!(answer.status, 201, "{answer:?}"),
        UploadResult::Unreachable(reason) => panic!("{reason}"),
    }
    id.to_string()
}

/// The number of downloads of samples.
fn handed_out(stage: &Stage) -> u64 {
    let mut answer = ureq::get(format!("{}/v1/audit/head", stage.url()))
        .call()
        .unwrap();
    let head: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    head["entries"].as_u64().unwrap()
}

fn pull_with(stage: &Stage, format: &str, flags: &str) -> Value {
    let line = stage.pull_line(format, format);
    let ran = stage.sordino(&format!("{line} {flags} --json"));
    assert!(matches!(ran.status, Some(0 | 1)), "{ran:?}");
    ran.document()
}

#[test]
fn unreadable_samples_are_fetched_again_only_on_demand() {
    let stage = Stage::new();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.upload("d");
    let junk = send_junk(&stage, "d");
    let key = fs::read_to_string(stage.path("qa.key")).unwrap();
    stage.sordino("keygen --out other.key").ok();
    let other = fs::read_to_string(stage.path("other.key")).unwrap();
    for format in FORMATS {
        let pull = |flags: &str| {
            let before = handed_out(&stage);
            let pulled = pull_with(&stage, format, flags);
            let reason = pulled["first_unreadable"].as_str().unwrap();
            assert!(reason.contains(&junk), "{reason}");
            assert_eq!(pulled["unreadable"], 1, "{pulled}");
            (pulled["pulled"].clone(), handed_out(&stage) - before)
        };
        assert!(matches!(pull(""), (pulled, 2) if pulled == 1), "{format}");
        for _ in 0..2 {
            assert_eq!(pull(""), (json!(0), 0), "{format}");
        }
        let again = pull_with(&stage, format, "");
        assert_eq!(again["unreadable_before"], 1, "{again}");
        stage
            .sordino(&stage.pull_line(format, format))
            .failed(&[&junk]);
        // Later samples are listed and fetched nevertheless.
        let newest = stage.submit("d", PLAYED[1]);
        stage.upload("d");
        assert_eq!(pull(""), (json!(1), 1), "{format}");
        assert_eq!(pull("--retry-unreadable"), (json!(0), 1), "{format}");
        fs::write(stage.path("qa.key"), format!("{key}{other}")).unwrap();
        assert_eq!(pull(""), (json!(0), 1), "{format}: another identity");
        assert_eq!(pull(""), (json!(0), 0), "{format}");
        fs::write(stage.path("qa.key"), &key).unwrap();
        assert_eq!(pull(""), (json!(0), 1), "{format}: the first one again");
        // The next format begins with as many samples.
        stage.sordino(&format!("device d delete {newest}")).ok();
        stage.upload("d");
    }
    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    for format in FORMATS {
        let pulled = stage.pull(format, format);
        assert_eq!(
            (&pulled["unreadable"], &pulled["total"]),
            (&json!(0), &json!(0))
        );
        assert!(
            !stage.mentions(format, junk.as_bytes()),
            "{format} still knows it"
        );
    }
}

#[test]
fn a_manifest_that_contradicts_the_list_is_unreadable() {
    let stage = Stage::new();
    stage.granted("one", QA);
    stage.granted("two", QA);
    let kept = stage.submit("one", PLAYED[0]);
    let forged = stage.submit("two", PLAYED[1]);
    stage.upload("one");
    stage.upload("two");
    let record = |device: &str| {
        let samples = stage.json(&format!("device {device} samples"));
        samples[0]["consent"].as_str().unwrap().to_owned()
    };
    // To the puller it is the same whether the manifest or the list names another record.
    let own = format!("\"consent\":\"{}\"", record("two"));
    let others = format!("\"consent\":\"{}\"", record("one"));
    let granted = format!("[\"{QA}\"]");
    let widened = format!("[\"{QA}\",\"{RESEARCH}\"]");
    for (number, (from, to, says, unreadable)) in [
        (own, others, "another consent record", 1),
        (
            granted,
            widened,
            "a purpose that its manifest does not allow",
            2,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        for format in FORMATS {
            let collector = stage.collector_address();
            let (from, to) = (from.clone(), to.clone());
            let url = between(&stage, move |_, head| {
                head.starts_with("GET /v1/samples?").then(|| {
                    let answer = passed_on(collector, head);
                    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                    assert!(body.contains(&from) || !body.contains("consent"), "{body}");
                    let body = body.replace(&from, &to);
                    let head = head
                        .lines()
                        .filter(|line| !line.to_ascii_lowercase().starts_with("content-length"));
                    let head = head.collect::<Vec<_>>().join("\r\n");
                    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                })
            });
            let out = format!("{format}-{number}");
            let ran = stage.sordino(&format!("{} --json", line(&url, &out, format)));
            ran.failed(&[says]);
            let pulled = ran.document();
            assert_eq!(pulled["unreadable"], unreadable, "{pulled}");
            assert_eq!(pulled["total"], 2 - unreadable, "{pulled}");
            let file = format!("{out}/.sordino-pull.json");
            let index: Value =
                serde_json::from_slice(&fs::read(stage.path(file)).unwrap()).unwrap();
            assert!(index["samples"].get(&forged).is_none(), "{index}");
            assert_eq!(index["samples"].get(&kept).is_some(), unreadable == 1);
        }
    }
}
