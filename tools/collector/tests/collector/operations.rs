//! The operator's endpoints: health, readiness, metrics and the OpenAPI document.

use std::{
    io::Write as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::Value;
use sordino_collector::{Clock, Config, Server};

use crate::{services::free_port, support::*};

fn ready() -> Request {
    Request::new("GET", "/readyz")
}

/// Longer than the cache of `/readyz`.
const LOOKED_ANEW: Duration = Duration::from_secs(2);

#[test]
fn readiness_names_the_failure_and_recovers() {
    let objects = tempfile::tempdir().unwrap();
    let folder = objects.path().join("objects");
    let clock = Clock::manual();
    let collector = Collector::start_with(|config| {
        config.objects = Some(folder.to_str().unwrap().parse().unwrap());
        config.clock = clock.clone();
    });
    // The check may fail temporarily on a slow machine.
    let is_ready = || {
        clock.advance(LOOKED_ANEW);
        collector.send(&ready()).status == 200
    };
    eventually(is_ready);
    assert_eq!(
        collector.send(&ready()).expect(200).json()["status"],
        "ready"
    );
    let away = objects.path().join("away");
    std::fs::rename(&folder, &away).unwrap();
    // The cached result, until it expires.
    collector.send(&ready()).expect(200);
    clock.advance(LOOKED_ANEW);
    let answer = collector.send(&ready()).problem(503, "not-ready");
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("object storage")
    );
    // The process is still alive.
    collector.send(&Request::new("GET", "/healthz")).expect(200);
    std::fs::rename(&away, &folder).unwrap();
    eventually(is_ready);
}

#[test]
fn requests_are_served_while_readiness_fails() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path());
    // A port that is not reused after it is closed.
    config.listen = format!("127.0.0.1:{}", free_port());
    // Longer than the test; it is ended explicitly.
    config.limits.drain = 2 * HANG;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(config)).unwrap();
    let address = server.address();
    let says_stopping = || {
        let answer = send(address, &ready());
        let detail = answer.json()["detail"].as_str().map(str::to_owned);
        answer.status == 503 && detail.is_some_and(|detail| detail.contains("shutting down"))
    };
    assert!(!says_stopping());
    let stopping = runtime.spawn(server.shutdown());
    eventually(says_stopping);
    send(address, &ready()).problem(503, "not-ready");
    send(address, &Request::new("GET", "/healthz")).expect(200);
    stopping.abort();
    eventually(|| TcpStream::connect(address).is_err());
}

#[test]
fn the_listener_closes_after_the_drain_time() {
    const DRAIN: Duration = Duration::from_millis(300);
    let mut collector = Collector::start_with(|config| {
        config.listen = format!("127.0.0.1:{}", free_port());
        config.limits.drain = DRAIN;
    });
    let address = collector.address();
    let started = Instant::now();
    collector.stop();
    assert!(started.elapsed() >= DRAIN);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn requests_are_aborted_after_the_grace_time() {
    let mut collector = Collector::start_with(|config| {
        config.limits.grace = Duration::from_millis(500);
        // Without the abort, the request would complete after this.
        config.limits.idle = Duration::from_secs(60);
    });
    let device = Device::registered(&collector, QA);
    let file = long_age_file();
    let request = device.put(sample(), QA, &file);
    let mut stream = connect(collector.address());
    stream.write_all(request.head().as_bytes()).unwrap();
    stream.write_all(&file[..LONG_ENOUGH]).unwrap();
    eventually(|| !collector.files("part").is_empty());
    collector.stop();
    assert!(read_response(&mut stream).is_none());
    assert!(collector.files("age").is_empty());
}

#[test]
fn metrics_count_by_route_and_identify_nobody() {
    let collector = Collector::start_with(|config| {
        config.metrics = Some("127.0.0.1:0".to_owned());
    });
    let device = Device::registered(&collector, BOTH);
    let ids = [sample(), sample()];
    let file = age_file(1, 1);
    for id in ids {
        collector.send(&device.put(id, BOTH, &file)).expect(201);
    }
    collector.send(&device.delete(ids[0])).expect(204);
    collector.send(&device.withdraw(RESEARCH)).expect(200);
    let token = collector.token(QA);
    collector
        .read("sordino_0", "/v1/samples")
        .problem(401, "bad-token");
    let wrong = format!("/v1/samples?purpose={RESEARCH}");
    collector.read(&token, &wrong).problem(403, "wrong-purpose");
    let target = format!("/v1/samples/{}?purpose={QA}", ids[1]);
    collector.read(&token, &target).expect(200);
    collector
        .send(&Request::new("GET", "/nowhere"))
        .problem(404, "unknown-path");
    collector
        .send(&Request::new("BREW", "/healthz"))
        .problem(405, "method-not-allowed");

    // On the public listener only with a token; on the separate listener without.
    collector
        .send(&Request::new("GET", "/metrics"))
        .problem(401, "bad-token");
    let with_token = collector.read(&token, "/metrics").expect(200);
    let open = collector.metrics_page();
    for page in [String::from_utf8(with_token.body).unwrap(), open] {
        for line in [
            r#"sordino_requests_total{route="/v1/samples/{sample}",method="PUT",status="2xx"} 2"#,
            r#"sordino_requests_total{route="/v1/samples/{sample}",method="DELETE",status="2xx"} 1"#,
            r#"sordino_requests_total{route="unknown",method="GET",status="4xx"} 1"#,
            r#"sordino_requests_total{route="/healthz",method="other",status="4xx"} 1"#,
            r#"sordino_request_duration_seconds_count{route="/v1/samples/{sample}",method="PUT"} 2"#,
            &format!(
                r#"sordino_received_bytes_total{{route="/v1/samples/{{sample}}",method="PUT"}} {}"#,
                2 * file.len()
            ),
            &format!(
                r#"sordino_sent_bytes_total{{route="/v1/samples/{{sample}}",method="GET"}} {}"#,
                file.len()
            ),
            r#"sordino_problems_total{problem="wrong-purpose"} 1"#,
            r#"sordino_problems_total{problem="busy"} 0"#,
            r#"sordino_tokens_refused_total{reason="unknown"} 1"#,
            r#"sordino_tokens_refused_total{reason="purpose"} 1"#,
            "sordino_withdrawals_total 1",
            "sordino_deletions_total 1",
            "sordino_samples_held 1",
            "sordino_deletions_due 0",
            "# EOF",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        for id in [ids[0], ids[1], device.record].map(|known| known.to_string()) {
            assert!(!page.contains(&id));
        }
        assert!(!page.contains("a reader") && !page.contains("127.0.0"));
    }
}

fn document() -> Value {
    serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap()
}

#[test]
fn the_openapi_document_lists_each_method_of_each_path() {
    let collector = Collector::start();
    let served = collector
        .send(&Request::new("GET", "/openapi.json"))
        .expect(200);
    assert_eq!(served.json(), document());
    for (template, item) in document()["paths"].as_object().unwrap() {
        let methods = item
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "parameters");
        let mut listed: Vec<String> = methods.map(|method| method.to_uppercase()).collect();
        if listed.contains(&"GET".to_owned()) {
            listed.push("HEAD".to_owned());
        }
        listed.sort();
        let target = ["{record}", "{sample}", "{entries}"]
            .iter()
            .fold(template.clone(), |target, name| target.replace(name, "x"));
        let answer = collector
            .send(&Request::new("PATCH", target))
            .problem(405, "method-not-allowed");
        let allow = answer.header("allow").unwrap();
        let mut served: Vec<&str> = allow.split(',').map(str::trim).collect();
        served.sort_unstable();
        assert_eq!(served, listed, "{template}");
    }
}
