//! Rate limits of networks and records.

use std::time::Duration;

use sordino_collector::{Clock, Config, Rate};

use crate::support::*;

/// Behind one proxy, which names the client. The manual clock prevents that buckets refill during the test.
fn behind_a_proxy(config: &mut Config) {
    config.proxies.trusted = 1;
    config.clock = Clock::manual();
}

fn from(address: &str, request: Request) -> Request {
    request.header("X-Forwarded-For", address)
}

fn head() -> Request {
    Request::new("GET", "/v1/audit/head")
}

#[test]
fn thirty_tablets_behind_one_address_are_served() {
    let collector = Collector::start_with(behind_a_proxy);
    for tablet in 0..30 {
        let device = Device::new();
        let send = |request| collector.send(&from("203.0.113.5", request));
        send(device.register(1, QA)).expect(201);
        let file = age_file(1, tablet);
        send(device.put(sample(), QA, &file)).expect(201);
        for _ in 0..48 {
            send(head()).expect(200);
        }
    }
}

#[test]
fn only_the_excessive_network_is_limited_with_retry_after() {
    let clock = Clock::manual();
    let collector = Collector::start_with(|config| {
        behind_a_proxy(config);
        config.clock = clock.clone();
        config.rates.network = Rate {
            burst: 5,
            per_second: 1,
        };
    });
    let ask = |address: &str| collector.send(&from(address, head()));
    for _ in 0..5 {
        ask("203.0.113.5").expect(200);
    }
    for neighbor in ["203.0.113.5", "203.0.113.250", "::ffff:203.0.113.9"] {
        let answer = ask(neighbor).problem(429, "too-many-requests");
        assert_eq!(answer.header("retry-after").unwrap(), "1");
    }
    // A forged entry of the client precedes that of the proxy.
    ask("198.51.100.1, 203.0.113.5").problem(429, "too-many-requests");
    ask("203.0.113.5, 198.51.100.1").expect(200);
    ask("2001:db8:1::1").expect(200);
    // A proxy without its header does not disable the limits.
    for _ in 0..5 {
        collector.send(&head()).expect(200);
    }
    collector.send(&head()).problem(429, "too-many-requests");
    // The sender of a body in transit gets the response.
    let device = Device::new();
    let big = device.draft(sample(), QA, &[7; 1 << 20]);
    collector
        .send(&from("203.0.113.5", big))
        .problem(429, "too-many-requests");
    clock.advance(Duration::from_secs(1));
    ask("203.0.113.5").expect(200);
    ask("203.0.113.5").problem(429, "too-many-requests");
}

#[test]
fn proxy_headers_are_ignored_without_trusted_proxies() {
    let collector = Collector::start_with(|config| {
        config.rates.network = Rate {
            burst: 1,
            per_second: 1,
        };
    });
    for _ in 0..5 {
        collector.send(&from("203.0.113.5", head())).expect(200);
    }
}

#[test]
fn a_limited_record_can_withdraw_and_blocks_nobody() {
    let collector = Collector::start_with(|config| {
        config.clock = Clock::manual();
        config.rates.record = Rate {
            burst: 4,
            per_second: 1,
        };
    });
    let (device, other) = (
        Device::registered(&collector, BOTH),
        Device::registered(&collector, BOTH),
    );
    // Requests that others sign in its name are not counted.
    for _ in 0..10 {
        let forged = Device {
            record: device.record,
            key: key(),
        };
        collector
            .send(&forged.delete(sample()))
            .problem(401, "bad-signature");
    }
    let held = sample();
    collector
        .send(&device.put(held, BOTH, &age_file(1, 1)))
        .expect(201);
    let mut refused = None;
    for seed in 0..10 {
        let answer = collector.send(&device.put(sample(), BOTH, &age_file(1, seed)));
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let answer = refused.expect("a limit").problem(429, "too-many-requests");
    assert!(answer.header("retry-after").is_some());
    collector
        .send(&other.put(sample(), BOTH, &age_file(1, 1)))
        .expect(201);
    collector.send(&device.withdraw(BOTH)).expect(200);
    let token = collector.token(QA);
    assert_eq!(collector.listed(&token, QA).len(), 1);
}

#[test]
fn invalid_tokens_use_up_a_network_and_valid_ones_do_not() {
    let collector = Collector::start_with(|config| {
        behind_a_proxy(config);
        config.rates.network = Rate {
            burst: 100,
            per_second: 1,
        };
    });
    let token = collector.token(QA);
    let ask = |address: &str, token: &str| {
        let request = Request::new("GET", format!("/v1/samples?purpose={QA}"))
            .header("Authorization", format!("Bearer {token}"));
        collector.send(&from(address, request))
    };
    for _ in 0..300 {
        ask("203.0.113.5", &token).expect(200);
    }
    let guesses = (0..50)
        .take_while(|guess| ask("198.51.100.5", &format!("sordino_{guess:064}")).status == 401);
    assert_eq!(guesses.count(), 5);
    ask("198.51.100.5", &token).problem(429, "too-many-requests");
    ask("203.0.113.5", &token).expect(200);
}
