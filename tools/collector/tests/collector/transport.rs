//! Connections that end early, crawl, or send what is no HTTP.

use std::{
    io::Write as _,
    net::Shutdown,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::support::*;

#[test]
fn a_body_that_ends_midway_leaves_neither_object_nor_row() {
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
fn a_crawling_client_is_cut_off() {
    let collector = Collector::start_with(|config| {
        config.limits.headers = Duration::from_millis(300);
        config.limits.idle = Duration::from_millis(300);
        config.limits.whole_body = Duration::from_millis(900);
    });
    let device = Device::registered(&collector, QA);
    let file = age_file(1, 1);
    let request = device.put(sample(), QA, &file);

    let mut stalled = connect(collector.address());
    stalled.write_all(request.head().as_bytes()).unwrap();
    stalled.write_all(&file[..1000]).unwrap();
    read_response(&mut stalled)
        .unwrap()
        .problem(408, "too-slow");

    let mut dripping = connect(collector.address());
    dripping.write_all(request.head().as_bytes()).unwrap();
    let started = Instant::now();
    for byte in &file[..100] {
        if dripping.write_all(&[*byte]).is_err() || started.elapsed() > Duration::from_secs(2) {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    read_response(&mut dripping)
        .unwrap()
        .problem(408, "too-slow");

    let mut silent = connect(collector.address());
    silent.write_all(b"PUT /v1/samples/").unwrap();
    let started = Instant::now();
    let mut rest = Vec::new();
    // It is closed, with or without a word.
    let _ = std::io::Read::read_to_end(&mut silent, &mut rest);
    assert!(started.elapsed() < Duration::from_secs(5));

    assert!(collector.files("part").is_empty() && collector.files("age").is_empty());
    collector.send(&request).expect(201);
}

#[test]
fn what_is_no_http_harms_nobody() {
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
fn a_client_of_another_make_reads_the_answer_to_a_body_that_is_refused() {
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
fn stopping_lets_a_request_under_way_end() {
    let mut collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let id = sample();
    let file = long_age_file();
    let request = device.put(id, QA, &file);
    let mut stream = connect(collector.address());
    stream.write_all(request.head().as_bytes()).unwrap();
    stream.write_all(&file[..LONG_ENOUGH]).unwrap();
    eventually(|| !collector.files("part").is_empty());
    let rest = file[LONG_ENOUGH..].to_vec();
    let client = std::thread::spawn(move || {
        sleep(Duration::from_millis(300));
        stream.write_all(&rest).unwrap();
        read_response(&mut stream).unwrap().expect(201);
    });
    collector.restart();
    client.join().unwrap();
    assert_eq!(collector.listed(&collector.token(QA), QA), [id.to_string()]);
}
