//! Load benchmark of the collector, compared with MinIO and nginx's WebDAV; prints rows of a Markdown table.
//!
//! `cargo bench -p sordino-collector --bench load -- [--seconds N] [--rounds N] [--minutes N] [--rows N]`: how
//! long each run lasts, how many rounds all three run (0: none), how long memory is measured, and the number of rows
//! of the large database. A run writes samples of 150 kB each to the
//! folder for temporary files, and removes them afterwards.

#![allow(clippy::unwrap_used, reason = "a bench may fail")]
#![allow(clippy::print_stdout, reason = "it prints a table")]

mod client;
#[path = "../../tests/collector/database.rs"]
mod database;
mod rows;
#[path = "../../tests/collector/services/mod.rs"]
mod services;
#[allow(dead_code, unused_imports, reason = "most of it is for tests")]
#[path = "../../tests/collector/support/mod.rs"]
mod support;
mod targets;

use std::{net::SocketAddr, process::Command, time::Duration};

use tokio::runtime::Runtime;

use client::{Load, Pace, Prepared, Stats};
use services::{Postgres, S3};
use targets::Collector;

/// Concurrent connections.
const CONNECTIONS: usize = 64;
/// More requests than any of them completes in a second on the target machines.
const MAX_PER_SECOND: usize = 4000;
/// A worker of nginx blocks during a sync, so it gets the number of workers that is fastest here.
const NGINX_WORKERS: usize = 16;

struct Options {
    time: Duration,
    rounds: usize,
    memory: Duration,
    rows: usize,
}

fn main() {
    let options = Options::read();
    let runtime = Runtime::new().unwrap();
    if options.rounds > 0 {
        uploads(&runtime, &options);
    }
    rows::measure(&runtime, options.rows);
}

fn uploads(runtime: &Runtime, options: &Options) {
    let (Some(s3), Some(nginx)) = (S3::start(), targets::nginx(NGINX_WORKERS)) else {
        return;
    };
    // One for all rounds, like the others: ext4 creates files slowly for minutes after many files
    // were deleted.
    let service = Collector::start(&[], &[]);
    let mut runs = [const { Vec::<Stats>::new() }; 3];
    for _ in 0..options.rounds {
        let uploads = service.uploads(options.requests());
        runs[0].push(fastest(
            runtime,
            options,
            "collector",
            service.address,
            uploads,
        ));
        let address = s3.authority().parse().unwrap();
        let uploads = targets::minio_uploads(&s3, options.requests());
        runs[1].push(fastest(runtime, options, "MinIO", address, uploads));
        let uploads = targets::nginx_uploads(options.requests());
        runs[2].push(fastest(runtime, options, "nginx", nginx.address(), uploads));
    }
    // In alternating rounds, because the disk of a shared machine varies from minute to minute.
    let [ours, minio, nginx] = &runs;
    let times = |others: &[Stats]| {
        let pairs = ours.iter().zip(others);
        median(pairs.map(|(ours, other)| ours.rate() / other.rate()))
    };
    let (to_minio, to_nginx) = (times(minio), times(nginx));
    let [collector, minio, nginx] = runs.map(|runs| median(runs.iter().map(Stats::rate)));
    row(
        "durable PUT of 150 kB from 64 connections, a second",
        "–",
        format!("{collector:.0}"),
    );
    row(
        "baseline: MinIO",
        "≥ 1.5 × slower",
        format!("{minio:.0}, {to_minio:.1} × slower"),
    );
    row(
        "baseline: nginx's WebDAV, with fsync",
        "≥ 0.7 × as fast as it",
        format!("{nginx:.0}, {to_nginx:.2} × as fast as it"),
    );
    half_load(runtime, options, &service, collector / 2.0);
    // Their files are deleted, which keeps the disk busy for a while.
    drop((s3, nginx));
    shared(runtime, options);
}

/// Latency and memory at half of the maximum rate; each upload is deleted again, so that the disk does not fill up.
fn half_load(runtime: &Runtime, options: &Options, collector: &Collector, rate: f64) {
    let uploads = collector.uploads((rate * options.time.as_secs_f64()) as usize + 1);
    let load = Load::new(collector.address, uploads);
    settle();
    let stats = runtime.block_on(load.run(CONNECTIONS, Pace::PerSecond(rate), options.time));
    report("collector at half load", &stats);
    row(
        "the same at half of that rate, p50 / p99",
        "≤ 50 ms",
        format!(
            "{:.0} / {:.0} ms",
            stats.quantile(0.5),
            stats.quantile(0.99)
        ),
    );
    let rate = rate.min(200.0);
    let count = (rate * options.memory.as_secs_f64()) as usize / 2 + 1;
    let load = Load::new(
        collector.address,
        collector.uploads_and_deletions(count, 256),
    );
    let mut seen = Vec::new();
    let stats = runtime.block_on(async {
        let mut step = tokio::time::interval(Duration::from_secs(1));
        let run = load.run(CONNECTIONS, Pace::PerSecond(rate), options.memory);
        tokio::pin!(run);
        loop {
            tokio::select! {
                stats = &mut run => break stats,
                _ = step.tick() => seen.push(collector.memory()),
            }
        }
    });
    report("collector, watched", &stats);
    let early = seen.get(seen.len() / 10).copied().unwrap_or(f64::NAN);
    let most = seen.iter().copied().fold(0.0, f64::max);
    let last = seen.last().copied().unwrap_or(f64::NAN);
    row(
        &format!(
            "memory over {:.1} min of uploads and deletions",
            options.memory.as_secs_f64() / 60.0
        ),
        "≤ 100 MB, flat",
        format!("{most:.0} MB; {early:.0} MB early, {last:.0} MB at the end"),
    );
}

/// Measures one instance on PostgreSQL and S3.
fn shared(runtime: &Runtime, options: &Options) {
    let (Some(postgres), Some(s3)) = (Postgres::start(), S3::start()) else {
        return;
    };
    let (database, objects) = (postgres.url(), s3.url());
    let arguments = ["--database", &database, "--objects", &objects];
    let collector = Collector::start(&arguments, &s3.environment());
    let uploads = collector.uploads(options.requests());
    let stats = fastest(
        runtime,
        options,
        "on PostgreSQL and S3",
        collector.address,
        uploads,
    );
    row(
        "durable PUT on PostgreSQL and MinIO, all on this machine, a second",
        "–",
        format!("{:.0}", stats.rate()),
    );
}

fn fastest(
    runtime: &Runtime,
    options: &Options,
    name: &str,
    address: SocketAddr,
    requests: Vec<Prepared>,
) -> Stats {
    let load = Load::new(address, requests);
    settle();
    let stats = runtime.block_on(load.run(CONNECTIONS, Pace::Fastest, options.time));
    assert!(
        load.left() > 0,
        "{name}: more requests were sent than were prepared"
    );
    report(name, &stats);
    stats
}

/// Waits until earlier writes are flushed to the disk.
fn settle() {
    let synced = Command::new("sync").status();
    assert!(synced.is_ok_and(|status| status.success()));
}

fn report(name: &str, stats: &Stats) {
    eprintln!(
        "{name}: {:.0}/s, p50 {:.1} ms, p99 {:.1} ms, {} failed{}",
        stats.rate(),
        stats.quantile(0.5),
        stats.quantile(0.99),
        stats.failures,
        stats
            .first_failure
            .as_deref()
            .map(|first| format!(" ({first})"))
            .unwrap_or_default(),
    );
    // A few uploads that a deletion overtook are tolerated; otherwise a rejecting service is not measured.
    let most = stats.latencies.len() / 20;
    assert!(
        stats.failures <= most,
        "{name} refused more than was measured"
    );
}

fn row(what: &str, aim: &str, measured: String) {
    println!("| {what} | {aim} | {measured} |");
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Options {
    fn read() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let number = |name: &str, otherwise: f64| {
            let place = arguments.iter().position(|argument| argument == name);
            let value = place.and_then(|place| arguments.get(place + 1)?.parse().ok());
            value.unwrap_or(otherwise)
        };
        Self {
            time: Duration::from_secs_f64(number("--seconds", 3.0)),
            rounds: number("--rounds", 3.0) as usize,
            memory: Duration::from_secs_f64(60.0 * number("--minutes", 0.5)),
            rows: number("--rows", 1e6) as usize,
        }
    }

    fn requests(&self) -> usize {
        (MAX_PER_SECOND as f64 * self.time.as_secs_f64()) as usize
    }
}
