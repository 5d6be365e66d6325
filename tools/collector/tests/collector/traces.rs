//! No file of the service reveals who sent a sample, or when except for the week.

use std::{net::SocketAddr, path::Path, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{SHA256, digest};

use crate::support::*;

const AGENT: &str = "UnmistakableAgent/7";
const FORWARDED: &str = "198.51.100.77";
const FORWARDED_V6: &str = "2001:db8:aa77:bb66::cc55";

#[test]
fn no_address_user_agent_or_time_is_stored_or_logged() {
    // This test reads SQLite's file.
    if crate::database::is_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start_on(
        "[::]:0",
        folder.path(),
        &[
            "--log",
            "debug",
            "--log-format",
            "json",
            "--trusted-proxies",
            "1",
            "--metrics",
            "127.0.0.1:0",
        ],
    );
    let port = service.address().port();
    let token = token(folder.path());
    let device = Device::new();
    let kept = sample();
    for (seed, (from, to)) in (0..).zip([
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.1"),
        ("127.7.8.9", "127.0.0.1"),
        ("::1", "::1"),
    ]) {
        let to = SocketAddr::new(to.parse().unwrap(), port);
        let tell_tale = |request: Request| {
            let request = request
                .header("User-Agent", AGENT)
                .header("X-Forwarded-For", format!("{FORWARDED_V6}, {FORWARDED}"))
                .header("Forwarded", format!("for=\"[{FORWARDED_V6}]\""))
                .header("X-Real-IP", FORWARDED)
                .header("Cookie", "unmistakable-cookie=1")
                .header("Referer", "http://unmistakable.example/");
            let stream = connect_from(from.parse().unwrap(), to);
            exchange(stream, &request).status
        };
        assert!(matches!(tell_tale(device.register(1, BOTH)), 200 | 201));
        let (first, second) = (if seed == 0 { kept } else { sample() }, sample());
        for id in [first, second] {
            assert_eq!(tell_tale(device.put(id, BOTH, &age_file(1, seed))), 201);
            assert_eq!(tell_tale(device.put(id, BOTH, b"not sealed")), 409);
        }
        assert_eq!(tell_tale(device.delete(second)), 204);
        let read = |target: String, token: &str| {
            let bearer = format!("Bearer {token}");
            tell_tale(Request::new("GET", target).header("Authorization", bearer))
        };
        assert_eq!(
            read(format!("/v1/samples/{first}?purpose={QA}"), &token),
            200
        );
        assert_eq!(read(format!("/v1/samples?purpose={QA}"), "sordino_0"), 401);
        assert_eq!(read("/nowhere".to_owned(), &token), 404);
        assert_eq!(read("/v1/samples?purpose=%ff".to_owned(), &token), 400);
        let forged = Device {
            record: device.record,
            key: key(),
        };
        assert_eq!(tell_tale(forged.delete(first)), 401);
        let say = |target: String, body: Vec<u8>| {
            let bearer = format!("Bearer {token}");
            let mut request = Request::new("PUT", target).header("Authorization", bearer);
            request.body = Some(body);
            tell_tale(request)
        };
        let verdict = age_file(1, seed)[..1000].to_vec();
        for (target, body, status) in [
            (format!("/v1/reviews/{first}"), verdict, 204),
            (format!("/v1/reviews/{first}"), b"not sealed".to_vec(), 422),
            (
                format!("/v1/reviews/{first}/assignment"),
                br#"{"reader": "me"}"#.to_vec(),
                204,
            ),
            (
                format!("/v1/samples/{first}/quarantine"),
                br#"{"anonymizer": "2"}"#.to_vec(),
                204,
            ),
        ] {
            assert_eq!(say(format!("{target}?purpose={QA}"), body), status);
        }
        // Invalid HTTP, and a truncated request.
        for bytes in [
            &b"\0\0\0 no http\r\n\r\n"[..],
            b"PUT /v1/samples/x HTTP/1.1\r\n",
        ] {
            use std::io::Write as _;
            let mut stream = connect_from(from.parse().unwrap(), to);
            stream.write_all(bytes).unwrap();
        }
    }
    let loopback = SocketAddr::new("127.0.0.1".parse().unwrap(), port);
    let object = folder.path().join(format!("{kept}.age"));
    assert_eq!(
        object.metadata().unwrap().modified().unwrap(),
        SystemTime::UNIX_EPOCH
    );
    let page = Request::new("GET", "/metrics").header("Authorization", format!("Bearer {token}"));
    std::fs::write(
        folder.path().join("page"),
        send(loopback, &page).expect(200).body,
    )
    .unwrap();
    std::fs::write(folder.path().join("out"), service.line.replace("[::]", "")).unwrap();

    // While it runs, with the write-ahead log, and after it stopped.
    let wal = folder.path().join("collector.sqlite-wal");
    assert!(wal.metadata().is_ok_and(|wal| wal.len() > 0));
    tells_nothing(folder.path());
    service.stop();
    assert!(!wal.exists());
    tells_nothing(folder.path());

    let log = std::fs::read(folder.path().join("log")).unwrap();
    assert!(
        holds(&log, b"/v1/samples/{sample}"),
        "the log is what is looked at here"
    );
    for line in String::from_utf8(log.clone()).unwrap().lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("one JSON object per line");
    }
    for secret in [kept.to_string(), device.record.to_string(), token, today()] {
        assert!(!holds(&log, secret.as_bytes()), "the log holds {secret}");
    }
}

/// Searches every file for all encodings of forbidden data.
fn tells_nothing(folder: &Path) {
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for text in [
        AGENT,
        FORWARDED,
        FORWARDED_V6,
        "127.0.0.1",
        "127.0.0.2",
        "127.7.8.9",
    ] {
        secrets.extend(spellings(text.as_bytes()));
    }
    secrets.extend(["unmistakable", "Unmistakable", "Collector.Example"].map(Vec::from));
    // Networks as text; addresses as in a socket address. Loopback addresses that are
    // mostly zeros would occur in any table.
    secrets.extend(
        [
            "127.7.8.",
            "198.51.100.",
            "2001:db8:aa77",
            "::ffff:",
            "[::1]",
        ]
        .map(Vec::from),
    );
    secrets.extend(binary(&[127, 7, 8, 9]));
    secrets.extend(binary(&[198, 51, 100, 77]));
    let v6: std::net::Ipv6Addr = FORWARDED_V6.parse().unwrap();
    secrets.extend(binary(&v6.octets()));

    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        files += 1;
        for secret in &secrets {
            let shown = String::from_utf8_lossy(secret);
            assert!(!holds(&bytes, secret), "{} holds {shown}", path.display());
        }
    }
    assert!(
        files >= 7,
        "database, log, page, out and objects, but there were {files} files"
    );
}

/// A text in plain, hexadecimal, base64, UTF-16 and hashed form.
fn spellings(text: &[u8]) -> Vec<Vec<u8>> {
    let hash = digest(&SHA256, text);
    let wide = text.iter().flat_map(|byte| [*byte, 0]).collect();
    vec![
        text.to_vec(),
        hex(text).into_bytes(),
        BASE64.encode(text).trim_end_matches('=').into(),
        wide,
        hash.as_ref().to_vec(),
        hex(hash.as_ref()).into_bytes(),
    ]
}

/// The bytes of an address in both orders, in hexadecimal, as a number, and hashed.
fn binary(address: &[u8]) -> Vec<Vec<u8>> {
    let reversed: Vec<u8> = address.iter().rev().copied().collect();
    let hash = digest(&SHA256, address);
    let mut found = vec![
        address.to_vec(),
        reversed,
        hex(address).into_bytes(),
        hex(address).to_uppercase().into_bytes(),
        hash.as_ref().to_vec(),
        hex(hash.as_ref()).into_bytes(),
    ];
    if let Ok(four) = <[u8; 4]>::try_from(address) {
        found.push(u32::from_be_bytes(four).to_string().into_bytes());
    }
    found
}

fn token(data: &Path) -> String {
    let data = data.to_str().unwrap();
    let made = run(&[
        "token",
        "create",
        "--data",
        data,
        "--name",
        "me",
        "--purpose",
        QA,
    ]);
    let stdout = String::from_utf8(made.stdout).unwrap();
    stdout.split_whitespace().last().unwrap().to_owned()
}

fn today() -> String {
    jiff::Timestamp::now().to_string()[..10].to_owned()
}
