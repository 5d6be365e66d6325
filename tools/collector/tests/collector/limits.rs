//! How many requests are taken, of a network and of a record.

use std::time::Duration;

use sordino_collector::{Clock, Config, Rate};

use crate::support::*;

/// Behind one proxy, which names the client. The clock stands, so that no request comes so late that one more fits.
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
fn a_class_of_thirty_tablets_behind_one_address_is_served() {
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
fn a_network_that_asks_too_much_is_told_when_to_come_again_and_no_other_is() {
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
    // An invention of the client's stands before what the proxy saw.
    ask("198.51.100.1, 203.0.113.5").problem(429, "too-many-requests");
    ask("203.0.113.5, 198.51.100.1").expect(200);
    ask("2001:db8:1::1").expect(200);
    // A proxy that forgot its header lets nobody off.
    for _ in 0..5 {
        collector.send(&head()).expect(200);
    }
    collector.send(&head()).problem(429, "too-many-requests");
    // A body on its way does not keep the sender from the answer.
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
fn headers_of_no_proxy_are_not_believed() {
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
fn a_record_that_asks_too_much_holds_up_nobody_else_and_can_always_withdraw() {
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
    // What others sign in its name is not its own.
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
fn guessing_tokens_uses_up_a_network_and_a_good_token_never_does() {
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
