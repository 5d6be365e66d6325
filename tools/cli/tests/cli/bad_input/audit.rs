//! Logs, heads, tokens and collectors that are not those that an audit wants.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    thread,
};

use serde_json::{Value, json};

use super::impostor::{Impostor, Manner};
use crate::support::{Desk, Stage};

#[test]
fn what_cannot_be_a_log_or_a_head_is_told_in_one_line() {
    let desk = Desk::with_hand_outs(1);
    let head = desk.head();
    for (content, says) in [
        (&b""[..], "it has no entries"),
        (b"\n", "line 1: it is no entry of an access log"),
        (b"rubbish", "line 1: it is no entry of an access log"),
        (b"[]\n", "line 1: it is no entry of an access log"),
        (b"\xff\xfe\0", "it is UTF-16 text; save it as UTF-8"),
        (b"\xff\xff\0", "it is not text: byte 0 is not UTF-8"),
    ] {
        fs::write(desk.stage.path("log"), content).unwrap();
        desk.stage
            .sordino("audit verify log")
            .refused(&["log: ", says]);
    }
    desk.stage
        .sordino("audit verify nowhere.jsonl")
        .refused(&["nowhere.jsonl"]);
    desk.stage.sordino("audit verify audio").refused(&["audio"]);
    let other = head.replace("1:", "1:0")[..head.len()].to_owned();
    desk.verify(&format!("--head {other}")).refused(&[
        "audit.jsonl: ",
        "entry 1 is not the one that the head names",
    ]);
    desk.verify("--collector http://127.0.0.1:9")
        .refused(&["http://127.0.0.1:9", "refused"]);
    for head in ["1", "1:", ":", "1:abc", "-1:0", &format!("{head}0")] {
        desk.verify(&format!("--head {head}")).misused();
    }
    desk.verify(&format!("--head {head} --collector {}", desk.stage.url()))
        .misused();
}

#[test]
fn a_fetch_that_cannot_go_on_leaves_the_log_as_it_is() {
    let desk = Desk::with_hand_outs(2);
    let intact = desk.text();
    // A token that is not good is told even where nothing is new.
    fs::write(desk.stage.path("other-token"), "sordino_0000").unwrap();
    desk.fetch_with("other-token").refused(&["401"]);
    desk.stage.pull("more", "bundle");
    for token in ["sordino_0000", ""] {
        fs::write(desk.stage.path("other-token"), token).unwrap();
        let says = if token.is_empty() { "no token" } else { "401" };
        desk.fetch_with("other-token").refused(&[says]);
    }
    desk.fetch_with("nowhere").refused(&["nowhere"]);
    assert_eq!(desk.text(), intact);

    let edited = String::from_utf8(intact.clone())
        .unwrap()
        .replacen("desk", "dusk", 1);
    fs::write(desk.stage.path("audit.jsonl"), &edited).unwrap();
    desk.fetch_with("token")
        .refused(&["audit.jsonl: line 1: the entry was changed"]);
    assert_eq!(desk.text(), edited.as_bytes());
    fs::write(desk.stage.path("audit.jsonl"), &intact).unwrap();

    assert_eq!(desk.fetch()["entries"], 3);
}

#[test]
fn what_is_no_collector_gives_an_audit_one_clear_line() {
    let desk = Desk::with_hand_outs(1);
    let before = desk.text();
    for manner in Manner::ALL {
        let impostor = Impostor::new(manner);
        let url = impostor.url();
        for out in ["audit.jsonl", "made.jsonl"] {
            let line = format!("audit fetch --collector {url} --token-file token --out {out}");
            desk.stage.sordino(&line).refused(&[&url]);
        }
        desk.verify(&format!("--collector {url}")).refused(&[&url]);
    }
    assert_eq!(desk.text(), before);
    assert!(!desk.stage.path("made.jsonl").exists());
}

/// What a collector sends is checked like a file: nothing of a broken log is written.
#[test]
fn a_collector_that_sends_a_broken_log_gives_one_clear_line_and_no_file() {
    let desk = Desk::with_hand_outs(3);
    let entries = desk.entries();
    let mut edited = entries.clone();
    edited[1]["reader"] = "nobody".into();
    let head = |entries: u64, hash: &Value| json!({"entries": entries, "hash": hash});
    let last = head(3, &entries[2]["hash"]);
    for (head, entries, says) in [
        (&last, &edited[..], "line 2: the entry was changed"),
        (&last, &entries[1..], "line 1: entry 1 is missing here"),
        (&last, &[json!({})], "line 1: it is no entry"),
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
        desk.stage.sordino(&line).refused(&[&url, says]);
        assert!(!desk.stage.path("made.jsonl").exists());
    }
}

#[test]
fn a_log_in_a_folder_that_is_not_there_is_not_begun() {
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
