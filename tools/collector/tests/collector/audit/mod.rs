//! The access log: its chain is verified by docs/protocol.md, and its tables are manipulated by SQL.

use std::{path::Path, thread};

use serde_json::{Value, json};
use sordino::{Id, Week};
use sordino_collector::{BlockingServer, Config};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::database::is_postgres;
use crate::{commands::Service, support::*};

/// The database of a collector of schema 1, with four accesses.
const SCHEMA_1: &[u8] = include_bytes!("../vectors/schema-1.sqlite.zlib");

#[test]
fn downloads_are_chained_in_order() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let ids = [sample(), sample()];
    for (seed, id) in (0..).zip(ids) {
        let request = device.put(id, BOTH, &age_file(1, seed));
        collector.send(&request).expect(201);
    }
    assert_eq!(collector.log(), Vec::<Value>::new());
    assert_eq!(collector.head(), head_of(&[]));
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(collector.head()["root"], of_nothing);

    let token = collector.token_of("alice", BOTH);
    let mut expected = Vec::new();
    for (id, purpose) in [(ids[1], QA), (ids[0], RESEARCH), (ids[1], QA)] {
        let target = format!("/v1/samples/{id}?purpose={purpose}");
        collector.read(&token, &target).expect(200);
        expected.push((id.to_string(), purpose));
        let log = collector.log();
        assert_chained(&log);
        let noted: Vec<_> = log
            .iter()
            .map(|entry| {
                let text = |member: &str| entry[member].as_str().unwrap();
                assert_eq!(text("reader"), "alice");
                assert_eq!(
                    text("week"),
                    Week::from_timestamp(jiff::Timestamp::now()).to_string()
                );
                (text("sample").to_owned(), text("purpose"))
            })
            .collect();
        assert_eq!(noted, expected);
        assert_eq!(log.len(), expected.len());
        assert_eq!(collector.head(), head_of(&log));
    }
    // A rejected download is not recorded.
    let unknown = format!("/v1/samples/{}?purpose={QA}", sample());
    collector.read(&token, &unknown).expect(404);
    assert_eq!(collector.head()["entries"], 3);
    // A deletion or a restart does not remove entries.
    collector.send(&device.delete(ids[1])).expect(204);
    collector.send(&device.withdraw(BOTH)).expect(200);
    let before = collector.log();
    let mut collector = collector;
    collector.restart();
    assert_eq!(collector.log(), before);
    assert_eq!(before.len(), 3);
}

#[test]
fn each_reported_access_is_in_the_published_log() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let (mine, other) = (sample(), sample());
    for (seed, id) in (0..).zip([mine, other]) {
        let request = device.put(id, BOTH, &age_file(1, seed));
        collector.send(&request).expect(201);
    }
    let token = collector.token(BOTH);
    for id in [other, mine, other, mine, other] {
        let target = format!("/v1/samples/{id}?purpose={QA}");
        collector.read(&token, &target).expect(200);
    }
    let answer = collector.send(&device.accesses(mine)).expect(200).json();
    let log = collector.log();
    let numbers: Vec<_> = answer["accesses"].as_array().unwrap().iter().collect();
    assert_eq!(numbers.len(), 2);
    for (access, entry) in numbers.into_iter().zip([2, 4]) {
        let published = &log[entry - 1];
        let expected = json!({
            "entry": entry, "hash": published["hash"], "purpose": published["purpose"],
            "reader": published["reader"], "week": published["week"],
        });
        assert_eq!(access, &expected);
        assert_eq!(published["sample"], mine.to_string());
    }
    assert_eq!(answer["head"], collector.head());
}

#[test]
fn the_head_is_public_and_the_log_requires_a_token() {
    let collector = Collector::start();
    collector
        .send(&Request::new("GET", "/v1/audit/head"))
        .expect(200);
    collector
        .send(&Request::new("GET", "/v1/audit/log"))
        .problem(401, "bad-token");
    for purposes in [QA, RESEARCH, BOTH] {
        let token = collector.token(purposes);
        collector.read(&token, "/v1/audit/log").expect(200);
        for query in ["after=-1", "after=s0", "after=x", "limit=0", "limit=-1"] {
            let target = format!("/v1/audit/log?{query}");
            collector.read(&token, &target).problem(400, "malformed");
        }
    }
}

#[test]
fn pages_of_the_log_are_contiguous() {
    let (collector, _) = with_hand_outs(7);
    let token = collector.token(RESEARCH);
    let page = |after: &str| {
        let target = format!("/v1/audit/log?limit=3{after}");
        collector.read(&token, &target).expect(200).json()
    };
    let mut log = Vec::new();
    let mut after = String::new();
    let mut lengths = Vec::new();
    loop {
        let page = page(&after);
        let entries = page["entries"].as_array().unwrap();
        after = format!("&after={}", page["next"].as_str().unwrap());
        lengths.push(entries.len());
        if entries.is_empty() {
            break;
        }
        log.extend(entries.clone());
    }
    assert_eq!(lengths, [3, 3, 1, 0]);
    assert_eq!(after, "&after=7");
    assert_chained(&log);
    assert_eq!(log, collector.log());
}

#[test]
fn the_access_log_rejects_changes_by_sql() {
    if is_postgres() {
        return;
    }
    let (collector, _) = with_hand_outs(3);
    let before = collector.log();
    for (statement, says) in [
        ("UPDATE accesses SET reader = 'nobody'", "append-only"),
        (
            "UPDATE OR REPLACE accesses SET sequence = 1 WHERE sequence = 2",
            "append-only",
        ),
        ("DELETE FROM accesses WHERE sequence = 3", "append-only"),
        ("DELETE FROM accesses", "append-only"),
        // Over an entry, before the first, after a gap, and outside the chain.
        (
            "INSERT OR REPLACE INTO accesses
             SELECT sequence, sample, purpose, week, 'nobody', previous, hash FROM accesses
             WHERE sequence = 2",
            "follows on the last",
        ),
        (
            "INSERT INTO accesses SELECT 0, sample, purpose, week, reader, previous, hash
             FROM accesses WHERE sequence = 1",
            "follows on the last",
        ),
        (
            "INSERT INTO accesses SELECT 5, sample, purpose, week, reader, hash, hash
             FROM accesses WHERE sequence = 3",
            "follows on the last",
        ),
        (
            "INSERT OR REPLACE INTO accesses
             SELECT 4, sample, purpose, week, reader, previous, hash FROM accesses
             WHERE sequence = 2",
            "follows on the last",
        ),
        (
            "INSERT INTO accesses (sample, purpose, week, reader, previous, hash)
             SELECT sample, purpose, week, reader, hash, hash FROM accesses WHERE sequence = 3",
            "follows on the last",
        ),
    ] {
        let error = execute(collector.data(), statement).unwrap_err();
        assert!(error.contains(says), "{statement}: {error}");
    }
    assert_eq!(collector.log(), before);
    assert_chained(&before);
}

/// The owner of the file can drop the triggers, but changes then break the chain.
#[test]
fn a_manipulated_entry_is_published_and_breaks_the_chain() {
    if is_postgres() {
        return;
    }
    for (edit, broken) in [
        (
            "UPDATE accesses SET reader = 'nobody' WHERE sequence = 2",
            2,
        ),
        ("UPDATE accesses SET week = '' WHERE sequence = 3", 3),
        ("DELETE FROM accesses WHERE sequence = 1", 1),
        ("DELETE FROM accesses WHERE sequence = 3", 3),
    ] {
        let (collector, _) = with_hand_outs(4);
        for statement in [
            "DROP TRIGGER accesses_are_not_changed",
            "DROP TRIGGER accesses_are_not_removed",
            edit,
        ] {
            execute(collector.data(), statement).unwrap();
        }
        assert_eq!(first_break(&collector.log()), Some(broken), "{edit}");
    }
}

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

#[test]
fn the_tree_rejects_changes_by_sql() {
    if is_postgres() {
        return;
    }
    let (collector, _) = with_hand_outs(3);
    let before = collector.head();
    for (statement, says) in [
        (
            "UPDATE access_tree SET hash = replace(hash, '0', '1')",
            "append-only",
        ),
        ("DELETE FROM access_tree WHERE level = 1", "append-only"),
        (
            "INSERT OR REPLACE INTO access_tree SELECT 0, 1, hash FROM access_tree
             WHERE level = 0 AND position = 0",
            "follows on the last",
        ),
        (
            "INSERT INTO access_tree SELECT 0, 4, hash FROM access_tree WHERE level = 1",
            "follows on the last",
        ),
    ] {
        let error = execute(collector.data(), statement).unwrap_err();
        assert!(error.contains(says), "{statement}: {error}");
    }
    assert_eq!(collector.head(), before);
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

/// A collector with one sample and a number of accesses to it.
fn with_hand_outs(hand_outs: usize) -> (Collector, Id) {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let id = sample();
    let request = device.put(id, QA, &age_file(1, 1));
    collector.send(&request).expect(201);
    let token = collector.token(QA);
    for _ in 0..hand_outs {
        let target = format!("/v1/samples/{id}?purpose={QA}");
        collector.read(&token, &target).expect(200);
    }
    (collector, id)
}

/// Reverts a database to the version before the tree, with a log of a number of entries; returns the hash of the
/// last.
fn without_tree(folder: &Path, entries: i64) -> String {
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

fn schema_1() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let database = miniz_oxide::inflate::decompress_to_vec_zlib(SCHEMA_1).unwrap();
    std::fs::write(folder.path().join("collector.sqlite"), database).unwrap();
    folder
}

fn start(folder: &Path) -> Result<BlockingServer, String> {
    let mut config = Config::new(folder);
    config.listen = "127.0.0.1:0".to_owned();
    BlockingServer::start(config).map_err(|error| error.to_string())
}

fn log(collector: &BlockingServer) -> Vec<Value> {
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

fn head(collector: &BlockingServer) -> Value {
    let request = Request::new("GET", "/v1/audit/head");
    send(collector.address(), &request).expect(200).json()
}

/// Runs a statement bypassing the collector.
pub(crate) fn execute(folder: &Path, statement: &'static str) -> Result<(), String> {
    with_database(folder, async |database| {
        let done = sqlx::query(statement).execute(database).await;
        done.map(drop).map_err(|error| error.to_string())
    })
}

fn count(folder: &Path, statement: &'static str) -> i64 {
    with_database(folder, async |database| {
        sqlx::query_scalar(statement)
            .fetch_one(database)
            .await
            .unwrap()
    })
}

fn with_database<T>(folder: &Path, work: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
    let options = SqliteConnectOptions::new().filename(folder.join("collector.sqlite"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut database = SqliteConnection::connect_with(&options).await.unwrap();
        let done = work(&mut database).await;
        database.close().await.unwrap();
        done
    })
}
