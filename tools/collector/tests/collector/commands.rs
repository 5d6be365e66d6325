//! `sordino-collector` on the command line.

use std::{fs, path::Path, process::Stdio};

use serde_json::Value;
use sordino::Purpose;

use crate::database::is_postgres;
use crate::support::*;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_token_created_at_run_time_is_valid_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &[]);
    let data = folder.path().to_str().unwrap();
    for (name, purposes) in [
        ("me", vec!["--purpose", QA, RESEARCH]),
        ("me too", vec!["--purpose", QA, "--purpose", RESEARCH]),
    ] {
        let arguments = [
            vec!["token", "create", "--data", data, "--name", name],
            purposes,
        ]
        .concat();
        let output = run(&arguments);
        assert!(output.status.success() && output.stderr.is_empty());
        let stdout = text(&output.stdout);
        let token = stdout
            .lines()
            .last()
            .unwrap()
            .split_whitespace()
            .last()
            .unwrap();
        for purpose in [QA, RESEARCH] {
            let request = Request::new("GET", format!("/v1/samples?purpose={purpose}"))
                .header("Authorization", format!("Bearer {token}"));
            send(service.address(), &request).expect(200);
        }
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(
                !holds(&bytes, token.as_bytes()),
                "the token itself was kept"
            );
        }
    }
    let arguments = [
        "token",
        "create",
        "--data",
        data,
        "--name",
        "me again",
        "--purpose",
        QA,
        "--json",
    ];
    let document: Value = serde_json::from_slice(&run(&arguments).stdout).unwrap();
    assert_eq!(
        document["token"].as_str().unwrap().len(),
        "sordino_".len() + 64
    );
}

#[test]
fn serve_prints_its_address_as_json_and_stops_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(folder.path(), &["--json"]);
    let document: Value = serde_json::from_str(&service.line).unwrap();
    assert!(
        document["listening"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    service.stop();
    // Closed cleanly: the write-ahead log was checkpointed.
    assert!(!folder.path().join("collector.sqlite-wal").exists());
}

/// A pipe closes however the process at its other end exits; until then, signals still stop the service.
#[test]
fn serve_stops_when_standard_input_closes_if_requested() {
    for is_closed in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command();
        command.stdin(Stdio::piped());
        let arguments = ["--exit-on-stdin-close"];
        let mut service = Service::start_with(command, "127.0.0.1:0", folder.path(), &arguments);
        send(service.address(), &Request::new("GET", "/healthz")).expect(200);
        let stdin = service.child.stdin.take();
        match is_closed {
            true => drop(stdin),
            false => {
                service.signal("-TERM");
                service.child.stdin = stdin;
            }
        }
        assert!(service.child.wait().unwrap().success());
        // Closed cleanly: the write-ahead log was checkpointed.
        assert!(!folder.path().join("collector.sqlite-wal").exists());
    }
}

#[test]
fn a_failure_is_one_line_and_status_1() {
    if is_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let file = folder.path().join("file");
    std::fs::write(
        &file,
        "not a folder, plan or database; just text that is long enough",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let database = format!("sqlite://{file}");
    let mut out_of_bounds = plan(1, "2999-01-01", &[recipient(1)], &Purpose::ALL);
    out_of_bounds.clip_seconds = 0;
    let out_of_bounds = write_plan(folder.path(), out_of_bounds);
    let good = write_plan(
        folder.path(),
        plan(1, "2999-01-01", &[recipient(1)], &Purpose::ALL),
    );
    let forged = folder.path().join("forged");
    let text_of_good = std::fs::read_to_string(good).unwrap();
    std::fs::write(&forged, text_of_good.replace("2999", "2998")).unwrap();
    let taken = Collector::start();
    for (arguments, says) in [
        (
            vec![
                "serve",
                "--data",
                data,
                "--database",
                "mysql://u:secret@h/d",
            ],
            "sqlite://PATH",
        ),
        (
            vec!["serve", "--data", data, "--objects", "gs://bucket"],
            "file://PATH",
        ),
        (vec!["serve", "--data", data, "--database", &database], file),
        (vec!["serve", "--data", file], file),
        (vec!["serve", "--data", data, "--objects", file], file),
        (
            vec!["serve", "--data", data, "--plan", "/nowhere/plan.json"],
            "/nowhere/plan.json",
        ),
        (vec!["serve", "--data", data, "--plan", file], file),
        (
            vec![
                "serve",
                "--data",
                data,
                "--plan",
                out_of_bounds.to_str().unwrap(),
            ],
            "clip_seconds",
        ),
        (
            vec!["serve", "--data", data, "--plan", forged.to_str().unwrap()],
            "changed after",
        ),
        (
            vec!["serve", "--data", data, "--listen", "nonsense"],
            "nonsense",
        ),
        (
            vec![
                "serve",
                "--data",
                data,
                "--listen",
                &taken.address().to_string(),
            ],
            "listen",
        ),
        (
            vec![
                "token",
                "create",
                "--data",
                data,
                "--name",
                "",
                "--purpose",
                QA,
            ],
            "name",
        ),
        (
            vec![
                "token",
                "create",
                "--data",
                file,
                "--name",
                "me",
                "--purpose",
                QA,
            ],
            file,
        ),
    ] {
        let output = run(&arguments);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(
            stdout.is_empty() && stderr.lines().count() == 1,
            "{arguments:?}: {stderr}"
        );
        assert!(
            stderr.starts_with("error: ") && stderr.contains(says),
            "{arguments:?}: {stderr}"
        );
        assert!(!stderr.contains("secret"));
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for arguments in [
        vec![],
        vec!["serve"],
        vec!["serve", "--data", "x", "--nonsense"],
        vec!["token", "create", "--data", "x", "--name", "me"],
        vec![
            "token",
            "create",
            "--data",
            "x",
            "--name",
            "me",
            "--purpose",
            "advertising",
        ],
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_plan_is_never_downgraded_and_survives_without_its_file() {
    let mut collector = Collector::start_with(|config| {
        let second = plan(2, "2999-01-01", &[recipient(1)], &Purpose::ALL);
        config.plan = Some(write_plan(&config.data, second));
    });
    let data = collector.data().to_str().unwrap().to_owned();
    for (version, recipient_number, says) in [(1, 1, "version 2 is in force"), (2, 5, "version 2")]
    {
        let other = plan(
            version,
            "2999-01-01",
            &[recipient(recipient_number)],
            &Purpose::ALL,
        );
        let path = write_plan(collector.data(), other);
        let output = run(&["serve", "--data", &data, "--plan", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            text(&output.stderr).contains(says),
            "{}",
            text(&output.stderr)
        );
    }
    collector.config.plan = None;
    collector.restart();
    let answer = collector.send(&Request::new("GET", "/v1/plan")).expect(200);
    assert_eq!(answer.header("etag").unwrap(), "\"2\"");
}

#[test]
fn a_command_on_a_missing_collector_fails_and_creates_none() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("mistyped");
    let data = data.to_str().unwrap();
    let record = "0".repeat(32);
    let out = folder.path().join("backup");
    let statement = folder.path().join("statement");
    fs::write(&statement, "{}").unwrap();
    let statement = statement.to_str().unwrap();
    for words in [
        vec!["withdraw", &record],
        vec!["delete", &record],
        vec!["renew-epoch"],
        vec!["check"],
        vec!["retention"],
        vec!["token", "create", "--name", "alice", "--purpose", QA],
        vec!["token", "list"],
        vec!["token", "revoke", "alice"],
        vec!["quarantine", "list"],
        vec!["quarantine", "release", &record],
        vec!["quarantine", "delete", &record],
        vec!["plan", "refresh", statement],
        vec!["backup", out.to_str().unwrap()],
    ] {
        let output = command()
            .args(&words)
            .args(["--data", data])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let complaint = text(&output.stderr);
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.contains("no collector found in"), "{complaint}");
        assert!(!Path::new(data).exists(), "{words:?}");
    }
}

/// Like a `--data` that names the parent folder, or an empty database.
#[test]
fn a_folder_without_a_collector_is_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    fs::write(folder.path().join("notes"), "ours").unwrap();
    let create = [
        "token",
        "create",
        "--name",
        "alice",
        "--purpose",
        QA,
        "--data",
        data,
    ];
    let left = || {
        let files = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let refused = |more: &[&str]| {
        let output = command().args(create).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{more:?}");
        let complaint = text(&output.stderr);
        assert!(complaint.contains("no collector found in"), "{complaint}");
        assert!(complaint.contains("serve"), "{complaint}");
    };
    refused(&[]);
    // The server is not contacted, because the missing epoch file is detected first.
    refused(&["--database", "postgres://nobody@127.0.0.1:1/none"]);
    assert_eq!(left(), ["notes"]);
    fs::write(folder.path().join("collector.sqlite"), "").unwrap();
    refused(&[]);
    assert_eq!(left(), ["collector.sqlite", "notes"]);
}

/// Names are untrusted; printing them must not control the terminal.
#[test]
fn control_characters_in_names_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a\u{1b}[2J\u{202e}b");
    for words in [
        vec!["token", "list", "--data", data.to_str().unwrap()],
        vec!["no\u{1b}[2Jcommand"],
    ] {
        let output = command().args(&words).output().unwrap();
        for bytes in [output.stdout, output.stderr] {
            let message = text(&bytes);
            let is_plain = |character: char| character == '\n' || !character.is_control();
            assert!(message.chars().all(is_plain), "{message:?}");
            assert!(!message.contains('\u{202e}'), "{message:?}");
        }
    }
}
