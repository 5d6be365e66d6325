//! The commands `check`, `delete` and `retention`.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use sordino_collector::Config;

use crate::support::*;

fn run_command(collector: &Collector, command: &[&str]) -> (Value, bool) {
    let data = collector.data().to_str().unwrap();
    let output = run(&[command, &["--json", "--data", data]].concat());
    let document = serde_json::from_slice(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    (document.expect(&complaint), output.status.success())
}

#[test]
fn check_finds_missing_damaged_and_orphaned_objects() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let ids: Vec<_> = (0..4).map(|_| sample()).collect();
    for (seed, id) in (0..).zip(&ids) {
        collector
            .send(&device.put(*id, QA, &age_file(1, seed)))
            .expect(201);
    }
    collector.send(&device.delete(ids[3])).expect(204);
    let (report, is_sound) = run_command(&collector, &["check", "--digests"]);
    assert!(is_sound, "{report}");
    assert_eq!(
        (&report["samples"], &report["objects"]),
        (&json!(3), &json!(3))
    );

    std::fs::remove_file(collector.object(ids[0])).unwrap();
    std::fs::write(collector.object(ids[1]), age_file(1, 99)).unwrap();
    let orphan = sample();
    std::fs::write(collector.object(orphan), age_file(1, 1)).unwrap();
    std::fs::write(collector.object(ids[3]), age_file(1, 1)).unwrap();
    let name = |id| json!([format!("{id}.age")]);
    let (report, is_sound) = run_command(&collector, &["check", "--digests"]);
    assert!(!is_sound);
    assert_eq!(report["missing"], name(ids[0]));
    assert_eq!(report["damaged"], name(ids[1]));
    assert_eq!(report["orphans"], name(orphan));
    assert_eq!(report["undeleted"], name(ids[3]));
    let (report, _) = run_command(&collector, &["check"]);
    assert_eq!(
        report["damaged"],
        json!([]),
        "it costs a look at every byte"
    );
}

#[test]
fn an_operator_can_delete_samples() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let (id, file) = (sample(), age_file(1, 1));
    collector.send(&device.put(id, QA, &file)).expect(201);
    let unknown = sample();
    let (result, is_all) = run_command(
        &collector,
        &["delete", &id.to_string(), &unknown.to_string()],
    );
    assert_eq!(result, json!({"deleted": 1, "unknown": [unknown]}));
    assert!(!is_all && !collector.object(id).exists());
    let token = collector.token(QA);
    let withdrawn = collector.read(&token, &format!("/v1/withdrawn?purpose={QA}"));
    assert_eq!(withdrawn.json()["ids"], json!([id]));
    collector
        .send(&device.put(id, QA, &file))
        .problem(410, "deleted");
    // An id that was never sent gets no tombstone, because its record is unknown.
    collector.send(&device.put(unknown, QA, &file)).expect(201);
}

#[test]
fn retention_expires_samples_per_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(1, "2999-01-01", &[recipient(1)], &sordino::Purpose::ALL);
    plan.retention_days
        .insert(sordino::Purpose::QualityAssurance, 30);
    let plan = write_plan(folder.path(), plan);
    let collector = Collector::start_with(|config| config.plan = Some(plan));
    let device = Device::registered(&collector, BOTH);
    let (both, only, fresh) = (sample(), sample(), sample());
    for (id, purposes) in [(both, BOTH), (only, QA), (fresh, QA)] {
        collector
            .send(&device.put(id, purposes, &age_file(1, 1)))
            .expect(201);
    }
    for id in [both, only] {
        age(&collector, id, "2020-W01");
    }
    assert_eq!(
        run_command(&collector, &["retention"]).0,
        json!({"expired": 2})
    );
    assert_eq!(
        run_command(&collector, &["retention"]).0,
        json!({"expired": 0})
    );
    let token = collector.token(BOTH);
    assert_eq!(collector.listed(&token, QA), [fresh.to_string()]);
    assert_eq!(collector.listed(&token, RESEARCH), [both.to_string()]);
    let withdrawn = collector.read(&token, &format!("/v1/withdrawn?purpose={QA}"));
    assert_eq!(withdrawn.json()["ids"].as_array().unwrap().len(), 2);
    assert!(collector.object(both).exists() && !collector.object(only).exists());
    collector
        .send(&device.put(only, QA, &age_file(1, 1)))
        .problem(410, "deleted");
}

#[test]
fn a_service_runs_maintenance_at_start_and_periodically() {
    let hourly = Config::new("").maintenance_interval;
    assert_eq!(hourly, Some(Duration::from_secs(3600)));
    let mut plan = plan(1, "2999-01-01", &[recipient(1)], &sordino::Purpose::ALL);
    plan.retention_days
        .insert(sordino::Purpose::QualityAssurance, 30);
    let mut collector = Collector::start_with(|config| {
        config.plan = Some(write_plan(&config.data, plan));
    });
    let device = Device::registered(&collector, QA);
    // An expired sample and an orphaned object.
    let old = |collector: &Collector| {
        let (id, file) = (sample(), age_file(1, 1));
        collector.send(&device.put(id, QA, &file)).expect(201);
        age(collector, id, "2020-W01");
        let orphan = collector.object(sample());
        std::fs::write(&orphan, file).unwrap();
        (collector.object(id), orphan)
    };
    let is_gone = |(object, orphan): &(PathBuf, PathBuf)| !object.exists() && !orphan.exists();

    let first = old(&collector);
    collector.config.maintenance_interval = hourly;
    collector.restart();
    eventually(|| is_gone(&first));
    collector.config.maintenance_interval = Some(Duration::from_millis(20));
    collector.restart();
    for _ in 0..2 {
        let next = old(&collector);
        eventually(|| is_gone(&next));
    }
}

/// Runs retention once.
pub(crate) fn expire(collector: &Collector) {
    assert!(run_command(collector, &["retention"]).1);
}

/// Changes the week of arrival of a sample.
pub(crate) fn age(collector: &Collector, sample: sordino::Id, week: &str) {
    let url = match &collector.config.database {
        Some(_) => crate::database::database_of(collector.data()).unwrap(),
        None => format!(
            "sqlite://{}",
            collector.data().join("collector.sqlite").display()
        ),
    };
    let work = async {
        use sqlx::Connection as _;
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        for statement in [
            "UPDATE samples SET week = $2 WHERE id = $1",
            "UPDATE sample_purposes SET week = $2 WHERE sample = $1",
        ] {
            let query = sqlx::query(statement)
                .bind(sample.to_string())
                .bind(week.to_owned());
            query.execute(&mut connection).await.unwrap();
        }
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}
