//! Databases of earlier and later versions of the collector.

use std::{path::Path, thread};

use serde_json::{Value, json};
use sordino_collector::{BlockingServer, Config};
use tempfile::TempDir;

use super::*;
use crate::{database::is_postgres, support::*};

/// The database of a collector of schema 1, with four accesses.
pub(super) const SCHEMA_1: &[u8] = include_bytes!("../../vectors/schema-1.sqlite.zlib");

#[test]
fn entries_of_schema_1_are_chained_in_order() {
    let folder = schema_1();
    let noted = [
        ("b76d14b2e2a8776533b8bf4e367946c0", QA),
        ("c93a0f26119476341a1ed60fc53cfcbb", QA),
        ("b76d14b2e2a8776533b8bf4e367946c0", RESEARCH),
        ("c93a0f26119476341a1ed60fc53cfcbb", RESEARCH),
    ];
    let mut heads = Vec::new();
    for _ in 0..2 {
        let collector = start(folder.path()).unwrap();
        let log = log(&collector);
        assert_chained(&log);
        for (entry, (sample, purpose)) in log.iter().zip(noted) {
            assert_eq!(
                (&entry["sample"], &entry["purpose"]),
                (&json!(sample), &json!(purpose))
            );
            assert_eq!(
                (&entry["week"], &entry["reader"]),
                (&json!("2026-W48"), &json!("QA desk"))
            );
        }
        assert_eq!(log.len(), noted.len());
        assert_eq!(head(&collector), head_of(&log));
        heads.push(log[3]["hash"].clone());
    }
    // Chained once: the second start had nothing to do.
    assert_eq!(heads[0], heads[1]);
}

#[test]
fn concurrent_starts_chain_entries_of_schema_1_once() {
    let folder = schema_1();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(Service::start(folder.path(), &[])));
        }
    });
    let collector = start(folder.path()).unwrap();
    let log = log(&collector);
    assert_chained(&log);
    assert_eq!(log.len(), 4);
    assert_eq!(head(&collector), head_of(&log));
}

/// The schema before the tree, with more entries than one page.
#[test]
fn entries_without_a_tree_get_one_atomically() {
    if is_postgres() {
        return;
    }
    const ENTRIES: i64 = 1200;
    let (mut collector, _) = with_hand_outs(1);
    collector.stop();
    let folder = collector.data();
    let hash = without_tree(folder, ENTRIES);
    // It fails at the last entry, which has an invalid value.
    for statement in [
        "DROP TRIGGER accesses_are_not_changed",
        "UPDATE accesses SET reader = CAST(x'ff' AS TEXT) WHERE sequence = 1200",
    ] {
        execute(folder, statement).unwrap();
    }
    for _ in 0..2 {
        start(folder).unwrap_err();
        assert_eq!(count(folder, "SELECT count(*) FROM access_tree"), 0);
    }
    execute(
        folder,
        "UPDATE accesses SET reader = 'alice' WHERE sequence = 1200",
    )
    .unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| drop(Service::start(folder, &[])));
        }
    });
    collector.restart();
    let log = collector.log();
    assert_eq!(
        (log.len() as i64, &log[1199]["hash"]),
        (ENTRIES, &json!(hash))
    );
    assert_eq!(collector.head(), head_of(&log));
    let leaves = "SELECT count(*) FROM access_tree WHERE level = 0";
    assert_eq!(count(collector.data(), leaves), ENTRIES);
}

/// One of several collectors on a database may still be of the previous version.
#[test]
fn entries_of_an_older_running_collector_are_in_the_tree() {
    if is_postgres() {
        return;
    }
    let collector = Collector::start();
    let (device, id) = Device::with_sample(&collector, QA);
    let token = collector.token(QA);
    let target = format!("/v1/samples/{id}?purpose={QA}");
    collector.read(&token, &target).expect(200);
    // An entry without a leaf.
    let (previous, number) = (collector.head()["hash"].clone(), 2);
    let entry = json!({
        "previous": previous, "purpose": QA, "reader": "older", "sample": id, "sequence": number,
        "week": "2026-W48",
    });
    let hash = sha256(canonical(&entry).as_bytes());
    let statement = format!(
        "INSERT INTO accesses (sequence, sample, purpose, week, reader, previous, hash)
         VALUES ({number}, '{id}', '{QA}', '2026-W48', 'older', '{}', '{hash}')",
        previous.as_str().unwrap()
    );
    execute(collector.data(), Box::leak(statement.into_boxed_str())).unwrap();
    let before = collector.head();
    assert_eq!(before, head_of(&collector.log()));
    let report = collector
        .send(&device.accesses_since(id, 1))
        .expect(200)
        .json();
    assert_eq!(report["head"], before);
    assert_eq!(report["accesses"][1]["proof"].as_array().unwrap().len(), 1);
    collector.read(&token, &target).expect(200);
    let log = collector.log();
    assert_chained(&log);
    assert_eq!((log.len(), collector.head()), (3, head_of(&log)));
}

/// The tables of schema 2 exist, the entries are not chained yet, and chaining fails midway.
#[test]
fn interrupted_chaining_is_completed_at_the_next_start() {
    let folder = schema_1();
    let damage = "INSERT INTO accesses (sample, purpose, week, reader)
                  VALUES ('0', '0', '0', CAST(x'ff' AS TEXT))";
    execute(folder.path(), damage).unwrap();
    for _ in 0..2 {
        start(folder.path()).unwrap_err();
        assert_eq!(count(folder.path(), "SELECT count(*) FROM accesses"), 0);
        let waiting = "SELECT count(*) FROM accesses_unchained";
        assert_eq!(count(folder.path(), waiting), 5);
    }
    let repair = "DELETE FROM accesses_unchained WHERE sequence = 5";
    execute(folder.path(), repair).unwrap();
    let log = log(&start(folder.path()).unwrap());
    assert_chained(&log);
    assert_eq!(log.len(), 4);
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%unchained%'";
    assert_eq!(count(folder.path(), tables), 0);
}

#[test]
fn a_database_of_a_newer_version_is_rejected_unchanged() {
    if is_postgres() {
        return;
    }
    let (mut collector, _) = with_hand_outs(1);
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum,
                 execution_time) VALUES (1000, 'of later', 1, x'00', 0)";
    execute(collector.data(), newer).unwrap();
    let error = start(collector.data()).unwrap_err();
    assert!(
        error.ends_with("it was created by a newer version of the collector; run that version"),
        "{error}"
    );
    let older = "DELETE FROM _sqlx_migrations WHERE version = 1000";
    execute(collector.data(), older).unwrap();
    collector.restart();
    assert_chained(&collector.log());
    assert_eq!(collector.head()["entries"], 1);
}

/// Reverts a database to the version before the tree, with a log of a number of entries; returns the hash of the
/// last.
pub(super) fn without_tree(folder: &Path, entries: i64) -> String {
    with_database(folder, async |database| {
        for statement in [
            "DROP TABLE access_tree",
            "DELETE FROM _sqlx_migrations WHERE version = 8",
            "BEGIN",
        ] {
            sqlx::query(statement)
                .execute(&mut *database)
                .await
                .unwrap();
        }
        let (mut number, mut previous): (i64, String) =
            sqlx::query_as("SELECT sequence, hash FROM accesses ORDER BY sequence DESC LIMIT 1")
                .fetch_one(&mut *database)
                .await
                .unwrap();
        while number < entries {
            number += 1;
            let id = sample().to_string();
            let entry = json!({
                "previous": previous, "purpose": QA, "reader": "alice", "sample": id,
                "sequence": number, "week": "2026-W48",
            });
            let hash = sha256(canonical(&entry).as_bytes());
            sqlx::query(
                "INSERT INTO accesses (sequence, sample, purpose, week, reader, previous, hash)
                 VALUES ($1, $2, $3, '2026-W48', 'alice', $4, $5)",
            )
            .bind(number)
            .bind(id)
            .bind(QA)
            .bind(&previous)
            .bind(&hash)
            .execute(&mut *database)
            .await
            .unwrap();
            previous = hash;
        }
        sqlx::query("COMMIT").execute(&mut *database).await.unwrap();
        previous
    })
}

pub(super) fn schema_1() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let database = miniz_oxide::inflate::decompress_to_vec_zlib(SCHEMA_1).unwrap();
    std::fs::write(folder.path().join("collector.sqlite"), database).unwrap();
    folder
}

pub(super) fn start(folder: &Path) -> Result<BlockingServer, String> {
    let mut config = Config::new(folder);
    config.listen = "127.0.0.1:0".to_owned();
    BlockingServer::start(config).map_err(|error| error.to_string())
}

pub(super) fn log(collector: &BlockingServer) -> Vec<Value> {
    // One may exist from an earlier call.
    let mut tokens = (1..).map(|number: u32| format!("auditor {number}"));
    let token = tokens.find_map(|name| collector.create_token(&name, &QA.parse().unwrap()).ok());
    let request = Request::new("GET", "/v1/audit/log").header(
        "Authorization",
        format!("Bearer {}", token.unwrap().as_str()),
    );
    let page = send(collector.address(), &request).expect(200).json();
    page["entries"].as_array().unwrap().clone()
}

pub(super) fn head(collector: &BlockingServer) -> Value {
    let request = Request::new("GET", "/v1/audit/head");
    send(collector.address(), &request).expect(200).json()
}
