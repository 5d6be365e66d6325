//! Outages of PostgreSQL, and nginx in front of the collector.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use sordino_collector::{Clock, Rate};

use crate::{
    services::{Nginx, Postgres},
    support::*,
};

/// Longer than the cache of `/readyz`.
const LOOKED_ANEW: Duration = Duration::from_secs(2);
/// The collector's timeout for a database connection.
const CONNECTION: Duration = Duration::from_secs(20);

#[test]
fn readiness_fails_during_a_postgresql_outage() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let clock = Clock::manual();
    let collector = Collector::start_with(|config| {
        config.database = Some(postgres.database().parse().unwrap());
        config.metrics = Some("127.0.0.1:0".to_owned());
        config.clock = clock.clone();
    });
    let ready = Request::new("GET", "/readyz");
    let is_ready = || {
        clock.advance(LOOKED_ANEW);
        collector.send(&ready).status == 200
    };
    eventually(is_ready);
    let refused = || {
        let page = collector.metrics_page();
        let name = r#"sordino_problems_total{problem="not-ready"} "#;
        let count = page.lines().find_map(|line| line.strip_prefix(name));
        count.unwrap().parse::<u64>().unwrap()
    };
    let refused_before = refused();
    postgres.kill();
    clock.advance(LOOKED_ANEW);
    let asked = Instant::now();
    let answer = collector.send(&ready).problem(503, "not-ready");
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("database")
    );
    // A response is promised after three seconds; without that limit it would take as long as the connection
    // timeout. The assertion is between both.
    assert!(
        asked.elapsed() < CONNECTION,
        "an answer within the time limit"
    );
    // The process is alive and serves its metrics.
    collector.send(&Request::new("GET", "/healthz")).expect(200);
    assert_eq!(refused(), refused_before + 1);
    postgres.start_again();
    eventually(is_ready);
}

#[test]
fn tokens_expire_in_postgresql_as_in_sqlite() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.database();
    let collector = Collector::start_with(|config| {
        config.database = Some(url.parse().unwrap());
        config.metrics = Some("127.0.0.1:0".to_owned());
    });
    let data = collector.data().to_str().unwrap();
    let tokens = |arguments: &[&str]| -> Value {
        let (which, rest) = arguments.split_first().unwrap();
        let place = ["token", which, "--data", data, "--database", &url, "--json"];
        let output = run(&[&place, rest].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let made = ["a", "b"].map(|name| tokens(&["create", "--name", name, "--purpose", QA]));
    let [first, second] = made.map(|made| made["token"].as_str().unwrap().to_owned());
    let target = format!("/v1/samples?purpose={QA}");
    collector.read(&first, &target).expect(200);
    assert_eq!(
        tokens(&["revoke", "a"])["revoked"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let refused = |token: &str, says: &str| {
        let answer = collector.read(token, &target).problem(401, "bad-token");
        assert!(answer.json()["detail"].as_str().unwrap().contains(says));
    };
    refused(&first, "revoked");
    collector.read(&second, &target).expect(200);
    postgres.sql_in(&url, "UPDATE tokens SET expires = '2020-02-29'");
    refused(&second, "expired");
    let listed = tokens(&["list"]);
    let states: Vec<&Value> = listed["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| &token["state"])
        .collect();
    assert_eq!(states, ["revoked", "expired"]);
    assert!(collector.metrics_page().contains("sordino_samples_held 0"));
}

#[test]
fn behind_nginx_clients_cannot_forge_their_network() {
    let collector = Collector::start_with(|config| {
        config.clock = Clock::manual();
        config.proxies.trusted = 1;
        config.rates.network = Rate {
            burst: 5,
            per_second: 1,
        };
    });
    let upstream = collector.address();
    // nginx sets the header from the peer address.
    let configure = |port: u16, _: &Path| {
        format!(
            "server {{
                listen 127.0.0.1:{port};
                set_real_ip_from 127.0.0.0/8;
                real_ip_header X-Seen;
                proxy_set_header Host $http_host;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                location / {{ proxy_pass http://{upstream}; }}
            }}"
        )
    };
    let Some(nginx) = Nginx::start(configure) else {
        return;
    };
    let ask = |seen: &str, claimed: &str, request: Request| {
        let request = request
            .header("X-Seen", seen)
            .header("X-Forwarded-For", claimed);
        exchange(connect(nginx.address()), &request)
    };
    let head = || Request::new("GET", "/v1/audit/head");
    for claim in 0..5 {
        let claimed = format!("192.0.{claim}.1");
        ask("203.0.113.5", &claimed, head()).expect(200);
    }
    for claimed in ["192.0.9.1", "127.0.0.1", "203.0.113.5, 127.0.0.1"] {
        ask("203.0.113.5", claimed, head()).problem(429, "too-many-requests");
    }
    // Another network, whose signed requests pass.
    let device = Device::new();
    ask("198.51.100.7", "203.0.113.5", device.register(1, QA)).expect(201);
    let upload = device.put(sample(), QA, &age_file(1, 1));
    ask("198.51.100.7", "203.0.113.5", upload).expect(201);
}
