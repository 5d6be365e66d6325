//! Lists and withdrawals with a thousand samples and with many more, on SQLite and
//! on PostgreSQL. The rows are inserted directly; the requests are those of a device and a QA tool.

use std::{process::Command, time::Instant};

use sqlx::{AnyConnection, Connection as _, any::install_default_drivers};
use tokio::runtime::Runtime;

use crate::{
    row,
    services::Postgres,
    support::{self, QA, Request, sample, send},
    targets::Collector,
};

const FEW: usize = 1_000;
/// The number of repetitions for a median.
const TIMES: usize = 50;
/// Samples per record, like those of a device with a year of consent.
const OF_RECORD: usize = 1_000;

/// Medians, in milliseconds.
struct Cost {
    list: f64,
    withdraw: f64,
}

pub(crate) fn measure(runtime: &Runtime, many: usize) {
    let on_sqlite = |rows| {
        let collector = Collector::start(&[], &[]);
        let url = format!(
            "sqlite://{}",
            collector.data.path().join("collector.sqlite").display()
        );
        cost(runtime, &collector, &url, &[], rows)
    };
    print_row("SQLite", many, on_sqlite(FEW), on_sqlite(many));
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let on_postgres = |rows| {
        let url = postgres.database();
        let arguments = ["--database", &url];
        let collector = Collector::start(&arguments, &[]);
        cost(runtime, &collector, &url, &arguments, rows)
    };
    print_row("PostgreSQL", many, on_postgres(FEW), on_postgres(many));
}

fn print_row(database: &str, rows: usize, few: Cost, many: Cost) {
    row(
        &format!("a page of 100 listed at {FEW} / {rows} samples, {database}"),
        "the same",
        format!("{:.1} / {:.1} ms", few.list, many.list),
    );
    row(
        &format!("a sample withdrawn by its record at {FEW} / {rows} samples, {database}"),
        "the same",
        format!("{:.1} / {:.1} ms", few.withdraw, many.withdraw),
    );
}

fn cost(
    runtime: &Runtime,
    collector: &Collector,
    url: &str,
    arguments: &[&str],
    rows: usize,
) -> Cost {
    let started = Instant::now();
    runtime.block_on(fill(url, &collector.records(), rows));
    eprintln!("{rows} rows in {:.0} s", started.elapsed().as_secs_f64());
    let token = token(collector, arguments);
    let read = |target: &str| {
        let request =
            Request::new("GET", target).header("Authorization", format!("Bearer {token}"));
        send(collector.address, &request).expect(200).json()
    };
    // From the middle of the list, where a scan of earlier rows would be visible.
    let mut cursor = String::new();
    let (half, page) = (rows / 2, (rows / 2).min(1000));
    for _ in 0..(half / page).min(20) {
        let target = format!("/v1/samples?purpose={QA}&limit={page}{cursor}");
        cursor = format!("&after={}", read(&target)["next"].as_str().unwrap());
    }
    let target = format!("/v1/samples?purpose={QA}&limit=100{cursor}");
    let list = median_time(|| {
        assert_eq!(read(&target)["samples"].as_array().unwrap().len(), 100);
    });
    // Each record has one more sample.
    let devices: Vec<_> = collector.new_devices(TIMES);
    for (number, device) in (0..).zip(&devices) {
        let upload = device.put(sample(), support::BOTH, &support::age_file(1, number));
        send(collector.address, &upload).expect(201);
    }
    let mut devices = devices.iter();
    let withdraw = median_time(|| {
        let device = devices.next().unwrap();
        send(collector.address, &device.withdraw(support::BOTH)).expect(200);
    });
    Cost { list, withdraw }
}

/// Rows of samples like those of uploads, in order of arrival.
async fn fill(url: &str, records: &[String], rows: usize) {
    const AT_ONCE: usize = 1_000;
    install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    for first in (0..rows).step_by(AT_ONCE) {
        let ids: Vec<_> = (0..AT_ONCE.min(rows - first)).map(|_| sample()).collect();
        let samples: Vec<String> = (first..)
            .zip(&ids)
            .map(|(number, id)| {
                let record = &records[number / OF_RECORD % records.len()];
                format!(
                    "('{id}', '{record}', 150000, '{:064x}', '2026-W01')",
                    number
                )
            })
            .collect();
        let values = samples.join(", ");
        let statement =
            format!("INSERT INTO samples (id, consent, bytes, sha256, week) VALUES {values}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    let purposes = format!(
        "INSERT INTO sample_purposes (sample, purpose, sequence, week) \
         SELECT id, '{QA}', sequence, week FROM samples"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(purposes))
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    // The database does this automatically in the long run.
    let written = match url.starts_with("sqlite") {
        true => "PRAGMA wal_checkpoint(TRUNCATE)",
        false => "CHECKPOINT",
    };
    for statement in ["ANALYZE", written] {
        sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

fn token(collector: &Collector, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sordino-collector"))
        .args([
            "token",
            "create",
            "--name",
            "bench",
            "--purpose",
            QA,
            "--data",
        ])
        .arg(collector.data.path())
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().last().expect("a token").to_owned()
}

fn median_time(mut act: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let started = Instant::now();
            act();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[TIMES / 2]
}
