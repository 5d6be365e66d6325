//! Proofs of the access log by docs/protocol.md and RFC 9162, and their verification by a real device.

mod person;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};
use sordino::upload::LogInconsistency;

use self::person::*;
use crate::{audit::execute, database::is_postgres, support::*};

#[test]
fn accesses_and_earlier_heads_are_proven_as_the_rfc_defines() {
    const ENTRIES: usize = 21;
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let ids = [sample(), sample()];
    for (seed, id) in (0..).zip(ids) {
        let request = device.put(id, QA, &age_file(1, seed));
        collector.send(&request).expect(201);
    }
    let token = collector.token_of("Büro „Süd“ / \\", QA);
    for size in 0..=ENTRIES {
        let log = collector.log();
        let leaves = leaves(&log);
        for seen in 0..=size + 1 {
            let answer = collector.send(&device.accesses_since(ids[0], seen));
            let answer = answer.expect(200).json();
            assert_eq!(answer["head"], head_of(&log));
            let consistency = match seen {
                0 => json!([]),
                seen if seen <= size => hashes(&subproof(seen, &leaves, true)),
                _ => Value::Null,
            };
            assert_eq!(answer["consistency"], consistency, "{seen} of {size}");
            let has_member = answer.as_object().unwrap().contains_key("consistency");
            assert_eq!(has_member, seen <= size);
            let mine = log
                .iter()
                .filter(|entry| entry["sample"] == ids[0].to_string());
            let expected: Vec<Value> = mine.map(|entry| proven(entry, &leaves)).collect();
            assert_eq!(answer["accesses"], json!(expected));
        }
        let target = format!("/v1/samples/{}?purpose={QA}", ids[size % 3 / 2]);
        collector.read(&token, &target).expect(200);
    }
    // A request without proofs gets none.
    let plain = collector.send(&device.accesses(ids[0])).expect(200).json();
    assert_eq!(plain["accesses"][0].as_object().unwrap().len(), 5);
    assert_eq!(plain.as_object().unwrap().len(), 2);
}

#[test]
fn proofs_require_the_records_signature_and_a_valid_number() {
    let collector = Collector::start();
    let (device, id) = Device::with_sample(&collector, QA);
    let other = Device::registered(&collector, QA);
    let not_mine = other.accesses_since(id, 0);
    collector.send(&not_mine).problem(403, "not-yours");
    let unknown = device.accesses_since(sample(), 0);
    collector.send(&unknown).problem(404, "unknown-sample");
    let unsigned = Request::new("GET", format!("/v1/samples/{id}/accesses/since/0"));
    collector.send(&unsigned).problem(401, "bad-signature");
    for seen in ["-1", "+1", "01", "1.0", "x", "18446744073709551616"] {
        let answer = collector.send(&device.accesses_since(id, seen));
        answer.problem(400, "malformed");
    }
    let largest = device.accesses_since(id, u64::MAX);
    let answer = collector.send(&largest).expect(200).json();
    assert_eq!(answer.get("consistency"), None);
}

#[test]
fn a_device_verifies_the_log_during_downloads_and_deletions() {
    let collector = Collector::start();
    let person = Person::new(&collector);
    let (device, other) = Device::with_sample(&collector, QA);
    assert_eq!(person.asks(&collector).accesses.len(), 0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                let (collector, stop) = (&collector, &stop);
                let token = collector.token(QA);
                let id = if reader == 0 { other } else { person.sample };
                scope.spawn(move || {
                    let target = format!("/v1/samples/{id}?purpose={QA}");
                    let mut read = 0;
                    while !stop.load(Ordering::Relaxed) || read < 5 {
                        collector.read(&token, &target).expect(200);
                        read += 1;
                    }
                    read
                })
            })
            .collect();
        for _ in 0..12 {
            let reported = person.asks(&collector);
            assert_eq!(reported.broken, None, "{reported:#?}");
        }
        stop.store(true, Ordering::Relaxed);
        let read: Vec<usize> = readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .collect();
        let reported = person.asks(&collector);
        assert_eq!(
            (reported.broken, reported.accesses.len()),
            (None, read[1] + read[2])
        );
    });
    // A deletion does not remove accesses.
    collector.send(&device.delete(other)).expect(204);
    person.engine.delete(person.sample).unwrap();
    person.uploads(&collector);
    let reported = person.asks(&collector);
    assert!(reported.broken.is_none() && !reported.accesses.is_empty());
    let log = collector.log();
    assert_chained(&log);
    assert_eq!(collector.head(), head_of(&log));
}

/// Entries 1 and 3 are of another sample, 2 and 4 of the person's; all were reported. The triggers are dropped.
#[test]
fn a_device_reports_a_manipulated_log() {
    if is_postgres() {
        return;
    }
    let left_out = LogInconsistency::LeftOut { entry: 2 };
    let wrong_hash = LogInconsistency::WrongHash { entry: 2 };
    let not_included = LogInconsistency::NotIncluded { entry: 2 };
    let cases: [(&str, &[&str], LogInconsistency); 9] = [
        (
            "changed",
            &["UPDATE accesses SET reader = 'nobody' WHERE sequence = 2"],
            wrong_hash,
        ),
        (
            "removed",
            &["DELETE FROM accesses WHERE sequence = 2"],
            left_out,
        ),
        (
            "given to another sample",
            &[
                "UPDATE accesses SET sample = (SELECT sample FROM accesses WHERE sequence = 1) WHERE sequence = 2",
            ],
            left_out,
        ),
        (
            "reordered",
            &[
                "UPDATE accesses SET sequence = 9 WHERE sequence = 2",
                "UPDATE accesses SET sequence = 2 WHERE sequence = 3",
                "UPDATE accesses SET sequence = 3 WHERE sequence = 9",
            ],
            LogInconsistency::WrongHash { entry: 3 },
        ),
        (
            "cut off",
            &["DELETE FROM accesses WHERE sequence > 3"],
            LogInconsistency::Shortened { before: 4, now: 3 },
        ),
        (
            "another leaf",
            &[
                "UPDATE access_tree SET hash = substr(hash, 3) || 'bb' WHERE level = 0 AND position = 0",
            ],
            not_included,
        ),
        (
            "another tree",
            &["UPDATE access_tree SET hash = substr(hash, 3) || 'bb' WHERE level = 2"],
            LogInconsistency::Rewritten { entries: 4 },
        ),
        (
            "an entry of others changed, and the tree rebuilt",
            &[
                "UPDATE accesses SET reader = 'nobody' WHERE sequence = 1",
                "DELETE FROM access_tree",
            ],
            LogInconsistency::Rewritten { entries: 4 },
        ),
        (
            "the same, and a hand-out since",
            &[
                "UPDATE accesses SET reader = 'nobody' WHERE sequence = 1",
                "DELETE FROM access_tree",
                "INSERT INTO accesses SELECT 5, sample, purpose, week, reader, hash, hash FROM accesses WHERE sequence = 4",
            ],
            LogInconsistency::Inconsistent { before: 4, now: 5 },
        ),
    ];
    let collector = Collector::start();
    let person = Person::new(&collector);
    let (_, other) = Device::with_sample(&collector, QA);
    let token = collector.token(QA);
    for id in [other, person.sample, other, person.sample] {
        let target = format!("/v1/samples/{id}?purpose={QA}");
        collector.read(&token, &target).expect(200);
    }
    for trigger in [
        "DROP TRIGGER accesses_are_not_changed",
        "DROP TRIGGER accesses_are_not_removed",
        "DROP TRIGGER accesses_are_appended",
        "DROP TRIGGER access_tree_is_not_changed",
        "DROP TRIGGER access_tree_is_not_removed",
        "DROP TRIGGER access_tree_is_appended",
        "CREATE TABLE kept_log AS SELECT * FROM accesses",
        "CREATE TABLE kept_tree AS SELECT * FROM access_tree",
    ] {
        execute(collector.data(), trigger).unwrap();
    }
    let reported = person.asks(&collector);
    assert_eq!((reported.broken, reported.accesses.len()), (None, 2));
    for (what, edits, broken) in cases {
        for edit in edits {
            execute(collector.data(), edit).unwrap();
        }
        let reported = person.asks(&collector);
        assert_eq!(reported.broken, Some(broken), "{what}");
        for repair in [
            "DELETE FROM accesses",
            "DELETE FROM access_tree",
            "INSERT INTO accesses SELECT * FROM kept_log",
            "INSERT INTO access_tree SELECT * FROM kept_tree",
        ] {
            execute(collector.data(), repair).unwrap();
        }
        assert_eq!(person.asks(&collector).broken, None, "{what}, and put back");
    }
}

/// An operator who forges the log: the entry, its hash, and everything that depends on it are rewritten.
#[test]
fn a_forged_entry_with_matching_hashes_is_not_proven() {
    if is_postgres() {
        return;
    }
    let collector = Collector::start();
    let person = Person::new(&collector);
    let token = collector.token(QA);
    let target = format!("/v1/samples/{}?purpose={QA}", person.sample);
    collector.read(&token, &target).expect(200);
    assert_eq!(person.asks(&collector).broken, None);
    collector.read(&token, &target).expect(200);
    let mut entry = collector.log()[1].clone();
    entry["reader"] = json!("nobody");
    let hash = sha256(canonical(&entry).as_bytes());
    execute(collector.data(), "DROP TRIGGER accesses_are_not_changed").unwrap();
    let forge =
        format!("UPDATE accesses SET reader = 'nobody', hash = '{hash}' WHERE sequence = 2");
    execute(collector.data(), Box::leak(forge.into_boxed_str())).unwrap();
    assert_chained(&collector.log());
    let reported = person.asks(&collector);
    assert_eq!(
        reported.broken,
        Some(LogInconsistency::NotIncluded { entry: 2 })
    );
    assert_eq!(
        reported.accesses[1].reader, "nobody",
        "it is shown all the same"
    );
}

fn proven(entry: &Value, leaves: &[Vec<u8>]) -> Value {
    let index = entry["sequence"].as_u64().unwrap() as usize - 1;
    json!({
        "purpose": entry["purpose"], "week": entry["week"], "reader": entry["reader"],
        "entry": entry["sequence"], "hash": entry["hash"], "previous": entry["previous"],
        "proof": hashes(&path(index, leaves)),
    })
}

/// `PATH(m, D[n])` of RFC 9162, section 2.1.3.1.
fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    match m < k {
        true => [path(m, left), vec![tree_hash(right)]].concat(),
        false => [path(m - k, right), vec![tree_hash(left)]].concat(),
    }
}

/// `SUBPROOF(m, D[n], b)` of section 2.1.4.1.
fn subproof(m: usize, leaves: &[Vec<u8>], b: bool) -> Vec<Vec<u8>> {
    if m == leaves.len() {
        return match b {
            true => Vec::new(),
            false => vec![tree_hash(leaves)],
        };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    match m <= k {
        true => [subproof(m, left, b), vec![tree_hash(right)]].concat(),
        false => [subproof(m - k, right, false), vec![tree_hash(left)]].concat(),
    }
}

fn hashes(proof: &[Vec<u8>]) -> Value {
    proof.iter().map(|hash| json!(hex(hash))).collect()
}
