//! Expiry and revocation of tokens.

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use crate::support::*;

/// Runs a token command on `data` and parses its output.
fn tokens(data: &str, arguments: &[&str]) -> Value {
    let (which, rest) = arguments.split_first().unwrap();
    let output = run(&[&["token", which, "--data", data, "--json"], rest].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(data: &str, arguments: &[&str], says: &str) {
    let (which, rest) = arguments.split_first().unwrap();
    let output = run(&[&["token", which, "--data", data], rest].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.lines().count() == 1 && stderr.contains(says),
        "{stderr}"
    );
}

fn read(service: &Service, token: &Value) -> Response {
    let request = Request::new("GET", format!("/v1/samples?purpose={QA}")).header(
        "Authorization",
        format!("Bearer {}", token.as_str().unwrap()),
    );
    send(service.address(), &request)
}

/// Days from today, in UTC.
fn day(days: i64) -> String {
    let today = jiff::tz::Offset::UTC
        .to_datetime(jiff::Timestamp::now())
        .date();
    today
        .saturating_add(jiff::Span::new().days(days))
        .to_string()
}

/// Sets the last day of every token in the database.
fn set_last_day(data: &str, day: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let url = format!("sqlite://{data}/collector.sqlite");
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query("UPDATE tokens SET expires = $1")
            .bind(day)
            .execute(&mut database)
            .await
            .unwrap();
        database.close().await.unwrap();
    });
}

#[test]
fn a_token_is_valid_through_its_last_day() {
    // This test reads SQLite's file.
    if crate::database::is_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let service = Service::start(folder.path(), &[]);
    let usual = tokens(data, &["create", "--name", "a", "--purpose", QA]);
    assert_eq!(usual["expires"], day(90));
    let days = tokens(
        data,
        &["create", "--name", "b", "--purpose", QA, "--days", "1"],
    );
    assert_eq!(days["expires"], day(1));
    let dated = tokens(
        data,
        &[
            "create",
            "--name",
            "c",
            "--purpose",
            QA,
            "--expires",
            &day(0),
        ],
    );
    assert_eq!(dated["expires"], day(0));
    for token in [&usual, &days, &dated] {
        read(&service, &token["token"]).expect(200);
    }
    set_last_day(data, "2020-02-29");
    for token in [&usual, &days, &dated] {
        let answer = read(&service, &token["token"]).problem(401, "bad-token");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains("expired") && detail.contains("2020-02-29"),
            "{detail}"
        );
    }
    let listed = tokens(data, &["list"]);
    for token in listed["tokens"].as_array().unwrap() {
        assert_eq!(
            (&token["state"], &token["created"]),
            (&"expired".into(), &day(0).into())
        );
    }
    set_last_day(data, &day(0));
    read(&service, &usual["token"]).expect(200);
}

/// The access list identifies readers by the names of their tokens.
#[test]
fn valid_tokens_have_unique_names() {
    // This test reads SQLite's file.
    if crate::database::is_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    Service::start(folder.path(), &[]).stop();
    let make = ["create", "--name", "alice", "--purpose", QA];
    let first = tokens(data, &make);
    let other_purpose = ["create", "--name", "alice", "--purpose", RESEARCH];
    for again in [make, other_purpose] {
        refused(data, &again, "the name `alice`");
    }
    assert_eq!(
        tokens(data, &["list"])["tokens"].as_array().unwrap().len(),
        1
    );
    // After its expiry, the name can be reused.
    set_last_day(data, &day(-1));
    tokens(data, &make);
    refused(data, &make, "the name `alice`");
    tokens(data, &["revoke", "alice"]);
    tokens(data, &make);
    let ids = tokens(data, &["list"]);
    let ids = ids["tokens"].as_array().unwrap();
    assert!(ids.len() == 3 && ids.iter().any(|token| token["id"] == first["id"]));
}

#[test]
fn a_revoked_token_is_rejected_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let service = Service::start(folder.path(), &[]);
    let make = |name: &str| tokens(data, &["create", "--name", name, "--purpose", QA]);
    let (first, other, third) = (make("leaver"), make("stayer"), make("third"));

    // By name.
    let revoked = tokens(data, &["revoke", "leaver"]);
    assert_eq!(revoked["revoked"].as_array().unwrap().len(), 1);
    let answer = read(&service, &first["token"]).problem(401, "bad-token");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("revoked") && detail.contains(&day(0)),
        "{detail}"
    );
    read(&service, &other["token"]).expect(200);
    assert_eq!(
        tokens(data, &["revoke", "leaver"])["revoked"],
        Value::Array(Vec::new())
    );

    // By the prefix of an id, and by the secret text.
    tokens(data, &["revoke", &other["id"].as_str().unwrap()[..8]]);
    read(&service, &other["token"]).problem(401, "bad-token");
    tokens(data, &["revoke", third["token"].as_str().unwrap()]);
    read(&service, &third["token"]).problem(401, "bad-token");

    refused(data, &["revoke", "nobody"], "token list");
    refused(data, &["revoke", ""], "token list");
    refused(data, &["revoke", "0"], "token list");
    let states = tokens(data, &["list"]);
    for token in states["tokens"].as_array().unwrap() {
        assert_eq!(
            (&token["state"], &token["revoked"]),
            (&"revoked".into(), &day(0).into())
        );
    }
}

#[test]
fn a_token_with_an_invalid_lifetime_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    Service::start(folder.path(), &[]).stop();
    let create =
        |rest: &[&'static str]| [&["create", "--name", "a", "--purpose", QA], rest].concat();
    refused(data, &create(&["--expires", "2020-01-01"]), "later day");
    refused(data, &create(&["--days", "4000"]), "latest");
    refused(data, &create(&["--expires", "9999-12-31"]), "latest");
    for wrong in [["--days", "-1"], ["--days", "x"], ["--expires", "tomorrow"]] {
        let arguments = [
            &[
                "token",
                "create",
                "--data",
                data,
                "--name",
                "a",
                "--purpose",
                QA,
            ],
            &wrong[..],
        ];
        assert_eq!(run(&arguments.concat()).status.code(), Some(2));
    }
}

/// The output that scripts rely on; no time finer than a day is stored.
#[test]
fn a_token_is_the_last_word_and_lists_hide_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    Service::start(folder.path(), &[]).stop();
    let output = run(&[
        "token",
        "create",
        "--data",
        data,
        "--name",
        "a b",
        "--purpose",
        QA,
        RESEARCH,
    ]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let token = stdout
        .lines()
        .last()
        .unwrap()
        .split_whitespace()
        .last()
        .unwrap();
    assert!(token.starts_with("sordino_") && token.len() == 8 + 64);

    let listed = run(&["token", "list", "--data", data]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("a b") && listed.contains(&day(90)) && !listed.contains(&token[8..]));
    assert_eq!(listed.lines().count(), 1);
    let hour = jiff::Timestamp::now().to_string()[..13].to_owned();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!holds(&bytes, token.as_bytes()) && !holds(&bytes, hour.as_bytes()));
    }
}
