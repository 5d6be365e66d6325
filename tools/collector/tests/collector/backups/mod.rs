//! Backups under load, restores, and deletions after a backup.

mod site;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};
use sordino::Id;

use self::site::*;
use crate::{
    services::{Postgres, S3},
    support::*,
};

/// Checks the guarantees of a backup from one kind of storage to another.
fn a_restored_collector_keeps_every_promise(from: &Site, to: &Site) {
    let service = from.serve();
    let (one, two) = (Device::new(), Device::new());
    for device in [&one, &two] {
        send(service.address(), &device.register(1, BOTH)).expect(201);
    }
    let [kept, gone, late] = [sample(), sample(), sample()];
    let narrowed = sample();
    for (device, id) in [(&one, kept), (&one, gone), (&two, narrowed)] {
        send(service.address(), &device.put(id, BOTH, &age_file(1, 7))).expect(201);
    }
    let (token, revoked) = (from.token("stays"), from.token("goes"));
    let target = |id: Id| format!("/v1/samples/{id}?purpose={QA}");
    read(&service, &token, &target(kept)).expect(200);

    let (_folder, out) = out();
    let stop = AtomicBool::new(false);
    let (held, deleted) = thread::scope(|scope| {
        let loads: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| load(&service, &one, &stop)))
            .collect();
        from.json(&["backup", out.to_str().unwrap()]);
        stop.store(true, Ordering::Relaxed);
        let loads = loads.into_iter().map(|load| load.join().unwrap());
        loads.fold((vec![], vec![]), |(mut held, mut deleted), load| {
            held.extend(load.0);
            deleted.extend(load.1);
            (held, deleted)
        })
    });

    // After the backup: a deletion, a withdrawal, an access, a sample, a revocation.
    send(service.address(), &one.delete(gone)).expect(204);
    let withdrawal = two.withdraw(RESEARCH);
    send(service.address(), &withdrawal).expect(200);
    read(&service, &token, &target(kept)).expect(200);
    send(service.address(), &one.put(late, QA, &age_file(1, 8))).expect(201);
    from.json(&["token", "revoke", "goes"]);
    let (_, samples_seen) = list(&service, &token, "samples", QA, "");
    let (_, withdrawn_seen) = list(&service, &token, "withdrawn", QA, "");
    let log_before = log(&service, &token);
    drop(service);

    let arguments = [
        "restore",
        out.to_str().unwrap(),
        "--deletions-from",
        &from.database,
    ];
    let report = to.json(&arguments);
    assert_eq!(report["deletions_known"], true);
    let checked = to.json(&["check", "--digests"]);
    assert_eq!(checked["samples"], report["samples"], "{checked}");
    let again = to.run(&arguments);
    assert!(
        complaint(&again).contains("is not empty"),
        "{}",
        complaint(&again)
    );

    let service = to.serve();
    assert_eq!(
        read(&service, &token, &target(kept)).expect(200).body,
        age_file(1, 7)
    );
    let log_after = log(&service, &token);
    assert_chained(&log_after);
    assert_eq!(log_after[..log_before.len()], log_before);
    let head = send(service.address(), &Request::new("GET", "/v1/audit/head"));
    assert_eq!(head.expect(200).json(), head_of(&log_after));
    read(&service, &revoked, &target(kept)).problem(401, "bad-token");

    let samples = |purpose| -> BTreeSet<String> {
        list(&service, &token, "samples", purpose, "")
            .0
            .into_iter()
            .collect()
    };
    let (quality, research) = (samples(QA), samples(RESEARCH));
    let (withdrawn, _) = list(&service, &token, "withdrawn", QA, &withdrawn_seen);
    assert!(quality.contains(&narrowed.to_string()) && !research.contains(&narrowed.to_string()));
    for id in deleted.iter().chain([&gone]) {
        assert!(!quality.contains(&id.to_string()));
        let answer = send(service.address(), &one.put(*id, QA, &age_file(1, 7)));
        answer.problem(410, "deleted");
    }
    // Each acknowledged sample exists, or is listed as withdrawn.
    for id in held.iter().chain([&late]).map(ToString::to_string) {
        assert_ne!(quality.contains(&id), withdrawn.contains(&id), "{id}");
    }
    assert!(withdrawn.contains(&late.to_string()) && withdrawn.contains(&gone.to_string()));
    let again = two.register(2, BOTH);
    send(service.address(), &again).problem(410, "withdrawn");
    let fresh = sample();
    send(service.address(), &one.put(fresh, QA, &age_file(1, 9))).expect(201);
    let (seen, _) = list(&service, &token, "samples", QA, &samples_seen);
    assert_eq!(
        seen,
        [fresh.to_string()],
        "no cursor skips what came after the restore"
    );
}

#[test]
fn a_backup_under_load_is_restored_on_another_machine() {
    let (from, to) = (Site::of_one_machine(), Site::of_one_machine());
    a_restored_collector_keeps_every_promise(&from, &to);
}

#[test]
fn a_backup_under_load_is_restored_on_other_services() {
    let (Some(postgres), Some(s3)) = (Postgres::start(), S3::start()) else {
        return;
    };
    let site = || Site::of_services(&postgres, &s3);
    a_restored_collector_keeps_every_promise(&site(), &site());
}

#[test]
fn a_backup_under_load_moves_from_a_machine_to_services() {
    let (Some(postgres), Some(s3)) = (Postgres::start(), S3::start()) else {
        return;
    };
    let to = Site::of_services(&postgres, &s3);
    a_restored_collector_keeps_every_promise(&Site::of_one_machine(), &to);
}

/// A collector with rows in every table.
fn filled() -> Site {
    let site = Site::of_one_machine();
    let service = site.serve();
    let device = Device::new();
    send(service.address(), &device.register(1, BOTH)).expect(201);
    let ids = [sample(), sample(), sample()];
    for id in ids {
        send(service.address(), &device.put(id, BOTH, &age_file(1, 7))).expect(201);
    }
    send(service.address(), &device.delete(ids[0])).expect(204);
    let token = site.token("reader");
    for id in &ids[1..] {
        let target = format!("/v1/samples/{id}?purpose={QA}");
        read(&service, &token, &target).expect(200);
    }
    drop(service);
    site
}

/// The tables of a backup without their counters, with unordered rows.
fn tables(backup: &Path) -> (BTreeSet<String>, Vec<i64>) {
    let text = fs::read_to_string(backup.join("tables.jsonl")).unwrap();
    let (mut lines, mut counters, mut table) = (BTreeSet::new(), Vec::new(), Value::Null);
    for line in text.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if line.is_object() {
            counters.extend(line["counter"].take().as_i64());
            table = line["table"].clone();
        }
        lines.insert(format!("{table} {line}"));
    }
    (lines, counters)
}

#[test]
fn a_backup_contains_all_tables_and_restores_every_row() {
    let from = filled();
    let (_folder, backup) = out();
    from.json(&["backup", backup.to_str().unwrap()]);
    let (lines, counters) = tables(&backup);
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let sql = fs::read_dir(migrations).unwrap();
    let sql: Vec<String> = sql
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let made = sql.iter().flat_map(|sql| sql.lines());
    let made: Vec<&str> = made
        .filter_map(|line| line.strip_prefix("CREATE TABLE ")?.split(' ').next())
        .collect();
    assert!(made.len() >= 9, "{made:?}");
    // A restored database begins a new epoch, and the tree is rebuilt from the access log.
    for table in made
        .into_iter()
        .filter(|table| !["epoch", "access_tree"].contains(table))
    {
        let heading = format!("\"{table}\" {{");
        assert!(
            lines.iter().any(|line| line.starts_with(&heading)),
            "{table}"
        );
    }
    #[cfg(unix)]
    for (path, mode) in [
        ("", 0o700),
        ("objects", 0o700),
        ("tables.jsonl", 0o600),
        ("backup.json", 0o600),
    ] {
        use std::os::unix::fs::PermissionsExt as _;
        let found = fs::metadata(backup.join(path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }

    let mut sites = vec![Site::of_one_machine()];
    let services = (Postgres::start(), S3::start());
    if let (Some(postgres), Some(s3)) = &services {
        sites.push(Site::of_services(postgres, s3));
    }
    for to in sites {
        let message = to.run(&["restore", backup.to_str().unwrap()]);
        assert!(message.status.success(), "{}", complaint(&message));
        let message = String::from_utf8(message.stdout).unwrap();
        assert!(
            message.contains("--deletions-from") && message.lines().count() == 2,
            "{message}"
        );
        let (_folder, second) = out();
        to.json(&["backup", second.to_str().unwrap()]);
        let (restored, raised) = tables(&second);
        assert_eq!(restored, lines);
        let raised: Vec<i64> = raised.iter().map(|last| last - (1 << 32)).collect();
        assert_eq!(raised, counters);
        assert_eq!(files(&second.join("objects"), "age").len(), 2);
    }
}

#[test]
fn an_incomplete_backup_is_rejected_without_changes() {
    let from = filled();
    let (_folder, backup) = out();
    from.json(&["backup", backup.to_str().unwrap()]);
    let refused = from.run(&["backup", backup.to_str().unwrap()]);
    assert!(complaint(&refused).contains("not an empty folder"));

    let to = Site::of_one_machine();
    let restore = || to.run(&["restore", backup.to_str().unwrap()]);
    let object = files(&backup.join("objects"), "age")[0].clone();
    for path in [
        backup.join("backup.json"),
        backup.join("tables.jsonl"),
        object,
    ] {
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!restore().status.success(), "{path:?}");
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let message = complaint(&restore());
        assert!(
            message.contains("not a complete backup") && message.lines().count() == 1,
            "{message}"
        );
        fs::write(&path, &whole).unwrap();
    }
    let (other, missing) = (filled(), to.folder.path().join("nowhere"));
    for (url, says) in [
        (other.database.clone(), "not the database of the backup"),
        (format!("sqlite://{}", missing.display()), "no database"),
    ] {
        let message = to.run(&[
            "restore",
            backup.to_str().unwrap(),
            "--deletions-from",
            &url,
        ]);
        assert!(
            complaint(&message).contains(says),
            "{}",
            complaint(&message)
        );
    }
    // Objects that were copied before the error are orphaned.
    let checked: Value = serde_json::from_slice(&to.run(&["check", "--json"]).stdout).unwrap();
    assert_eq!(checked["samples"], json!(0));
    assert!(!missing.exists());
    assert!(restore().status.success());
    assert_eq!(to.json(&["check", "--digests"])["samples"], json!(2));
}
