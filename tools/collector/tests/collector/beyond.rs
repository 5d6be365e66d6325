//! Beyond one machine: collectors on one PostgreSQL and one S3, which come and go.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::Value;
use sordino::Id;
use tempfile::TempDir;

use crate::{
    commands::{Service, command},
    services::{Nginx, Postgres, S3, pgbouncer::Pgbouncer},
    support::*,
};

struct Beyond {
    postgres: Postgres,
    s3: S3,
    database: String,
    folders: [TempDir; 2],
}

impl Beyond {
    fn start() -> Option<Self> {
        let (postgres, s3) = (Postgres::start()?, S3::start()?);
        let database = postgres.database();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        Some(Self {
            postgres,
            s3,
            database,
            folders,
        })
    }

    fn service(&self, number: usize) -> Service {
        let mut command = command();
        command.envs(self.s3.environment());
        let objects = format!("{}/in/here", self.s3.url());
        Service::start_with(
            command,
            "127.0.0.1:0",
            self.folders[number].path(),
            &["--database", &self.database, "--objects", &objects],
        )
    }

    /// What a command says in JSON, and whether it ended well.
    fn run(&self, arguments: &[&str]) -> (Value, bool) {
        let objects = format!("{}/in/here", self.s3.url());
        let output = command()
            .envs(self.s3.environment())
            .args(arguments)
            .arg("--json")
            .arg("--data")
            .arg(self.folders[0].path())
            .args(["--database", &self.database])
            .args(
                (arguments[0] != "token")
                    .then_some(["--objects", &objects])
                    .into_iter()
                    .flatten(),
            )
            .output()
            .unwrap();
        let document = serde_json::from_slice(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        (document.expect(&complaint), output.status.success())
    }

    fn objects(&self) -> Vec<String> {
        self.s3.objects(&self.s3.url().replace("s3://", ""))
    }

    fn token(&self) -> String {
        let (made, _) = self.run(&["token", "create", "--name", "r", "--purpose", QA]);
        made["token"].as_str().unwrap().to_owned()
    }
}

fn read(service: &Service, token: &str, target: &str) -> Response {
    let request = Request::new("GET", target).header("Authorization", format!("Bearer {token}"));
    send(service.address(), &request)
}

#[test]
fn what_one_collector_takes_another_hands_out_and_a_third_deletes_for_all() {
    let Some(beyond) = Beyond::start() else {
        return;
    };
    let [one, two] = [beyond.service(0), beyond.service(1)];
    let (device, id, file) = (Device::new(), sample(), age_file(1, 1));
    send(one.address(), &device.register(1, QA)).expect(201);
    send(one.address(), &device.put(id, QA, &file)).expect(201);
    send(two.address(), &device.put(id, QA, &file)).expect(200);
    send(two.address(), &device.put(id, QA, &age_file(1, 2))).problem(409, "different-content");
    assert_eq!(
        beyond.objects().len(),
        1,
        "what came to nothing is not left"
    );
    let token = beyond.token();
    let target = format!("/v1/samples/{id}?purpose={QA}");
    assert_eq!(read(&two, &token, &target).expect(200).body, file);
    assert!(beyond.run(&["check", "--digests"]).1);

    let statuses: Vec<u16> = thread::scope(|scope| {
        let races = [&one, &two].map(|service| {
            let request = device.delete(id);
            scope.spawn(move || send(service.address(), &request).status)
        });
        races.into_iter().map(|race| race.join().unwrap()).collect()
    });
    assert_eq!(statuses, [204, 204]);
    assert!(beyond.objects().is_empty());
    send(one.address(), &device.put(id, QA, &file)).problem(410, "deleted");
    read(&one, &token, &target).problem(410, "deleted");
    let (report, is_sound) = beyond.run(&["check"]);
    assert!(is_sound && beyond.objects().is_empty(), "{report}");
}

#[test]
fn what_cut_off_uploads_left_of_a_deleted_sample_goes_with_it_or_with_the_next_start() {
    let Some(beyond) = Beyond::start() else {
        return;
    };
    let one = beyond.service(0);
    let device = Device::new();
    send(one.address(), &device.register(1, QA)).expect(201);
    let [deleted, withdrawn, never_came, young] = [(); 4].map(|()| sample());
    for id in [deleted, withdrawn] {
        send(one.address(), &device.put(id, QA, &age_file(1, 1))).expect(201);
    }
    // As a collector leaves one that is killed between its object and its row.
    let bucket = beyond.s3.url().replace("s3://", "");
    let cut_off = |id: Id| {
        let name = format!("in/here/{id}.{}.age", sample());
        beyond.s3.put(&bucket, &name, &age_file(1, 1));
        name
    };
    let stays = cut_off(young);
    for id in [deleted, deleted, withdrawn, never_came] {
        cut_off(id);
    }
    for id in [deleted, never_came] {
        send(one.address(), &device.delete(id)).expect(204);
    }
    send(one.address(), &device.withdraw(QA)).expect(200);
    assert_eq!(
        beyond.objects(),
        std::slice::from_ref(&stays),
        "its row may still come"
    );

    // One whose bytes were still on their way to the bucket when it was deleted.
    cut_off(deleted);
    let _two = beyond.service(1);
    eventually(|| beyond.objects() == std::slice::from_ref(&stays));
}

#[test]
fn neither_a_bucket_nor_a_database_that_goes_away_takes_an_acknowledged_sample_along() {
    let Some(mut beyond) = Beyond::start() else {
        return;
    };
    let (one, two) = (beyond.service(0), beyond.service(1));
    let device = Device::new();
    send(one.address(), &device.register(1, QA)).expect(201);
    let mut kept: Vec<(Id, u64)> = Vec::new();
    let mut deleted: Vec<Id> = Vec::new();
    for round in 0..4u64 {
        let (device, addresses) = (&device, [one.address(), two.address()]);
        let acknowledged = &AtomicUsize::new(0);
        let answers: Vec<(Id, u64, u16)> = thread::scope(|scope| {
            let clients: Vec<_> = (0..6u64)
                .map(|client| {
                    scope.spawn(move || {
                        let address = addresses[client as usize % 2];
                        let put = |number| {
                            let (id, seed) = (sample(), round * 1000 + client * 100 + number);
                            let answer = send(address, &device.put(id, QA, &age_file(1, seed)));
                            match answer.status {
                                201 => drop(acknowledged.fetch_add(1, Ordering::Relaxed)),
                                503 => assert!(answer.header("retry-after").is_some()),
                                _ => {}
                            }
                            (id, seed, answer.status)
                        };
                        (0..5).map(put).collect::<Vec<_>>()
                    })
                })
                .collect();
            // Later each round, with most still to come.
            eventually(|| acknowledged.load(Ordering::Relaxed) > 2 * round as usize);
            match round % 2 {
                0 => {
                    beyond.postgres.kill();
                    beyond.postgres.start_again();
                }
                _ => {
                    beyond.s3.kill();
                    beyond.s3.start_again();
                }
            }
            clients
                .into_iter()
                .flat_map(|client| client.join().unwrap())
                .collect()
        });
        for (id, seed, status) in answers {
            match status {
                201 => kept.push((id, seed)),
                503 => {}
                other => panic!("{other}"),
            }
        }
        let (gone, _) = kept.swap_remove(0);
        send(two.address(), &device.delete(gone)).expect(204);
        deleted.push(gone);
    }
    let token = beyond.token();
    for (id, seed) in &kept {
        let target = format!("/v1/samples/{id}?purpose={QA}");
        assert_eq!(
            read(&one, &token, &target).expect(200).body,
            age_file(1, *seed)
        );
    }
    for id in &deleted {
        send(one.address(), &device.put(*id, QA, &age_file(1, 1))).problem(410, "deleted");
    }
    let (report, is_sound) = beyond.run(&["check", "--digests"]);
    assert!(is_sound, "{report}");
    assert!(report["samples"].as_u64().unwrap() >= kept.len() as u64);
}

/// A way to an S3 server that lets no bulk deletion through: some that speak as S3 does have none.
pub(crate) fn without_bulk_deletion(s3: &S3) -> Option<Nginx> {
    let upstream = s3.authority();
    Nginx::start(|port, _| {
        format!(
            "server {{
                listen 127.0.0.1:{port};
                client_max_body_size 2m;
                proxy_set_header Host $http_host;
                location / {{
                    if ($request_method = POST) {{ return 501; }}
                    proxy_pass http://{upstream};
                }}
            }}"
        )
    })
}

#[test]
fn a_store_without_bulk_deletion_is_served_and_keeps_nothing_that_was_deleted() {
    let Some(s3) = S3::start() else {
        return;
    };
    let Some(nginx) = without_bulk_deletion(&s3) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = command();
        command
            .envs(s3.environment())
            .env("AWS_ENDPOINT_URL", format!("http://{}", nginx.address()));
        Service::start_with(
            command,
            "127.0.0.1:0",
            folder.path(),
            &["--objects", &format!("{}/in", s3.url())],
        )
    };
    let service = start();
    let objects = || s3.objects(&s3.url().replace("s3://", ""));
    assert!(objects().is_empty(), "the probe was left");
    let device = Device::new();
    send(service.address(), &device.register(1, BOTH)).expect(201);
    let ids = [(); 4].map(|()| sample());
    for id in ids {
        send(service.address(), &device.put(id, BOTH, &age_file(1, 1))).expect(201);
    }
    assert_eq!(objects().len(), ids.len());
    send(service.address(), &device.delete(ids[0])).expect(204);
    assert_eq!(objects().len(), ids.len() - 1);
    send(service.address(), &device.withdraw(BOTH)).expect(200);
    assert!(objects().is_empty());
    send(service.address(), &Request::new("GET", "/readyz")).expect(200);
    drop(service);
    let again = start();
    send(again.address(), &device.put(ids[0], BOTH, &age_file(1, 1))).problem(410, "deleted");
}

#[test]
fn a_bucket_that_keeps_what_is_deleted_is_refused() {
    let Some(s3) = S3::start() else {
        return;
    };
    let bucket = s3.new_bucket();
    s3.keep_versions(&bucket);
    let folder = tempfile::tempdir().unwrap();
    let output = command()
        .envs(s3.environment())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .args(["--objects", &format!("s3://{bucket}")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.contains("keeps versions"), "{complaint}");
    assert!(s3.objects(&bucket).is_empty(), "the probe was left");
}

#[test]
fn a_pooler_in_transaction_mode_is_refused_by_name_and_one_in_session_mode_serves() {
    let Some(postgres) = Postgres::start_unsynced() else {
        return;
    };
    let database = postgres.database();
    let folder = tempfile::tempdir().unwrap();
    let Some(transactions) = Pgbouncer::start(&postgres, "transaction") else {
        return;
    };
    let output = command()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .args(["--database", &transactions.url(&database, &postgres)])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(
        complaint.contains("a pooler in transaction mode"),
        "{complaint}"
    );

    let Some(sessions) = Pgbouncer::start(&postgres, "session") else {
        return;
    };
    let url = sessions.url(&database, &postgres);
    let service = Service::start_with(
        command(),
        "127.0.0.1:0",
        folder.path(),
        &["--database", &url],
    );
    let (device, id) = (Device::new(), sample());
    send(service.address(), &device.register(1, QA)).expect(201);
    send(service.address(), &device.put(id, QA, &age_file(1, 1))).expect(201);
    send(service.address(), &device.withdraw(QA)).expect(200);
}
