//! Requests of QA tools: lists, samples, withdrawn ids, the plan.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{SHA256, digest};
use serde_json::json;
use sordino::{Purpose, Week};

use crate::support::*;

#[test]
fn a_list_describes_each_sample() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let (id, file) = (sample(), age_file(1, 1));
    collector.send(&device.put(id, BOTH, &file)).expect(201);
    let token = collector.token(QA);
    let list = collector
        .read(&token, "/v1/samples?purpose=quality-assurance")
        .expect(200)
        .json();
    assert_eq!(
        list["samples"],
        json!([{
            "id": id, "consent": device.record, "bytes": file.len(), "sha256": sha256(&file),
            "week": Week::from_timestamp(jiff::Timestamp::now()), "purposes": [QA, RESEARCH],
        }])
    );
}

#[test]
fn cursors_visit_each_sample_once_in_order() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let token = collector.token(QA);
    let mut sent = Vec::new();
    for number in 0..7 {
        let purposes = if number % 3 == 0 { RESEARCH } else { BOTH };
        let id = sample();
        collector
            .send(&device.put(id, purposes, &age_file(1, number)))
            .expect(201);
        if purposes == BOTH {
            sent.push(id.to_string());
        }
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let target = format!("/v1/samples?purpose={QA}&limit=2{after}");
        let page = collector.read(&token, &target).expect(200).json();
        let ids = page["samples"].as_array().unwrap();
        assert!(ids.len() <= 2);
        seen.extend(
            ids.iter()
                .map(|sample| sample["id"].as_str().unwrap().to_owned()),
        );
        after = format!("&after={}", page["next"].as_str().unwrap());
        if ids.is_empty() {
            break;
        }
    }
    assert_eq!(seen, sent);
    // The cursor of the empty page still stands when something arrives.
    let late = sample();
    collector
        .send(&device.put(late, QA, &age_file(1, 99)))
        .expect(201);
    let target = format!("/v1/samples?purpose={QA}{after}");
    let page = collector.read(&token, &target).expect(200).json();
    assert_eq!(page["samples"][0]["id"], late.to_string());
}

#[test]
fn withdrawn_ids_are_ordered_and_per_purpose() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let ids = [sample(), sample(), sample()];
    for (number, id) in (0..).zip(ids) {
        collector
            .send(&device.put(id, BOTH, &age_file(1, number)))
            .expect(201);
    }
    let (qa, research) = (collector.token(QA), collector.token(RESEARCH));
    let withdrawn = |token: &str, purpose: &str, after: &str| {
        let target = format!("/v1/withdrawn?purpose={purpose}{after}");
        let page = collector.read(token, &target).expect(200).json();
        let after = format!("&after={}", page["next"].as_str().unwrap());
        (page["ids"].clone(), after)
    };
    let (none, start) = withdrawn(&qa, QA, "");
    assert_eq!(none, json!([]));
    collector.send(&device.delete(ids[1])).expect(204);
    let (first, next) = withdrawn(&qa, QA, &start);
    assert_eq!(first, json!([ids[1]]));
    collector.send(&device.withdraw(QA)).expect(200);
    let (rest, end) = withdrawn(&qa, QA, &next);
    assert_eq!(rest, json!([ids[0], ids[2]]));
    assert_eq!(withdrawn(&qa, QA, &end).0, json!([]));
    assert_eq!(withdrawn(&research, RESEARCH, "").0, json!([ids[1]]));
    collector.send(&device.withdraw(RESEARCH)).expect(200);
    assert_eq!(
        withdrawn(&research, RESEARCH, "").0,
        json!([ids[1], ids[0], ids[2]])
    );
}

#[test]
fn a_sample_is_served_with_its_digest_for_its_purposes() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let (id, file) = (sample(), age_file(1, 1));
    collector.send(&device.put(id, QA, &file)).expect(201);
    let token = collector.token(BOTH);
    let answer = collector
        .read(&token, &format!("/v1/samples/{id}?purpose={QA}"))
        .expect(200);
    assert_eq!(answer.body, file);
    let digest = BASE64.encode(digest(&SHA256, &file));
    assert_eq!(
        answer.header("content-digest").unwrap(),
        format!("sha-256=:{digest}:")
    );
    let other = format!("/v1/samples/{id}?purpose={RESEARCH}");
    collector
        .read(&token, &other)
        .problem(404, "unknown-sample");
    let unknown = format!("/v1/samples/{}?purpose={QA}", sample());
    collector
        .read(&token, &unknown)
        .problem(404, "unknown-sample");
}

#[test]
fn a_token_is_valid_for_its_purposes_only() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let id = sample();
    collector
        .send(&device.put(id, BOTH, &age_file(1, 1)))
        .expect(201);
    let token = collector.token(RESEARCH);
    for target in [
        format!("/v1/samples?purpose={QA}"),
        format!("/v1/samples/{id}?purpose={QA}"),
        format!("/v1/withdrawn?purpose={QA}"),
    ] {
        // Withdrawals are listed for everybody who may have a copy.
        match target.contains("withdrawn") {
            true => drop(collector.read(&token, &target).expect(200)),
            false => drop(
                collector
                    .read(&token, &target)
                    .problem(403, "wrong-purpose"),
            ),
        }
        for authorization in [
            "Bearer sordino_0".to_owned(),
            "Bearer".to_owned(),
            format!("Basic {token}"),
            format!("Bearer {}", sha256(token.as_bytes())),
            "\u{e9}".to_owned(),
        ] {
            let request = Request::new("GET", &target).header("Authorization", authorization);
            let answer = collector.send(&request).problem(401, "bad-token");
            assert_eq!(answer.header("www-authenticate").unwrap(), "Bearer");
        }
        collector
            .send(&Request::new("GET", &target))
            .problem(401, "bad-token");
    }
    assert_eq!(
        collector.send(&device.accesses(id)).json(),
        json!({"accesses": [], "head": head_of(&[])})
    );
}

#[test]
fn an_invalid_query_is_malformed() {
    let collector = Collector::start();
    let token = collector.token(BOTH);
    for target in [
        "/v1/samples".to_owned(),
        "/v1/samples?purpose=advertising".to_owned(),
        format!("/v1/samples?purpose={QA}&limit=0"),
        format!("/v1/samples?purpose={QA}&limit=-1"),
        format!("/v1/samples?purpose={QA}&after=5"),
        format!("/v1/samples?purpose={QA}&after=w5"),
        format!("/v1/samples?purpose={QA}&after=s-5"),
        format!("/v1/withdrawn?purpose={QA}&after=s5"),
        format!("/v1/samples/{}", sample()),
        format!("/v1/samples/x?purpose={QA}"),
        format!("/v1/samples/%ff?purpose={QA}"),
    ] {
        collector.read(&token, &target).problem(400, "malformed");
    }
}

#[test]
fn the_plan_is_served_unchanged_with_an_etag() {
    let collector = Collector::start();
    collector
        .send(&Request::new("GET", "/v1/plan"))
        .problem(404, "no-plan");

    let collector = Collector::start_with(|config| {
        let plan = plan(7, "2999-01-01", &[recipient(1)], &Purpose::ALL);
        config.plan = Some(write_plan(&config.data, plan));
    });
    let answer = collector.send(&Request::new("GET", "/v1/plan")).expect(200);
    assert_eq!(
        answer.body,
        std::fs::read(collector.config.plan.as_ref().unwrap()).unwrap()
    );
    assert_eq!(answer.header("etag").unwrap(), "\"7\"");
    assert_eq!(answer.header("content-type").unwrap(), "application/json");
    for known in ["\"7\"", "\"6\", \"7\"", "W/\"7\"", "*"] {
        let request = Request::new("GET", "/v1/plan").header("If-None-Match", known);
        assert!(collector.send(&request).expect(304).body.is_empty());
    }
    let request = Request::new("GET", "/v1/plan").header("If-None-Match", "\"6\"");
    collector.send(&request).expect(200);
}

#[test]
fn health_needs_no_token() {
    let answer = Collector::start()
        .send(&Request::new("GET", "/healthz"))
        .expect(200);
    assert_eq!(answer.json(), json!({"status": "ok"}));
}

#[test]
fn unknown_paths_and_methods_are_problems() {
    let collector = Collector::start();
    for target in [
        "/",
        "/v1",
        "/v2/samples",
        "/v1/samples/a/b",
        "/../etc/passwd",
        "//v1/plan",
    ] {
        let answer = collector
            .send(&Request::new("GET", target))
            .problem(404, "unknown-path");
        // A device must not take a wrong base URL for a record that is not known.
        assert!(answer.header("sordino-protocol").is_none());
    }
    for (method, target) in [
        ("POST", "/v1/plan"),
        ("GET", "/v1/consents/x"),
        ("PATCH", "/healthz"),
    ] {
        let answer = collector.send(&Request::new(method, target));
        assert!(
            answer
                .problem(405, "method-not-allowed")
                .header("allow")
                .is_some()
        );
    }
}
