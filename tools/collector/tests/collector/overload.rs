//! Many concurrent requests, and clients that half-close or stall connections.

use std::{
    collections::BTreeSet,
    io::Write as _,
    net::{Shutdown, SocketAddr},
    sync::Barrier,
    thread::{Builder, scope, sleep},
    time::Duration,
};

use sordino::Id;
use sordino_collector::Rate;

use crate::support::*;

const THOUSAND: u64 = 1000;

/// Sends all requests concurrently and retries each while the service is busy.
fn all_at_once(address: SocketAddr, requests: Vec<Request>) -> Vec<u16> {
    let begin = Barrier::new(requests.len());
    scope(|scope| {
        let send_one = |request: Request| {
            let begin = &begin;
            let small = Builder::new().stack_size(256 << 10);
            let client = small.spawn_scoped(scope, move || {
                begin.wait();
                loop {
                    match try_send(address, &request).map(|answer| answer.status) {
                        Some(503) => sleep(Duration::from_millis(100)),
                        Some(status) => return status,
                        None => sleep(Duration::from_millis(100)),
                    }
                }
            });
            client.unwrap()
        };
        let clients: Vec<_> = requests.into_iter().map(send_one).collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    })
}

#[test]
fn a_thousand_concurrent_uploads_and_deletions_succeed() {
    let collector = Collector::start_with(|config| {
        config.rates.record = Rate {
            burst: 0,
            per_second: 1,
        };
    });
    let device = Device::registered(&collector, QA);
    let ids: Vec<Id> = (0..THOUSAND).map(|_| sample()).collect();
    let put = |(seed, id): (u64, &Id)| device.put(*id, QA, &age_file(1, seed)[..4096]);
    let puts = (0..).zip(&ids).map(put).collect();
    let answers = all_at_once(collector.address(), puts);
    assert!(answers.iter().all(|status| *status == 201), "{answers:?}");

    // With one more sample, a page still has a thousand, whatever `limit` is.
    let last = sample();
    collector
        .send(&device.put(last, QA, &age_file(1, 0)))
        .expect(201);
    let token = collector.token(QA);
    let target = format!("/v1/samples?purpose={QA}&limit=4294967295");
    let page = collector.read(&token, &target).expect(200).json();
    assert_eq!(page["samples"].as_array().unwrap().len(), 1000);
    let target = format!(
        "/v1/samples?purpose={QA}&after={}",
        page["next"].as_str().unwrap()
    );
    let rest = collector.read(&token, &target).expect(200).json();
    assert_eq!(rest["samples"].as_array().unwrap().len(), 1);

    let deletions = ids.iter().map(|id| device.delete(*id)).collect();
    let answers = all_at_once(collector.address(), deletions);
    assert!(answers.iter().all(|status| *status == 204), "{answers:?}");
    assert_eq!(collector.listed(&token, QA), [last.to_string()]);
    assert_eq!(collector.files("age"), [collector.object(last)]);
    let page = collector
        .read(&token, &format!("/v1/withdrawn?purpose={QA}"))
        .expect(200)
        .json();
    let withdrawn: BTreeSet<&str> = page["ids"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|id| id.as_str())
        .collect();
    let deleted: Vec<String> = ids.iter().map(Id::to_string).collect();
    assert_eq!(withdrawn, deleted.iter().map(String::as_str).collect());
}

/// RFC 9112 section 9.6: a client may close its sending half and wait for the response.
#[test]
fn a_half_closed_client_gets_the_response() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let requests = [
        (device.put(sample(), QA, &age_file(1, 1)), 201),
        (device.withdraw(QA), 200),
        (Request::new("GET", "/healthz"), 200),
    ];
    for (request, status) in requests {
        let mut stream = connect(collector.address());
        let mut bytes = request.head().into_bytes();
        bytes.extend(request.body.iter().flatten());
        stream.write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        read_response(&mut stream)
            .expect("an answer")
            .expect(status);
    }
}

#[test]
fn slow_request_heads_time_out() {
    let collector = Collector::start_with(|config| {
        config.limits.headers = Duration::from_millis(700);
        config.limits.connections = 8;
    });
    let mut crawling: Vec<_> = (0..8).map(|_| connect(collector.address())).collect();
    scope(|scope| {
        for stream in &crawling {
            let mut stream = stream.try_clone().unwrap();
            // Sends one byte at a time, without an end.
            scope.spawn(move || {
                while stream.write_all(b"G").is_ok() {
                    sleep(Duration::from_millis(50));
                }
            });
        }
        for stream in &mut crawling {
            until_closed(stream);
            let _ = stream.shutdown(Shutdown::Write);
        }
    });
    // All eight slots are free again while the clients keep their connections open. A head in one piece is in time,
    // unless the machine is so slow that sending it takes as long as the limit.
    let health = Request::new("GET", "/healthz");
    eventually(|| {
        try_send(collector.address(), &health).is_some_and(|answer| answer.status == 200)
    });
    drop(crawling);
}

/// Invalid files that begin like an age file.
#[test]
fn invalid_age_files_are_rejected_and_leave_nothing() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let good = age_file(1, 1);
    let header = good
        .windows(4)
        .position(|window| window == b"--- ")
        .unwrap()
        + 4
        + 43;
    let mut bodies: Vec<Vec<u8>> = (0..header)
        .map(|place| {
            let mut body = good.clone();
            // A byte of the header with its highest bit set is invalid.
            body[place] ^= 0x80;
            body
        })
        .collect();
    bodies.extend(
        (0..header + 1 + 31)
            .step_by(7)
            .map(|end| good[..end].to_vec()),
    );
    bodies.push(b"age-encryption.org/v1\n".repeat(10_000));
    bodies.push([&b"age-encryption.org/v1\n"[..], &[0xff; 100_000]].concat());
    bodies.push(b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24=\n-----END AGE ENCRYPTED FILE-----\n".to_vec());
    for body in bodies {
        collector
            .send(&device.put(sample(), QA, &body))
            .problem(422, "not-sealed");
    }
    assert!(collector.files("age").is_empty() && collector.files("part").is_empty());
}
