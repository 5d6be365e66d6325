//! The access log: its chain is verified by docs/protocol.md, and its tables are manipulated by SQL.

mod schemas;

use std::path::Path;

use serde_json::{Value, json};
use sordino::{Id, Week};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{database::is_postgres, support::*};

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
