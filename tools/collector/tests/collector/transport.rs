//! Connections that end early, crawl, or send something other than HTTP.

use std::{
    io::Write as _,
    net::{Shutdown, TcpStream},
    thread::{scope, sleep},
    time::Duration,
};

use sordino_collector::{BlockingServer, Limits};

use crate::{services::free_port, support::*};

#[test]
fn a_truncated_body_leaves_nothing() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let file = long_age_file();
    let request = device.put(sample(), QA, &file);
    for length in [1, 100, LONG_ENOUGH, file.len() - 1] {
        for how in [Shutdown::Write, Shutdown::Both] {
            let mut stream = connect(collector.address());
            stream.write_all(request.head().as_bytes()).unwrap();
            stream.write_all(&file[..length]).unwrap();
            if length >= LONG_ENOUGH {
                eventually(|| collector.files("part").len() == 1);
            }
            stream.shutdown(how).unwrap();
            eventually(|| collector.files("part").is_empty());
        }
    }
    assert!(collector.files("age").is_empty());
    assert!(collector.listed(&collector.token(QA), QA).is_empty());
    collector.send(&request).expect(201);
}

#[test]
fn a_slow_client_times_out() {
    const SHORT: Duration = Duration::from_millis(300);
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let file = age_file(1, 1);
    let request = device.put(sample(), QA, &file);
    // On the same database, each short of patience in one way alone: whatever else takes long on a slow machine is
    // borne.
    let impatient = |change: fn(&mut Limits)| {
        let mut config = collector.config.clone();
        change(&mut config.limits);
        BlockingServer::start(config).unwrap()
    };

    let service = impatient(|limits| limits.idle = SHORT);
    let mut stalled = connect(service.address());
    stalled.write_all(request.head().as_bytes()).unwrap();
    stalled.write_all(&file[..1000]).unwrap();
    read_response(&mut stalled)
        .unwrap()
        .problem(408, "too-slow");

    let service = impatient(|limits| limits.whole_body = 3 * SHORT);
    let mut dripping = connect(service.address());
    dripping.write_all(request.head().as_bytes()).unwrap();
    let mut drops = dripping.try_clone().unwrap();
    scope(|scope| {
        // Until the service hangs up; all of the file would take half an hour.
        scope.spawn(|| {
            for byte in &file {
                if drops.write_all(&[*byte]).is_err() {
                    break;
                }
                sleep(Duration::from_millis(50));
            }
        });
        let answer = read_response(&mut dripping);
        dripping.shutdown(Shutdown::Both).unwrap_or_default();
        answer.unwrap().problem(408, "too-slow");
    });

    let service = impatient(|limits| limits.headers = SHORT);
    let mut silent = connect(service.address());
    silent.write_all(b"PUT /v1/samples/").unwrap();
    // The connection is closed, with or without a response.
    until_closed(&mut silent);

    eventually(|| collector.files("part").is_empty());
    assert!(collector.files("age").is_empty());
    collector.send(&request).expect(201);
}

#[test]
fn invalid_http_is_harmless() {
    let collector = Collector::start();
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"PUT /v1/samples/x HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n".to_vec(),
        [b"GET /".to_vec(), vec![b'a'; 1 << 20]].concat(),
        [b"GET / HTTP/1.1\r\n".to_vec(), b"A: b\r\n".repeat(100_000)].concat(),
        vec![0; 4096],
    ] {
        let mut stream = connect(collector.address());
        // The service may hang up before it has all.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    }
    collector.send(&Request::new("GET", "/healthz")).expect(200);
}

#[test]
fn another_http_client_reads_the_response_to_a_rejected_body() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let put = |request: Request| {
        let mut builder =
            ureq::http::Request::put(format!("{}{}", collector.url(), request.target));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let mut response = agent
            .run(builder.body(request.body.unwrap()).unwrap())
            .unwrap();
        (
            response.status().as_u16(),
            response.body_mut().read_to_string().unwrap(),
        )
    };
    let address = collector.address().to_string();
    for _ in 0..5 {
        let (status, body) = put(device
            .draft(sample(), QA, &[7; 3 << 20])
            .set("Host", &address)
            .sign(&device));
        assert_eq!(status, 413, "{body}");
        let (status, body) = put(device
            .draft(sample(), QA, &[7; 1 << 20])
            .set("Host", &address));
        assert_eq!(status, 401, "{body}");
        let file = age_file(1, 1);
        let (status, body) = put(device
            .draft(sample(), QA, &file)
            .set("Host", &address)
            .sign(&device));
        assert_eq!(status, 201, "{body}");
    }
}

#[test]
fn shutdown_waits_for_a_request_in_progress() {
    let mut collector = Collector::start_with(|config| {
        config.listen = format!("127.0.0.1:{}", free_port());
    });
    let device = Device::registered(&collector, QA);
    let id = sample();
    let file = long_age_file();
    let request = device.put(id, QA, &file);
    let mut stream = connect(collector.address());
    stream.write_all(request.head().as_bytes()).unwrap();
    stream.write_all(&file[..LONG_ENOUGH]).unwrap();
    eventually(|| !collector.files("part").is_empty());
    let address = collector.address();
    scope(|scope| {
        let client = scope.spawn(move || {
            // The collector stops: no new connection is accepted.
            eventually(|| TcpStream::connect(address).is_err());
            stream.write_all(&file[LONG_ENOUGH..]).unwrap();
            read_response(&mut stream).unwrap().expect(201);
        });
        collector.stop();
        client.join().unwrap();
    });
    collector.restart();
    assert_eq!(collector.listed(&collector.token(QA), QA), [id.to_string()]);
}
