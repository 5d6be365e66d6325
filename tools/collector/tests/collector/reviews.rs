//! Verdicts and assignments: sealed or plain, per purpose, and deleted with the sample.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use sordino::{Id, Week};
use sordino_collector::Verdicts;

use crate::{database::is_postgres, maintenance, support::*};

/// A note that does not occur in any file by chance.
const NOTE: &str = "unmistakable: bar 7, third beat";

fn plain_collector() -> Collector {
    Collector::start_with(|config| config.verdicts = Verdicts::Plain)
}

fn verdict(note: &str) -> Body {
    Body::Json(json!({"verdict": "recogniser-wrong", "note": note}))
}

fn about(sample: Id, purpose: &str) -> String {
    format!("/v1/reviews/{sample}?purpose={purpose}")
}

fn assignment(sample: Id) -> String {
    format!("/v1/reviews/{sample}/assignment?purpose={QA}")
}

fn list_reviews(collector: &Collector, token: &str, purpose: &str, after: &str) -> Value {
    let target = format!("/v1/reviews?purpose={purpose}{after}");
    collector.read(token, &target).expect(200).json()
}

#[test]
fn a_sealed_verdict_is_stored_and_a_plain_one_rejected() {
    let collector = Collector::start();
    let (_, id) = Device::with_sample(&collector, QA);
    let token = collector.token(QA);
    let target = about(id, QA);
    collector
        .say(&token, &target, verdict(NOTE))
        .problem(422, "not-sealed");
    let sealed = age_file(1, 7)[..2000].to_vec();
    let answer = collector.say(&token, &target, Body::Bytes(sealed.clone()));
    assert!(answer.expect(204).body.is_empty());
    let page = list_reviews(&collector, &token, QA, "");
    assert_eq!(page["verdicts"], "sealed");
    assert_eq!(page["reader"], "a reader");
    assert_eq!(
        page["reviews"],
        json!([{
            "sample": id, "reader": "a reader", "week": Week::from_timestamp(jiff::Timestamp::now()),
            "sealed": BASE64.encode(sealed),
        }])
    );
}

#[test]
fn a_plain_verdict_is_stored_if_configured() {
    let collector = plain_collector();
    let (_, id) = Device::with_sample(&collector, QA);
    let token = collector.token(QA);
    let target = about(id, QA);
    let sealed = Body::Bytes(age_file(1, 7)[..2000].to_vec());
    collector
        .say(&token, &target, sealed)
        .problem(400, "malformed");
    collector.say(&token, &target, verdict(NOTE)).expect(204);
    let page = list_reviews(&collector, &token, QA, "");
    assert_eq!(page["verdicts"], "plain");
    assert_eq!(
        page["reviews"][0]["plain"],
        json!({"verdict": "recogniser-wrong", "note": NOTE})
    );
    assert!(page["reviews"][0].get("sealed").is_none());
}

#[test]
fn an_invalid_or_oversized_verdict_is_rejected() {
    let (plain, sealed) = (plain_collector(), Collector::start());
    let (_, id) = Device::with_sample(&plain, QA);
    let token = plain.token(QA);
    let target = about(id, QA);
    plain
        .say(&token, &target, verdict(&"ß".repeat(2000)))
        .expect(204);
    for body in [
        json!({"verdict": "recogniser-wrong", "note": "ß".repeat(2001)}),
        json!({"verdict": "voice-heard"}),
        json!({"verdict": "unusable", "by": "me"}),
        json!({"note": NOTE}),
        json!([]),
    ] {
        plain
            .say(&token, &target, Body::Json(body))
            .problem(400, "malformed");
    }
    plain
        .say(&token, &target, verdict(&"a".repeat(17 << 10)))
        .problem(413, "too-large");

    let (_, id) = Device::with_sample(&sealed, QA);
    let token = sealed.token(QA);
    let target = about(id, QA);
    let mut file = age_file(1, 1);
    file.truncate(16 << 10);
    sealed
        .say(&token, &target, Body::Bytes(file.clone()))
        .expect(204);
    file.push(0);
    sealed
        .say(&token, &target, Body::Bytes(file))
        .problem(413, "too-large");
    for garbage in [vec![], vec![0; 500], b"age-encryption.org/v1\n".to_vec()] {
        sealed
            .say(&token, &target, Body::Bytes(garbage))
            .problem(422, "not-sealed");
    }
}

#[test]
fn each_reader_has_one_verdict_per_sample() {
    let collector = plain_collector();
    let (_, id) = Device::with_sample(&collector, QA);
    let (mine, theirs) = (collector.token_of("me", QA), collector.token_of("they", QA));
    for (token, note) in [(&mine, "first"), (&theirs, "other"), (&mine, "second")] {
        collector
            .say(token, &about(id, QA), verdict(note))
            .expect(204);
    }
    let page = list_reviews(&collector, &mine, QA, "");
    let notes: Vec<_> = page["reviews"]
        .as_array()
        .unwrap()
        .iter()
        .map(|review| (review["reader"].clone(), review["plain"]["note"].clone()))
        .collect();
    let expected = [("they", "other"), ("me", "second")];
    assert_eq!(notes, expected.map(|(who, note)| (json!(who), json!(note))));
}

#[test]
fn a_cursor_finds_each_changed_review() {
    let collector = plain_collector();
    let token = collector.token(QA);
    let ids: Vec<_> = (0..5)
        .map(|_| Device::with_sample(&collector, QA).1)
        .collect();
    for id in &ids {
        collector
            .say(&token, &about(*id, QA), verdict("once"))
            .expect(204);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = list_reviews(&collector, &token, QA, &format!("&limit=2{after}"));
        let reviews = page["reviews"].as_array().unwrap();
        after = format!("&after={}", page["next"].as_str().unwrap());
        if reviews.is_empty() {
            break;
        }
        assert!(reviews.len() <= 2);
        seen.extend(reviews.iter().map(|review| review["sample"].clone()));
    }
    assert_eq!(seen, ids.iter().map(|id| json!(id)).collect::<Vec<_>>());
    collector
        .say(&token, &about(ids[0], QA), verdict("changed"))
        .expect(204);
    let changed = list_reviews(&collector, &token, QA, &after);
    assert_eq!(changed["reviews"].as_array().unwrap().len(), 1);
    assert_eq!(changed["reviews"][0]["sample"], json!(ids[0]));
    collector
        .read(&token, &format!("/v1/reviews?purpose={QA}&after=s1"))
        .problem(400, "malformed");
}

#[test]
fn reviews_are_separate_per_purpose() {
    let collector = plain_collector();
    let (device, id) = Device::with_sample(&collector, BOTH);
    let (qa, research) = (collector.token(QA), collector.token(RESEARCH));
    collector
        .say(&qa, &about(id, QA), verdict(NOTE))
        .expect(204);
    assert_eq!(
        list_reviews(&collector, &research, RESEARCH, "")["reviews"],
        json!([])
    );
    for answer in [
        collector.read(&research, &format!("/v1/reviews?purpose={QA}")),
        collector.say(&research, &about(id, QA), verdict(NOTE)),
        collector.say(
            &research,
            &assignment(id),
            Body::Json(json!({"reader": "me"})),
        ),
    ] {
        answer.problem(403, "wrong-purpose");
    }
    collector
        .say("sordino_0", &about(id, QA), verdict(NOTE))
        .problem(401, "bad-token");
    // A sample for another purpose is indistinguishable from a missing one.
    let (_, other) = Device::with_sample(&collector, RESEARCH);
    for unknown in [other, sample()] {
        collector
            .say(&qa, &about(unknown, QA), verdict(NOTE))
            .problem(404, "unknown-sample");
    }
    collector.send(&device.withdraw(QA)).expect(200);
    collector
        .say(&qa, &about(id, QA), verdict(NOTE))
        .problem(410, "deleted");
}

#[test]
fn a_sample_has_at_most_one_assignee() {
    let collector = Collector::start();
    let (_, id) = Device::with_sample(&collector, QA);
    let token = collector.token(QA);
    let mut after = String::new();
    for reader in [json!("me"), json!("they"), Value::Null] {
        let body = Body::Json(json!({"reader": reader}));
        collector.say(&token, &assignment(id), body).expect(204);
        let whole = list_reviews(&collector, &token, QA, "");
        let expected = json!([{"sample": id, "reader": reader}]);
        assert_eq!(whole["assignments"], expected);
        let news = list_reviews(&collector, &token, QA, &after);
        assert_eq!(news["assignments"], expected);
        after = format!("&after={}", news["next"].as_str().unwrap());
    }
    for bad in [
        json!({"reader": "a".repeat(101)}),
        json!({"reader": "two\nlines"}),
        json!({"reader": 7}),
        json!({"to": "me"}),
    ] {
        collector
            .say(&token, &assignment(id), Body::Json(bad))
            .problem(400, "malformed");
    }
}

/// Deletion, withdrawal and retention all delete reviews of the sample.
#[test]
fn reviews_are_erased_with_their_sample() {
    type End = fn(&Collector, &Device, Id);
    let ends: [(&str, End); 3] = [
        ("deletion", |collector, device, id| {
            collector.send(&device.delete(id)).expect(204);
        }),
        // The sample is kept for research.
        ("withdrawal", |collector, device, _| {
            collector.send(&device.withdraw(QA)).expect(200);
        }),
        ("retention", |collector, _, id| {
            maintenance::age(collector, id, "2020-W01");
            maintenance::expire(collector);
        }),
    ];
    for (name, end) in ends {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = plan(1, "2999-01-01", &[recipient(1)], &sordino::Purpose::ALL);
        plan.retention_days
            .insert(sordino::Purpose::QualityAssurance, 30);
        let plan = write_plan(folder.path(), plan);
        let mut collector = Collector::start_with(|config| {
            config.verdicts = Verdicts::Plain;
            config.plan = Some(plan);
        });
        let (device, id) = Device::with_sample(&collector, BOTH);
        let token = collector.token(QA);
        collector
            .say(&token, &about(id, QA), verdict(NOTE))
            .expect(204);
        let reader = Body::Json(json!({"reader": "unmistakable reader"}));
        collector.say(&token, &assignment(id), reader).expect(204);
        assert!(is_postgres() || holds(&collector, "unmistakable"), "{name}");
        end(&collector, &device, id);
        let page = list_reviews(&collector, &token, QA, "");
        assert_eq!(
            (&page["reviews"], &page["assignments"]),
            (&json!([]), &json!([])),
            "{name}"
        );
        collector.stop();
        assert!(!holds(&collector, "unmistakable"), "{name}");
    }
}

/// Whether a file of the collector's database holds a text.
fn holds(collector: &Collector, text: &str) -> bool {
    let files = std::fs::read_dir(collector.data()).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("collector.sqlite"))
        .any(|path| crate::support::holds(&std::fs::read(path).unwrap(), text.as_bytes()))
}
