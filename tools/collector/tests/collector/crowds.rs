//! A thousand at once, and clients that end a connection halfway or never.

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

/// Sends all requests at the same moment, each again as long as the service says that it is busy.
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
fn a_thousand_uploads_and_deletions_at_once_are_all_acknowledged_and_all_true() {
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

    // One more, and the page holds a thousand all the same, however many are asked for.
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

/// RFC 9112 section 9.6: who has nothing more to say may close that half and wait for the answer.
#[test]
fn a_client_that_closed_its_half_gets_the_answer() {
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
fn crawling_heads_hold_their_places_for_as_long_as_the_limit_says_and_no_longer() {
    let collector = Collector::start_with(|config| {
        config.limits.headers = Duration::from_millis(700);
        config.limits.connections = 8;
    });
    let mut crawling: Vec<_> = (0..8).map(|_| connect(collector.address())).collect();
    scope(|scope| {
        for stream in &crawling {
            let mut stream = stream.try_clone().unwrap();
            // A byte at a time, for ever if it were let.
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
    // All eight places are free again while the clients still hold their ends. A head of one piece is in time, unless
    // the machine takes as long as the limit to send it.
    let health = Request::new("GET", "/healthz");
    eventually(|| {
        try_send(collector.address(), &health).is_some_and(|answer| answer.status == 200)
    });
    drop(crawling);
}

/// Everything that begins like an age file and is none, against the format's own grammar.
#[test]
fn garbage_that_claims_to_be_age_is_refused_and_leaves_nothing() {
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
            // No letter of a header stays one with its highest bit set.
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
