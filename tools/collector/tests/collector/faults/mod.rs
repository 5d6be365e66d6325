//! Two collectors behind nginx under load, while every part of it is killed in turn, a disk is full, strangers take
//! every connection, and uploads stop midway.
//!
//! Three rounds here, so that each part fails while the others still recover from their own end, and comes back to a
//! store that it had left in the middle of something; thirty with `SORDINO_SOAK=1`, or as many as
//! `SORDINO_FAULT_ROUNDS` says.

mod client;

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use test_tiers::is_soak;

use self::client::*;
use crate::{
    deployment::{Instance, deployed_in_clear},
    disk_and_clock_faults::Disk,
    remote_storage::without_bulk_deletion,
    services::{Nginx, Postgres, S3},
    support::*,
};

/// Clients at a time, each with records of its own.
const CLIENTS: u64 = 6;
/// The number of responses between two failures: a few for each client, of most kinds of request.
const BETWEEN: usize = 24;
/// More than a collector has places for connections, and more samples of 1 MiB than it takes in at a time.
const CONNECTIONS: usize = 1100;
const PAUSED: usize = 80;
/// The time that a part is down, in addition to its start-up time; one step longer each round, up to seven.
const DOWN: Duration = Duration::from_millis(150);
const LONGER: Duration = Duration::from_millis(97);

/// The parts that all instances share.
struct Ground {
    postgres: Option<Postgres>,
    s3: Option<S3>,
    /// A proxy for S3 that rejects bulk deletion.
    one_by_one: Option<Nginx>,
    /// The disk of the folder, if it can be filled.
    disk: Option<Disk>,
    folder: PathBuf,
}

#[test]
fn collectors_on_postgresql_and_s3_survive_kills() {
    let (Some(postgres), Some(s3)) = (Postgres::start(), S3::start()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    run(Ground {
        postgres: Some(postgres),
        s3: Some(s3),
        one_by_one: None,
        disk: None,
        folder: folder.path().to_owned(),
    });
}

#[test]
fn collectors_on_s3_without_bulk_deletion_survive_kills() {
    let (Some(postgres), Some(s3)) = (Postgres::start(), S3::start()) else {
        return;
    };
    let one_by_one = without_bulk_deletion(&s3);
    let folder = tempfile::tempdir().unwrap();
    run(Ground {
        postgres: Some(postgres),
        s3: Some(s3),
        one_by_one,
        disk: None,
        folder: folder.path().to_owned(),
    });
}

#[test]
fn collectors_on_one_machine_survive_kills() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::mount(200_000);
    let place = disk.as_ref().map_or(folder.path(), Disk::path);
    run(Ground {
        postgres: None,
        s3: None,
        one_by_one: None,
        folder: place.join("data"),
        disk,
    });
}

fn run(mut ground: Ground) {
    let rounds = std::env::var("SORDINO_FAULT_ROUNDS");
    let rounds = match rounds {
        Ok(rounds) => rounds.parse().unwrap(),
        Err(_) if is_soak() => 30,
        // Only the deletion of objects differs, which is the same in each round.
        Err(_) if ground.one_by_one.is_some() => 1,
        Err(_) => 3,
    };
    let mut instances = [(); 2].map(|()| ground.instance());
    let ports = instances.each_ref().map(|instance| instance.port);
    let configure = |port, folder: &Path| deployed_in_clear(port, folder, &ports);
    let Some(nginx) = Nginx::start(configure) else {
        return;
    };
    let harness = Harness {
        token: ground.token(),
        nginx,
        is_over: AtomicBool::new(false),
        repeated: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        held: AtomicUsize::new(0),
        deleted: AtomicUsize::new(0),
    };
    let stats = Mutex::new(Stats::default());
    let started = Instant::now();
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (harness, stats) = (&harness, &stats);
            scope.spawn(move || {
                // A client that panics must not leave the others waiting for the end.
                let _over = OverWhenPanicking(&harness.is_over);
                let mut client = Client::new(harness, number);
                while !harness.is_over.load(Ordering::Relaxed) {
                    client.act();
                    harness.done.fetch_add(1, Ordering::Relaxed);
                }
                stats.lock().unwrap().add(client.stats);
            });
        }
        let _over = OverWhenPanicking(&harness.is_over);
        for round in 0..rounds {
            for instance in &mut instances {
                Part::Instance(instance).fail(round, &harness);
            }
            let port = ports[round as usize % ports.len()];
            Part::Connections(port).fail(round, &harness);
            Part::Uploads(port).fail(round, &harness);
            if let Some(disk) = &ground.disk {
                Part::Disk(disk).fail(round, &harness);
            }
            if let Some(postgres) = &mut ground.postgres {
                Part::Postgres(postgres).fail(round, &harness);
            }
            if let Some(s3) = &mut ground.s3 {
                Part::S3(s3).fail(round, &harness);
            }
        }
        // A slow machine has had fewer of them.
        let clients = CLIENTS as usize;
        harness.wait(|| {
            let (held, deleted) = (&harness.held, &harness.deleted);
            held.load(Ordering::Relaxed) > 10 * clients
                && deleted.load(Ordering::Relaxed) > 2 * clients
        });
        harness.is_over.store(true, Ordering::Relaxed);
    });
    let stats = stats.into_inner().unwrap();
    assert!(
        stats.kept.len() > 20 && stats.gone.len() > 5,
        "hardly anything happened"
    );
    for kept in &stats.kept {
        let answer = harness.persist(&harness.read(kept.id)).expect(200);
        assert!(answer.body == kept.file(), "an acknowledged sample changed");
    }
    for gone in &stats.gone {
        harness
            .persist(&harness.read(gone.id))
            .problem(410, "deleted");
    }
    let orphans = ground.check(&stats, &mut instances[0]);
    ground.check_by_command(stats.kept.len());
    eprintln!(
        "{rounds} rounds in {:.0} s: {} samples acknowledged and there, {} acknowledged deletions hold, \
         {} hand-outs, {} requests repeated, {orphans}",
        started.elapsed().as_secs_f64(),
        stats.kept.len() + stats.gone.len(),
        stats.gone.len(),
        stats.read,
        harness.repeated.load(Ordering::Relaxed),
    );
}

/// A part that fails and comes back.
enum Part<'a> {
    Instance(&'a mut Instance),
    Postgres(&'a mut Postgres),
    S3(&'a mut S3),
    /// The disk is full.
    Disk(&'a Disk),
    /// Silent strangers take all connections of a collector.
    Connections(u16),
    /// So many uploads stop midway that a collector has no capacity for more.
    Uploads(u16),
}

impl Part<'_> {
    fn fail(self, round: u32, harness: &Harness) {
        let enough = harness.done.load(Ordering::Relaxed) + BETWEEN;
        harness.wait(|| harness.done.load(Ordering::Relaxed) >= enough);
        let down = DOWN + (round % 8) * LONGER;
        match self {
            Self::Instance(instance) => {
                instance.kill();
                thread::sleep(down);
                instance.start_again();
            }
            Self::Postgres(postgres) => {
                postgres.kill();
                thread::sleep(down);
                postgres.start_again();
            }
            Self::S3(s3) => {
                s3.kill();
                thread::sleep(down);
                s3.start_again();
            }
            Self::Disk(disk) => {
                let filler = disk.fill();
                thread::sleep(down);
                fs::remove_file(filler).unwrap();
            }
            Self::Connections(port) => {
                // As many as this process may open.
                let connect = |_| TcpStream::connect(("127.0.0.1", port)).ok();
                let silent: Vec<_> = (0..CONNECTIONS).filter_map(connect).collect();
                thread::sleep(down);
                drop(silent);
            }
            Self::Uploads(port) => {
                let device = Device::new();
                let address = SocketAddr::from(([127, 0, 0, 1], port));
                harness.persist_at(address, &device.register(1, QA));
                let begun = vec![7; 1 << 20];
                let paused: Vec<_> = (0..PAUSED)
                    .map(|_| {
                        let mut stream = connect_to(port);
                        let head = device.put(sample(), QA, &begun);
                        // A collector that was just killed does not receive it.
                        let _ = stream.write_all(head.head().as_bytes());
                        let _ = stream.write_all(&begun[..LONG_ENOUGH]);
                        stream
                    })
                    .collect();
                thread::sleep(down);
                drop(paused);
            }
        }
    }
}

fn connect_to(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).unwrap()
}

struct OverWhenPanicking<'a>(&'a AtomicBool);

impl Drop for OverWhenPanicking<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl Ground {
    fn instance(&self) -> Instance {
        let mut arguments = self.places(true);
        arguments.extend(["--trusted-proxies".to_owned(), "1".to_owned()]);
        Instance::start(&self.folder, &arguments, &self.environment())
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = self.s3.as_ref().map(S3::environment).unwrap_or_default();
        if let Some(nginx) = &self.one_by_one {
            environment.retain(|(name, _)| *name != "AWS_ENDPOINT_URL");
            environment.push(("AWS_ENDPOINT_URL", format!("http://{}", nginx.address())));
        }
        environment
    }

    fn places(&self, with_objects: bool) -> Vec<String> {
        let database = self
            .postgres
            .iter()
            .map(|it| ["--database".to_owned(), it.url()]);
        let objects = self.s3.iter().map(|it| ["--objects".to_owned(), it.url()]);
        database
            .chain(objects.filter(|_| with_objects))
            .flatten()
            .collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sordino-collector"));
        command.args(arguments).arg("--data").arg(&self.folder);
        command
    }

    fn token(&self) -> String {
        let output = self
            .command(&["token", "create", "--name", "a reader", "--purpose", QA])
            .args(self.places(false))
            .output()
            .unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().last().unwrap().to_owned()
    }

    /// `sordino-collector check` finds the same: nothing missing, damaged, left over or not deleted.
    fn check_by_command(&self, kept: usize) {
        let started = Instant::now();
        loop {
            let mut command = self.command(&["check", "--digests", "--json"]);
            command.args(self.places(true));
            command.envs(self.environment());
            let output = command.output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            let report: Value = serde_json::from_slice(&output.stdout).expect(&complaint);
            assert_eq!(report["samples"], kept, "{report}");
            // Leftovers of the last kill are removed after the start.
            if output.status.success() {
                return;
            }
            assert!(started.elapsed() < HANG, "{report}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Each sample that was kept has its object, and none that was deleted has one once a collector has
    /// started; says how many objects had no row before that.
    fn check(&self, stats: &Stats, instance: &mut Instance) -> String {
        let ids = |samples: &[Sample]| -> BTreeSet<String> {
            samples.iter().map(|sample| sample.id.to_string()).collect()
        };
        let (kept, gone) = (ids(&stats.kept), ids(&stats.gone));
        let stored_objects = self.stored_objects();
        let of = |samples: &BTreeSet<String>, stored_objects: &[String]| {
            stored_objects
                .iter()
                .filter(|id| samples.contains(*id))
                .count()
        };
        let stats = format!(
            "{} objects without a row, {} of them of samples deleted later",
            stored_objects.len() - kept.len(),
            of(&gone, &stored_objects)
        );
        instance.kill();
        instance.start_again();
        eventually(|| of(&gone, &self.stored_objects()) == 0);
        let there: BTreeSet<String> = self.stored_objects().into_iter().collect();
        assert!(
            kept.is_subset(&there),
            "an acknowledged sample has no object"
        );
        stats
    }

    /// The samples of all objects. A name begins with the sample's id; a bucket's continues with what makes
    /// an upload unique.
    fn stored_objects(&self) -> Vec<String> {
        let names = match &self.s3 {
            Some(s3) => s3.objects(&s3.url().replace("s3://", "")),
            None => files(&self.folder, "age")
                .iter()
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect(),
        };
        names.iter().map(|name| name[..32].to_owned()).collect()
    }
}
