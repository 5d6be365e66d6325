//! Attacks without a key: long headers, idle connections, unread responses,
//! stalled uploads, forged proxy headers.

use std::{io::Write as _, time::Duration};

use sordino_collector::{Clock, Config, Rate};

use crate::support::*;

/// A short timeout, for tests that reach it.
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_head_over_16_kib_is_rejected_early() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    for length in [17_000, 50_000, 400_000] {
        let members: Vec<String> = (0..length / 8).map(|key| format!("k{key}=1")).collect();
        let mut long = device.delete(sample());
        long = long.set("Signature-Input", members.join(", ")[..length].to_owned());
        let mut stream = connect(collector.address());
        // The response may arrive, and the connection close, before everything is sent.
        let _ = stream.write_all(long.head().as_bytes());
        let received = until_closed(&mut stream);
        assert!(
            received.is_empty() || received.starts_with(b"HTTP/1.1 431 "),
            "{length}"
        );
    }
    // Many short fields are rejected too.
    let many = (0..1000).fold(device.delete(sample()), |request, number| {
        request.header(&format!("X-{number}"), "1")
    });
    let mut stream = connect(collector.address());
    let _ = stream.write_all(many.head().as_bytes());
    let received = until_closed(&mut stream);
    assert!(received.is_empty() || received.starts_with(b"HTTP/1.1 431 "));
    collector.send(&device.delete(sample())).expect(204);
}

#[test]
fn a_signature_with_too_many_members_is_malformed() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let members: Vec<String> = (0..1000).map(|key| format!("k{key}")).collect();
    let signed = device.delete(sample());
    let many = signed.set("Signature-Input", members.join(","));
    let answer = collector.send(&many).problem(400, "malformed");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("more than 64 members"), "{detail}");
}

#[test]
fn idle_connections_do_not_block_other_clients() {
    let collector = Collector::start_with(|config| config.limits.connections = 16);
    let device = Device::registered(&collector, QA);
    // One connection has a request in progress and is not evicted.
    let file = long_age_file();
    let request = device.put(sample(), QA, &file);
    let mut sending = connect(collector.address());
    sending.write_all(request.head().as_bytes()).unwrap();
    sending.write_all(&file[..LONG_ENOUGH]).unwrap();
    eventually(|| collector.files("part").len() == 1);
    let mut silent = Vec::new();
    for number in 0..200 {
        let mut stream = connect(collector.address());
        if number % 2 == 1 {
            stream
                .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
                .unwrap();
        }
        silent.push(stream);
        if number % 20 == 0 {
            collector.send(&Request::new("GET", "/readyz")).expect(200);
        }
    }
    sending.write_all(&file[LONG_ENOUGH..]).unwrap();
    read_response(&mut sending).unwrap().expect(201);
    collector.send(&device.withdraw(QA)).expect(200);
}

#[test]
fn an_unread_response_closes_its_connection() {
    let collector = Collector::start_with(|config| config.limits.write = SHORT);
    let token = collector.token(QA);
    let (device, id) = Device::with_sample(&collector, QA);
    let get = Request::new("GET", format!("/v1/samples/{id}?purpose={QA}"))
        .header("Authorization", format!("Bearer {token}"));
    let mut stream = connect(collector.address());
    // Requests whose responses fill all buffers, until the collector stops reading.
    stream.set_write_timeout(Some(SHORT)).unwrap();
    let mut sent = 0;
    while sent < 20_000 && stream.write_all(get.head().as_bytes()).is_ok() {
        sent += 1;
    }
    // The connection is closed although not all responses were sent.
    let received = until_closed(&mut stream);
    let answers = received
        .windows(12)
        .filter(|part| part == b"HTTP/1.1 200")
        .count();
    assert!(answers < sent, "{answers} of {sent}");
    collector.send(&device.delete(id)).expect(204);
}

#[test]
fn stalled_uploads_share_a_bounded_amount_of_memory() {
    let collector = Collector::start_with(|config| {
        config.limits.upload_bytes = 3 << 20;
        config.limits.idle = SHORT * 10;
    });
    let device = Device::registered(&collector, QA);
    let file = long_age_file();
    let begin = || {
        let request = device.put(sample(), QA, &file);
        let mut stream = connect(collector.address());
        stream.write_all(request.head().as_bytes()).unwrap();
        stream.write_all(&file[..LONG_ENOUGH]).unwrap();
        stream
    };
    // Four of 700 kB fit; the others are asked to retry before any of their bytes are read.
    let mut paused: Vec<_> = (0..12).map(|_| begin()).collect();
    let answers = paused
        .iter_mut()
        .map(|stream| read_response(stream).unwrap());
    let (mut slow, mut busy) = (0, 0);
    for answer in answers {
        match answer.status {
            408 => slow += 1,
            503 => {
                answer.problem(503, "busy");
                busy += 1;
            }
            status => panic!("{status}"),
        }
    }
    // When memory is released, waiting uploads continue.
    assert!(
        slow >= 4 && busy >= 1 && slow + busy == 12,
        "{slow} slow, {busy} busy"
    );
    // Then uploads are possible again; withdrawals need no memory.
    collector.send(&device.put(sample(), QA, &file)).expect(201);
    let _paused: Vec<_> = (0..12).map(|_| begin()).collect();
    collector.send(&device.withdraw(QA)).expect(200);
}

fn behind_a_proxy(config: &mut Config) {
    config.proxies.trusted = 1;
    config.clock = Clock::manual();
    config.rates.network = Rate {
        burst: 5,
        per_second: 1,
    };
}

fn from(address: &str, request: Request) -> Request {
    request.header("X-Forwarded-For", address)
}

#[test]
fn a_signed_withdrawal_is_never_rate_limited_by_network() {
    let collector = Collector::start_with(behind_a_proxy);
    let (device, id) = Device::with_sample(&collector, QA);
    let stranger = Device::new();
    let send = |request| collector.send(&from("203.0.113.5", request));
    for _ in 0..10 {
        send(Request::new("GET", "/v1/audit/head"));
    }
    send(Request::new("GET", "/v1/audit/head")).problem(429, "too-many-requests");
    send(device.accesses(id)).problem(429, "too-many-requests");
    // An invalid withdrawal is rejected because of the network limit, whatever is wrong with it.
    let forged = Device {
        record: device.record,
        key: key(),
    };
    for nobody in [
        forged.withdraw(QA),
        forged.delete(id),
        stranger.withdraw(QA),
        device.withdraw(QA).without("Signature"),
    ] {
        send(nobody).problem(429, "too-many-requests");
    }
    send(device.delete(id)).expect(204);
    send(device.withdraw(QA)).expect(200);
}

#[test]
fn the_deletion_of_a_stored_sample_is_never_rate_limited() {
    let collector = Collector::start_with(|config| {
        config.clock = Clock::manual();
        config.rates.record = Rate {
            burst: 4,
            per_second: 1,
        };
    });
    let (device, id) = Device::with_sample(&collector, QA);
    let refused = (0..10).find(|_| collector.send(&device.delete(sample())).status == 429);
    assert!(refused.is_some(), "ids that never came are counted");
    collector.send(&device.delete(id)).expect(204);
    collector.send(&device.delete(id)).expect(204);
}

#[test]
fn health_checks_are_not_rate_limited() {
    let collector = Collector::start_with(behind_a_proxy);
    let ask = |path: &str, named: &str| collector.send(&from(named, Request::new("GET", path)));
    for path in ["/healthz", "/readyz"] {
        for _ in 0..100 {
            ask(path, "203.0.113.5").expect(200);
        }
    }
    ask("/v1/audit/head", "203.0.113.5").expect(200);
}

#[test]
fn an_invalid_proxy_header_does_not_bypass_the_limits() {
    let collector = Collector::start_with(behind_a_proxy);
    let ask = |named: &[u8]| {
        let mut stream = connect(collector.address());
        let head =
            b"GET /v1/audit/head HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: ";
        stream
            .write_all(&[head, named, b"\r\n\r\n".as_slice()].concat())
            .unwrap();
        read_response(&mut stream).unwrap().status
    };
    let strange: [&[u8]; 4] = [b"192.0.2.1, \xe9", b"\xff", b"", b"not an address"];
    let statuses: Vec<u16> = (0..20).map(|turn| ask(strange[turn % 4])).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 5);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 15);
    // Bytes that a client prepends affect its own network only.
    assert_eq!(ask(b"\xff, 203.0.113.5"), 200);
}

#[test]
fn a_request_signed_for_another_collector_is_rejected() {
    let collector = Collector::start_with(|config| {
        config.names = vec![
            "Collector.Example:443".to_owned(),
            "localhost:8787".to_owned(),
        ];
    });
    let device = Device::new();
    let register = |host: &str| {
        let document = device.document(device.content(1, QA));
        let request = Request::new("PUT", format!("/v1/consents/{}", device.record))
            .set("Host", host)
            .body(document);
        collector.send(&request.sign(&device))
    };
    for host in ["staging.example", "collector.example:8443", "localhost"] {
        register(host).problem(421, "misdirected");
    }
    register("collector.example").expect(201);
    register("localhost:8787").expect(200);
    // Unsigned routes are public.
    collector
        .send(&Request::new("GET", "/v1/audit/head"))
        .expect(200);
}
