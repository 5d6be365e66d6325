//! The epoch in every response, which changes when the database is restored by any means.

use std::fs;

use serde_json::Value;

use crate::support::*;

fn epoch(collector: &Collector) -> String {
    let answer = collector
        .send(&Request::new("GET", "/v1/audit/head"))
        .expect(200);
    let epoch = answer.header("sordino-epoch").unwrap();
    assert!(epoch.len() == 32 && epoch.bytes().all(|byte| byte.is_ascii_hexdigit()));
    epoch
}

#[test]
fn every_response_has_the_epoch_which_survives_a_restart() {
    let mut collector = Collector::start();
    let first = epoch(&collector);
    let (device, id) = Device::with_sample(&collector, QA);
    for request in [
        device.register(1, QA),
        device.delete(id),
        device.accesses(sample()),
        device.withdraw(QA),
        device.put(sample(), QA, b""),
        Request::new("GET", "/v1/plan"),
        Request::new("POST", "/v1/plan"),
        Request::new("GET", "/healthz"),
    ] {
        let answer = collector.send(&request);
        assert_eq!(answer.header("sordino-epoch"), Some(first.clone()));
    }
    let unknown = collector.send(&Request::new("GET", "/nothing"));
    assert_eq!(unknown.header("sordino-epoch"), None);
    for _ in 0..2 {
        collector.restart();
        assert_eq!(epoch(&collector), first);
    }
    assert_ne!(epoch(&Collector::start()), first);
}

/// A manual restore without the command.
#[test]
fn an_older_database_begins_a_new_epoch() {
    let mut collector = Collector::start();
    if collector.config.database.is_some() {
        // Only a file can be restored this way.
        return;
    }
    let (device, id) = Device::with_sample(&collector, QA);
    let before = epoch(&collector);
    collector.stop();
    let database = collector.data().join("collector.sqlite");
    let copy = collector.data().join("copy");
    fs::copy(&database, &copy).unwrap();
    collector.restart();
    assert_eq!(epoch(&collector), before);
    collector.send(&device.delete(id)).expect(204);
    collector.send(&device.withdraw(QA)).expect(200);
    collector.stop();
    fs::copy(&copy, &database).unwrap();
    collector.restart();
    let after = epoch(&collector);
    assert_ne!(after, before, "two deletions are forgotten");
    collector.restart();
    assert_eq!(epoch(&collector), after);
    // Like a device that sees the new epoch.
    collector.send(&device.delete(id)).expect(204);
    collector.send(&device.withdraw(QA)).expect(200);
}

#[test]
fn the_operator_can_begin_an_epoch_at_run_time() {
    let collector = Collector::start();
    if collector.config.database.is_some() {
        return;
    }
    let before = epoch(&collector);
    let data = collector.data().to_str().unwrap();
    let output = run(&["renew-epoch", "--data", data, "--json"]);
    assert!(output.status.success());
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_ne!(reply["epoch"], before);
    // Checked with readiness, at the latest within the hour.
    eventually(|| {
        collector.send(&Request::new("GET", "/readyz"));
        reply["epoch"] == epoch(&collector)
    });
}

#[test]
fn the_operator_can_withdraw_a_record_by_its_receipt() {
    let collector = Collector::start();
    if collector.config.database.is_some() {
        return;
    }
    let (device, _) = Device::with_sample(&collector, BOTH);
    let kept = sample();
    collector
        .send(&device.put(kept, BOTH, &age_file(1, 2)))
        .expect(201);
    let data = collector.data().to_str().unwrap();
    let record = device.record.to_string();
    let withdraw = |more: &[&str]| {
        let arguments = [&["withdraw", "--data", data, record.as_str()], more].concat();
        let output = run(&arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        withdraw(&["--purpose", QA, "--json"]).trim(),
        r#"{"deleted":0,"narrowed":2}"#
    );
    assert_eq!(
        withdraw(&[]).trim(),
        "withdrawn: 2 samples deleted, 0 kept for another purpose"
    );
    assert!(collector.files("age").is_empty());
    // The device learns of it at its next request.
    let answer = collector
        .send(&device.register(1, BOTH))
        .problem(410, "withdrawn");
    assert_eq!(answer.json()["purposes"].as_array().unwrap().len(), 2);
    let nobody = sample().to_string();
    let output = run(&["withdraw", "--data", data, &nobody]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.lines().count() == 1 && message.contains("was ever registered here"),
        "{message}"
    );
}
