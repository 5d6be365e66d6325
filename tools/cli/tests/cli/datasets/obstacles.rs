//! Transient obstacles of a pull: an interrupted connection, a busy collector, another pull.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Stdio,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use serde_json::json;

use crate::support::{FORMATS, PLAYED, QA, Stage};

/// Answers each connection's first request by what `answer` says to it, by its number, or passes it
/// on to the collector where that is nothing.
pub(crate) fn between(
    stage: &Stage,
    answer: impl Fn(usize, &str) -> Option<String> + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let collector = stage.collector_address();
    thread::spawn(move || {
        let count = AtomicUsize::new(0);
        for mut connection in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n")
                && connection.read(&mut byte).is_ok_and(|read| read == 1)
            {
                head.extend(byte);
            }
            let head = String::from_utf8(head).unwrap();
            let number = count.fetch_add(1, Ordering::SeqCst);
            let answer = answer(number, &head).unwrap_or_else(|| passed_on(collector, &head));
            let bytes: Vec<u8> = answer.chars().map(|letter| letter as u8).collect();
            let _ = connection.write_all(&bytes);
        }
    });
    url
}

/// The collector's response to a request without a body, one letter for each byte.
pub(crate) fn passed_on(collector: SocketAddr, head: &str) -> String {
    let mut to = TcpStream::connect(collector).unwrap();
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    to.write_all(head.as_bytes()).unwrap();
    let mut whole = Vec::new();
    to.read_to_end(&mut whole).unwrap();
    whole.into_iter().map(char::from).collect()
}

fn with_two() -> Stage {
    let stage = Stage::new();
    stage.granted("d", QA);
    for recording in &PLAYED[..2] {
        stage.submit("d", recording);
    }
    stage.upload("d");
    stage
}

pub(crate) fn line(url: &str, out: &str, format: &str) -> String {
    format!(
        "pull --collector {url} --token-file token --identity qa.key --out {out} --format {format} --purpose {QA}"
    )
}

#[test]
fn interrupted_connections_and_busy_collectors_are_retried() {
    let stage = with_two();
    for format in FORMATS {
        let url = between(&stage, |number, head| {
            // The first answers is the collector's; then every second one fails in some way.
            if number < 2 || number % 2 == 0 || !head.starts_with("GET /v1/samples/") {
                return None;
            }
            let start = "HTTP/1.1 200 OK\r\nSordino-Protocol: 1\r\nContent-Length: 5000\r\n\r\n";
            Some(match number % 3 {
                0 => format!("{start}half a body"),
                1 => "HTTP/1.1 503 Busy\r\nSordino-Protocol: 1\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
                    .to_owned(),
                _ => String::new(),
            })
        });
        let result = stage.json(&line(&url, format, format));
        assert_eq!(
            result,
            json!({"pulled": 2, "removed": 0, "total": 2, "unreadable": 0}),
            "{format}"
        );
    }
}

#[test]
fn a_withdrawn_copy_is_removed_before_the_network_fails() {
    for format in FORMATS {
        let stage = with_two();
        let url = between(&stage, |_, _| None);
        stage.json(&line(&url, "data", format));
        let samples = stage.json("device d samples");
        let gone = samples[0]["sample"]
            .as_str()
            .or(samples[0]["id"].as_str())
            .unwrap();
        stage.sordino(&format!("device d delete {gone}")).ok();
        stage.submit("d", PLAYED[0]);
        stage.upload("d");
        // The folder is bound to the collector's address, so it is the same one that breaks.
        let broken = between(&stage, |_, head| {
            let is_list = head.starts_with("GET /v1/samples?");
            is_list.then(|| {
                "HTTP/1.1 500 No\r\nSordino-Protocol: 1\r\nContent-Length: 0\r\n\r\n".to_owned()
            })
        });
        let index = stage.path("data/.sordino-pull.json");
        let text = std::fs::read_to_string(&index).unwrap();
        std::fs::write(&index, text.replace(&url, &broken)).unwrap();
        let card = stage.path("data/README.md");
        stage
            .sordino(&line(&broken, "data", format))
            .refused(&["500"]);
        assert!(!stage.mentions("data", gone.as_bytes()), "{format}");
        let card = std::fs::read_to_string(card).unwrap();
        assert!(card.contains("1 samples, "), "{card}");
    }
}

/// The collector sends other content than it listed, or lists without end.
#[test]
fn a_dishonest_collector_is_reported_and_nothing_is_kept() {
    let stage = with_two();
    let other = between(&stage, |_, head| {
        head.starts_with("GET /v1/samples/").then(|| {
            let body = "x".repeat(40_000);
            format!("HTTP/1.1 200 OK\r\nSordino-Protocol: 1\r\nContent-Length: 40000\r\n\r\n{body}")
        })
    });
    let endless = between(&stage, |_, head| {
        head.starts_with("GET /v1/samples/").then(|| {
            let body = "x".repeat(9_000_000);
            format!("HTTP/1.1 200 OK\r\nSordino-Protocol: 1\r\nContent-Length: 99000000000\r\n\r\n{body}")
        })
    });
    for (number, url) in [other, endless].iter().enumerate() {
        let out = format!("lied-{number}");
        let ran = stage.sordino(&format!("{} --json", line(url, &out, "audiofolder")));
        ran.failed(&["other bytes than it listed"]);
        let result = ran.document();
        assert_eq!(
            (&result["unreadable"], &result["total"]),
            (&json!(2), &json!(0))
        );
        assert!(!stage.path(&out).join("audio").exists());
    }
    let (listed, lists) = mpsc::channel();
    let circle = between(&stage, move |_, head| {
        head.starts_with("GET /v1/samples?").then(|| {
            listed.send(()).unwrap();
            let id = "ab".repeat(16);
            let body = format!(
                r#"{{"samples": [{{"id": "{id}", "consent": "{id}", "bytes": 1, "sha256": "00", "week": "2026-W48", "purposes": ["{QA}"]}}], "next": "7"}}"#
            );
            let length = body.len();
            format!("HTTP/1.1 200 OK\r\nSordino-Protocol: 1\r\nContent-Length: {length}\r\n\r\n{body}")
        })
    });
    stage
        .sordino(&line(&circle, "circle", "bundle"))
        .refused(&["again and again"]);
    // `pull` requested the first page and page 7, and not page 7 again.
    assert_eq!(lists.try_iter().count(), 2);
}

#[test]
fn a_second_pull_into_the_same_folder_is_refused() {
    let stage = with_two();
    // A pull that waits for a response until this test continues it.
    let (heard, hears) = mpsc::channel();
    let (answer, answers) = mpsc::channel::<()>();
    let slow = between(&stage, move |_, head| {
        if head.starts_with("GET /v1/samples/") {
            heard.send(()).unwrap();
            // Until the other end is dropped.
            let _ = answers.recv();
        }
        None
    });
    let mut first = stage
        .command(&line(&slow, "data", "bundle"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    hears.recv().unwrap();
    stage
        .sordino(&line(&slow, "data", "bundle"))
        .refused(&["data", "another pull"]);
    first.kill().unwrap();
    first.wait().unwrap();
    drop(answer);
}
