//! Logs, heads, tokens and collectors that are not those that an audit wants.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    thread,
};

use serde_json::{Value, json};

use super::fake_server::{Behavior, FakeServer};
use crate::support::{Auditor, Stage};

#[test]
fn an_invalid_log_or_head_gives_one_line() {
    let auditor = Auditor::with_hand_outs(1);
    let head = auditor.head();
    for (content, says) in [
        (&b""[..], "it has no entries"),
        (b"\n", "line 1: not an entry of an access log"),
        (b"rubbish", "line 1: not an entry of an access log"),
        (b"[]\n", "line 1: not an entry of an access log"),
        (b"\xff\xfe\0", "it is UTF-16 text; save it as UTF-8"),
        (b"\xff\xff\0", "it is not text: byte 0 is not UTF-8"),
    ] {
        fs::write(auditor.stage.path("log"), content).unwrap();
        auditor
            .stage
            .sordino("audit verify log")
            .refused(&["log: ", says]);
    }
    auditor
        .stage
        .sordino("audit verify nowhere.jsonl")
        .refused(&["nowhere.jsonl"]);
    auditor
        .stage
        .sordino("audit verify audio")
        .refused(&["audio"]);
    let other = head.replace("1:", "1:0")[..head.len()].to_owned();
    auditor.verify(&format!("--head {other}")).refused(&[
        "audit.jsonl: ",
        "entry 1 is not the one that the head names",
    ]);
    auditor
        .verify("--collector http://127.0.0.1:9")
        .refused(&["http://127.0.0.1:9", "refused"]);
    for head in ["1", "1:", ":", "1:abc", "-1:0", &format!("{head}0")] {
        auditor.verify(&format!("--head {head}")).misused();
    }
    auditor
        .verify(&format!(
            "--head {head} --collector {}",
            auditor.stage.url()
        ))
        .misused();
}

#[test]
fn a_failed_fetch_leaves_the_log_unchanged() {
    let auditor = Auditor::with_hand_outs(2);
    let intact = auditor.text();
    // An invalid token is reported even if nothing is new.
    fs::write(auditor.stage.path("other-token"), "sordino_0000").unwrap();
    auditor.fetch_with("other-token").refused(&["401"]);
    auditor.stage.pull("more", "bundle");
    for token in ["sordino_0000", ""] {
        fs::write(auditor.stage.path("other-token"), token).unwrap();
        let says = if token.is_empty() { "no token" } else { "401" };
        auditor.fetch_with("other-token").refused(&[says]);
    }
    auditor.fetch_with("nowhere").refused(&["nowhere"]);
    assert_eq!(auditor.text(), intact);

    let edited =
        String::from_utf8(intact.clone())
            .unwrap()
            .replacen("first-reader", "other-reader", 1);
    fs::write(auditor.stage.path("audit.jsonl"), &edited).unwrap();
    auditor
        .fetch_with("token")
        .refused(&["audit.jsonl: line 1: the entry was changed"]);
    assert_eq!(auditor.text(), edited.as_bytes());
    fs::write(auditor.stage.path("audit.jsonl"), &intact).unwrap();

    assert_eq!(auditor.fetch()["entries"], 3);
}

#[test]
fn an_audit_of_another_server_gives_one_line() {
    let auditor = Auditor::with_hand_outs(1);
    let before = auditor.text();
    for manner in Behavior::ALL {
        let impostor = FakeServer::new(manner);
        let url = impostor.url();
        for out in ["audit.jsonl", "made.jsonl"] {
            let line = format!("audit fetch --collector {url} --token-file token --out {out}");
            auditor.stage.sordino(&line).refused(&[&url]);
        }
        auditor
            .verify(&format!("--collector {url}"))
            .refused(&[&url]);
    }
    assert_eq!(auditor.text(), before);
    assert!(!auditor.stage.path("made.jsonl").exists());
}

/// The response of a collector is checked like a file: nothing of a broken log is written.
#[test]
fn an_invalid_log_from_a_collector_is_not_written() {
    let auditor = Auditor::with_hand_outs(3);
    let entries = auditor.entries();
    let mut edited = entries.clone();
    edited[1]["reader"] = "nobody".into();
    let head = |entries: u64, hash: &Value| json!({"entries": entries, "hash": hash});
    let last = head(3, &entries[2]["hash"]);
    for (head, entries, says) in [
        (&last, &edited[..], "line 2: the entry was changed"),
        (&last, &entries[1..], "line 1: entry 1 is missing here"),
        (&last, &[json!({})], "line 1: not an entry"),
        (
            &last,
            &entries[..2],
            "the log ends at entry 2, but its head is 3: the last one is missing",
        ),
        (
            &head(3, &entries[1]["hash"]),
            &entries[..],
            "entry 3 is not the one that the head names",
        ),
        (
            &head(3, &json!("0")),
            &entries[..],
            "does not respond like a collector",
        ),
        (
            &head(3, &Value::Null),
            &entries[..],
            "does not respond like a collector",
        ),
    ] {
        let url = lying_collector(head.clone(), entries.to_vec());
        let line = format!("audit fetch --collector {url} --token-file token --out made.jsonl");
        auditor.stage.sordino(&line).refused(&[&url, says]);
        assert!(!auditor.stage.path("made.jsonl").exists());
    }
}

#[test]
fn a_log_in_a_missing_folder_is_not_created() {
    let stage = Stage::new();
    let url = stage.url();
    let line = format!("audit fetch --collector {url} --token-file token --out nowhere/log");
    stage.sordino(&line).refused(&["nowhere/log"]);
    let line = format!("audit fetch --collector {url} --token-file token --out audio");
    stage.sordino(&line).refused(&["audio"]);
}

/// Says that its log has this head, and sends these entries once. Its thread ends with the test.
fn lying_collector(head: Value, entries: Vec<Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut lines = BufReader::new(&connection).lines();
            let target = lines.next().unwrap().unwrap();
            while !lines.next().unwrap().unwrap().is_empty() {}
            let body = match target.split([' ', '?']).nth(1) {
                Some("/v1/audit/head") => head.clone(),
                _ if target.contains("after=0") => json!({"entries": entries, "next": "0"}),
                _ => json!({"entries": [], "next": "0"}),
            };
            let (body, length) = (body.to_string(), body.to_string().len());
            let answer = format!(
                "HTTP/1.1 200 OK\r\nSordino-Protocol: 1\r\nConnection: close\r\n\
                 Content-Length: {length}\r\n\r\n{body}"
            );
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}
