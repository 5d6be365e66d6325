//! `PUT`, `DELETE` and the accesses of a sample, row by row.

use serde_json::json;
use sordino::{Purpose, Week};

use crate::support::*;

#[test]
fn a_repeated_upload_is_accepted_and_stored_once() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let (id, file) = (sample(), age_file(1, 1));
    let request = device.put(id, BOTH, &file);
    collector.send(&request).expect(201);
    collector.send(&request).expect(200);
    assert_eq!(std::fs::read(collector.object(id)).unwrap(), file);
    assert!(collector.files("part").is_empty());
    assert_eq!(collector.listed(&collector.token(QA), QA), [id.to_string()]);
}

#[test]
fn other_bytes_with_a_known_id_are_rejected() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let (id, file) = (sample(), age_file(1, 1));
    collector.send(&device.put(id, BOTH, &file)).expect(201);
    let different = device.put(id, BOTH, &age_file(1, 2));
    collector.send(&different).problem(409, "different-content");
    let other = Device::registered(&collector, BOTH);
    collector
        .send(&other.put(id, BOTH, &file))
        .problem(403, "not-yours");
    assert_eq!(std::fs::read(collector.object(id)).unwrap(), file);
}

#[test]
fn a_sample_for_ungranted_purposes_is_rejected() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    for purposes in [RESEARCH, BOTH] {
        let request = device.put(sample(), purposes, &age_file(1, 1));
        collector.send(&request).problem(403, "not-granted");
    }
    nothing_came_in(&collector);
}

#[test]
fn a_sample_with_an_expired_consent_is_rejected() {
    let collector = Collector::start();
    let device = Device::new();
    let mut content = device.content(1, QA);
    content.holds_until = "2020-W52".parse().unwrap();
    let document = device.document(content);
    collector
        .send(&device.register_document(document))
        .expect(201);
    let request = device.put(sample(), QA, &age_file(1, 1));
    collector.send(&request).problem(403, "not-granted");
    nothing_came_in(&collector);
}

#[test]
fn an_unsealed_body_is_rejected() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let file = age_file(1, 1);
    let header = file.len() - 32768;
    let text = String::from_utf8(file[..header].to_vec()).unwrap();
    let scrypt = text.replace("-> X25519", "-> scrypt");
    let extra = text.replace("---", "-> grease\n\n---");
    for body in [
        b"".to_vec(),
        b"RIFF....WAVEfmt ".repeat(64),
        file[..header].to_vec(),
        file[..header + 31].to_vec(),
        file[1..].to_vec(),
        [scrypt.as_bytes(), &file[header..]].concat(),
        [extra.as_bytes(), &file[header..]].concat(),
        age_file(0, 1),
        vec![0; 100_000],
    ] {
        collector
            .send(&device.put(sample(), QA, &body))
            .problem(422, "not-sealed");
    }
    nothing_came_in(&collector);
}

#[test]
fn a_body_that_does_not_match_its_digest_is_rejected() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let mut request = device.put(sample(), QA, &age_file(1, 1));
    request.body.as_mut().unwrap()[500] ^= 1;
    collector.send(&request).problem(422, "bad-digest");
    let mut record = Device::new().register(1, QA);
    record.body.as_mut().unwrap().push(b' ');
    collector.send(&record).problem(422, "bad-digest");
    nothing_came_in(&collector);
}

#[test]
fn an_oversized_body_is_rejected() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let mut most = age_file(1, 1);
    most.resize(1 << 20, 0);
    collector.send(&device.put(sample(), QA, &most)).expect(201);
    let mut more = most;
    more.push(0);
    let request = device.put(sample(), QA, &more);
    collector.send(&request).problem(413, "too-large");

    let chunks: Vec<u8> = more
        .chunks(50_000)
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .chain(*b"0\r\n\r\n")
        .collect();
    let mut chunked = request.header("Transfer-Encoding", "chunked");
    chunked.body = None;
    let bytes = [chunked.head().into_bytes(), chunks].concat();
    let mut stream = connect(collector.address());
    std::io::Write::write_all(&mut stream, &bytes).unwrap();
    read_response(&mut stream)
        .unwrap()
        .problem(413, "too-large");
    assert_eq!(collector.files("age").len(), 1);
    assert!(collector.files("part").is_empty());
}

#[test]
fn missing_or_invalid_headers_are_malformed() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let draft = device.draft(sample(), BOTH, &age_file(1, 1));
    for (name, value) in [
        ("Sordino-Purposes", ""),
        ("Sordino-Purposes", "advertising"),
        (
            "Sordino-Purposes",
            "recognition-research, quality-assurance",
        ),
        ("Sordino-Purposes", "quality-assurance, quality-assurance"),
        ("Sordino-Recipients", "0"),
        ("Sordino-Recipients", "ABCDEF"),
        ("Content-Digest", "sha-512=:AAAA:"),
        ("Content-Digest", "sha-256=:AAAA:"),
        ("Content-Digest", "nonsense"),
    ] {
        let request = draft.clone().set(name, value).sign(&device);
        collector.send(&request).problem(400, "malformed");
    }
    let id = "/v1/samples/ABCDEF";
    let request = Request {
        target: id.to_owned(),
        ..draft.clone()
    }
    .sign(&device);
    collector.send(&request).problem(400, "malformed");
    nothing_came_in(&collector);
}

#[test]
fn only_recipients_of_a_current_plan_are_accepted() {
    let (now, then, expired) = ([recipient(1), recipient(2)], [recipient(3)], [recipient(4)]);
    let mut collector = Collector::start_with(|config| {
        let first = plan(1, "2020-01-01", &expired, &Purpose::ALL);
        config.plan = Some(write_plan(&config.data, first));
    });
    for (version, recipients) in [(2, then.as_slice()), (3, now.as_slice())] {
        let next = plan(version, "2999-01-01", recipients, &Purpose::ALL);
        collector.config.plan = Some(write_plan(collector.data(), next));
        collector.restart();
    }
    let device = Device::registered(&collector, QA);
    let put = |recipients: &[_], stanzas| {
        let digest = recipients_digest(recipients);
        let draft = device.draft(sample(), QA, &age_file(stanzas, 1));
        collector.send(&draft.set("Sordino-Recipients", digest).sign(&device))
    };
    put(&now, 2).expect(201);
    put(&then, 1).expect(201);
    put(&now, 1).problem(422, "wrong-recipients");
    put(&then, 2).problem(422, "wrong-recipients");
    put(&expired, 1).problem(422, "wrong-recipients");
    put(&[recipient(9)], 1).problem(422, "wrong-recipients");
    assert_eq!(collector.files("age").len(), 2);
}

#[test]
fn a_deleted_id_stays_deleted_even_if_unknown() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let (known, unknown) = (sample(), sample());
    collector
        .send(&device.put(known, QA, &age_file(1, 1)))
        .expect(201);
    for id in [known, unknown, known] {
        collector.send(&device.delete(id)).expect(204);
    }
    for id in [known, unknown] {
        assert!(!collector.object(id).exists());
        let late = device.put(id, QA, &age_file(1, 1));
        collector.send(&late).problem(410, "deleted");
    }
    let token = collector.token(QA);
    let target = format!("/v1/samples/{known}?purpose={QA}");
    collector.read(&token, &target).problem(410, "deleted");
    assert!(collector.files("age").is_empty() && collector.files("part").is_empty());
}

#[test]
fn samples_of_other_records_are_inaccessible() {
    let collector = Collector::start();
    let (device, other) = (
        Device::registered(&collector, QA),
        Device::registered(&collector, QA),
    );
    let id = sample();
    collector
        .send(&device.put(id, QA, &age_file(1, 1)))
        .expect(201);
    collector.send(&other.delete(id)).problem(403, "not-yours");
    collector
        .send(&other.accesses(id))
        .problem(403, "not-yours");
    collector
        .send(&Device::new().delete(id))
        .problem(404, "unknown-record");
    collector
        .send(&device.accesses(sample()))
        .problem(404, "unknown-sample");
    assert!(collector.object(id).exists());
    collector.send(&device.delete(id)).expect(204);
    collector.send(&other.delete(id)).problem(403, "not-yours");
}

#[test]
fn accesses_are_reported_even_after_deletion() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let id = sample();
    collector
        .send(&device.put(id, BOTH, &age_file(1, 1)))
        .expect(201);
    assert_eq!(
        collector.send(&device.accesses(id)).expect(200).json(),
        json!({"accesses": [], "head": head_of(&[])})
    );
    for purpose in [RESEARCH, QA] {
        let token = collector.token(purpose);
        collector
            .read(&token, &format!("/v1/samples/{id}?purpose={purpose}"))
            .expect(200);
    }
    let week = Week::from_timestamp(jiff::Timestamp::now()).to_string();
    let log = collector.log();
    let [first, second] = [&log[0]["hash"], &log[1]["hash"]];
    let expected = json!({
        "accesses": [
            {"purpose": RESEARCH, "week": week, "reader": "a reader", "entry": 1, "hash": first},
            {"purpose": QA, "week": week, "reader": "a reader 2", "entry": 2, "hash": second},
        ],
        "head": head_of(&log),
    });
    assert_eq!(
        collector.send(&device.accesses(id)).expect(200).json(),
        expected
    );
    collector.send(&device.delete(id)).expect(204);
    assert_eq!(
        collector.send(&device.accesses(id)).expect(200).json(),
        expected
    );
}

fn nothing_came_in(collector: &Collector) {
    assert!(collector.files("age").is_empty() && collector.files("part").is_empty());
    for purpose in [QA, RESEARCH] {
        assert!(
            collector
                .listed(&collector.token(purpose), purpose)
                .is_empty()
        );
    }
}
