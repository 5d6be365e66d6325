//! Output of commands: short, and with control characters of untrusted text escaped.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use serde_json::json;

use crate::support::{PLAYED, QA, Stage};

fn is_plain(text: &str) -> bool {
    !text.chars().any(|character| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// A name that turns a terminal's title, clears it, begins a line of its own, and reads backwards.
const NASTY: &str = "a\u{1b}]0;x\u{7}\u{9b}2J\nqueued\u{202e}b";

#[test]
#[cfg(unix)]
fn file_names_are_printed_without_control_characters() {
    let stage = Stage::without_collector();
    let file = format!("{NASTY}.wav");
    fs::copy(
        stage.path(format!("audio/{}.wav", PLAYED[0])),
        stage.path(&file),
    )
    .unwrap();
    for words in [
        vec!["anonymize", &file, "--out", "out"],
        vec!["anonymize", &file, "--out", "out", "--json"],
        vec![
            "seal",
            &file,
            "--out",
            &file,
            "--recipient",
            &stage.recipient,
        ],
        vec!["plan", "show", &file],
        vec!["plan", "show", "plan.json", NASTY],
        vec![NASTY],
    ] {
        let output = stage.command("").args(&words).output().unwrap();
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).unwrap();
            assert!(is_plain(&said), "{said:?}");
        }
    }
    let output = stage
        .command("")
        .args(["anonymize", &file, "--out", "out"])
        .output()
        .unwrap();
    let rows = String::from_utf8(output.stdout).unwrap();
    assert_eq!(rows.lines().count(), 1, "{rows}");
}

/// A collector that refuses, with control characters in its message.
#[test]
fn collector_errors_are_printed_without_control_characters() {
    let stage = Stage::without_collector();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let body = json!({"type": "about:blank", "detail": NASTY}).to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 400 Bad Request\r\nSordino-Protocol: 1\r\nContent-Type: application/problem+json\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    fs::write(stage.path("token"), "sordino_0").unwrap();
    for line in [
        format!("audit fetch --collector http://{address} --token-file token --out log"),
        format!(
            "pull --collector http://{address} --token-file token --identity qa.key --out data"
        ),
    ] {
        let ran = stage.sordino(&line);
        ran.failed(&["\\u001b]0;x\\u0007\\u009b2J"]);
        assert!(is_plain(&ran.stderr), "{ran:?}");
    }
}

#[test]
fn consent_prints_a_receipt_as_json_and_a_summary_as_text() {
    let stage = Stage::without_collector();
    stage.device("d");
    let consent = "device d consent --age-band adult --purpose quality-assurance";
    let printed = stage.sordino(consent).ok().stdout;
    assert_eq!(printed.lines().count(), 1);
    fs::write(stage.path("printed.json"), printed).unwrap();
    stage.sordino("consent verify printed.json").ok();

    let said = stage
        .sordino(&format!("{consent} --receipt saved.json"))
        .ok()
        .stdout;
    assert!(
        said.contains("agreed to") && said.lines().count() < 12,
        "{said}"
    );
    stage.sordino("consent verify saved.json").ok();
}

#[test]
fn the_announced_number_of_deletions_is_acknowledged() {
    let stage = Stage::new();
    stage.granted("d", QA);
    for name in PLAYED {
        stage.submit("d", name);
    }
    assert_eq!(stage.upload("d")["samples"], 3);
    let withdrawn = stage.json("device d withdraw");
    assert_eq!(withdrawn["deletions_pending"], 3);
    let uploaded = stage.upload("d");
    assert_eq!(uploaded["deleted_samples"], 3, "{uploaded}");
    assert_eq!(stage.status("d")["deletions_pending"], 0);
}

#[test]
fn a_query_without_readable_samples_is_an_error() {
    let stage = Stage::new();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.upload("d");
    stage.sordino("keygen --out stranger.key").ok();
    let url = stage.url();
    stage
        .sordino(&format!(
            "pull --collector {url} --token-file token --identity stranger.key --out data"
        ))
        .failed(&["another key"]);
    stage
        .sordino("query data")
        .refused(&["could not open 1", "identity"]);
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_sound_card_devices_says_so_in_one_line() {
    let stage = Stage::without_collector();
    // This process finds none of the machine's devices.
    let mut command = stage.command("devices");
    command.env("ALSA_CONFIG_PATH", "/dev/null");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() <= 1, "{said}");
    let ran = stage.sordino("devices");
    assert!(ran.stderr.lines().count() <= 1, "{ran:?}");
    assert!(!ran.stdout.contains("4294967295"), "{ran:?}");
}
