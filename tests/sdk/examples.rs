//! The programs in `examples/` run and print the documented results.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::PathBuf,
    thread,
};

use sordino::{
    consent::{AgeBand, ConsentState},
    upload::TaskStatus,
};
use test_fixtures::{Organization, plan};

#[path = "../../examples/anonymize.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod anonymize;
#[path = "../../examples/consent.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod consent;
#[cfg(feature = "microphone")]
#[path = "../../examples/levels.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod levels;
#[path = "../../examples/own_audio.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod own_audio;
#[path = "../../examples/own_http.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod own_http;

fn recording() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/audio/flute-alone.wav")
}

/// A folder with `org.pub` and `plan.json`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let organization = Organization::new();
    fs::write(
        folder.path().join("org.pub"),
        organization.key().to_string(),
    )
    .unwrap();
    fs::write(folder.path().join("plan.json"), organization.sign(plan(1))).unwrap();
    folder
}

#[cfg(feature = "microphone")]
#[test]
fn levels_reports_each_second_of_a_recording() {
    let mut seconds = Vec::new();
    levels::measure(Some(recording()), |second, peak| {
        assert!((-60.0..=0.0).contains(&peak), "{peak} dBFS");
        seconds.push(second);
    })
    .unwrap();
    assert!(seconds.len() >= 5, "{seconds:?}");
    assert!(seconds.iter().copied().eq(0..seconds.len() as u64));
}

#[test]
fn own_audio_receives_every_frame_that_was_written() {
    assert_eq!(own_audio::receive().unwrap(), 100);
}

#[test]
fn consent_prints_a_receipt_and_withdraws() {
    let folder = folder();
    let engine = consent::open(folder.path(), "https://collector.example").unwrap();
    let receipt = consent::ask(&engine, "en", AgeBand::Adult).unwrap();
    assert!(receipt.contains("\"signature\""), "{receipt}");
    assert_eq!(engine.consent().unwrap().state, ConsentState::Granted);
    assert_eq!(consent::withdraw(&engine).unwrap(), ConsentState::Withdrawn);
}

#[test]
fn anonymize_writes_music_at_16_khz() {
    let clip = anonymize::anonymize(&recording()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.wav");
    anonymize::write(&clip, &path).unwrap();
    let written = hound::WavReader::open(&path).unwrap();
    assert_eq!(written.spec().sample_rate, 16_000);
    assert_eq!(written.duration() as usize, clip.samples().len());
    assert!(clip.samples().len() > 16_000);
}

#[test]
fn own_http_reports_the_response_of_the_server() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let folder = folder();
    let engine = consent::open(folder.path(), &url).unwrap();
    consent::ask(&engine, "en", AgeBand::Adult).unwrap();
    // A collector that is overloaded.
    let server = thread::spawn(move || {
        loop {
            let (mut connection, _) = server.accept().unwrap();
            let mut head = [0; 65_536];
            let read = connection.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
            let rest = "content-length: 0\r\nconnection: close\r\n\r\n";
            write!(connection, "HTTP/1.1 503 Service Unavailable\r\n{rest}").unwrap();
            // The request for a newer plan is not signed.
            if !head.starts_with("get /v1/plan") {
                return head;
            }
        }
    });
    let done = own_http::upload(&engine).unwrap();
    assert!(!done.is_empty());
    for (task, status) in &done {
        assert!(
            matches!(status, TaskStatus::Retry { .. }),
            "{task}: {status:?}"
        );
    }
    let request = server.join().unwrap();
    assert!(request.contains("\r\nsignature-input:"), "{request}");
}
