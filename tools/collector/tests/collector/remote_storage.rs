//! Several collectors on one PostgreSQL and one S3, with outages.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::Value;
use sordino::Id;
use tempfile::TempDir;

use crate::{
    services::{Nginx, Postgres, S3, pgbouncer::Pgbouncer},
    support::*,
};

struct RemoteSetup {
    postgres: Postgres,
    s3: S3,
    database: String,
    folders: [TempDir; 2],
}

impl RemoteSetup {
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

    /// The JSON output of a command, and whether it succeeded.
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
fn collectors_share_samples_and_deletions() {
    let Some(setup) = RemoteSetup::start() else {
        return;
    };
    let [one, two] = [setup.service(0), setup.service(1)];
    let (device, id, file) = (Device::new(), sample(), age_file(1, 1));
    send(one.address(), &device.register(1, QA)).expect(201);
    send(one.address(), &device.put(id, QA, &file)).expect(201);
    send(two.address(), &device.put(id, QA, &file)).expect(200);
    send(two.address(), &device.put(id, QA, &age_file(1, 2))).problem(409, "different-content");
    assert_eq!(setup.objects().len(), 1, "what came to nothing is not left");
    let token = setup.token();
    let target = format!("/v1/samples/{id}?purpose={QA}");
    assert_eq!(read(&two, &token, &target).expect(200).body, file);
    assert!(setup.run(&["check", "--digests"]).1);

    let statuses: Vec<u16> = thread::scope(|scope| {
        let races = [&one, &two].map(|service| {
            let request = device.delete(id);
            scope.spawn(move || send(service.address(), &request).status)
        });
        races.into_iter().map(|race| race.join().unwrap()).collect()
    });
    assert_eq!(statuses, [204, 204]);
    assert!(setup.objects().is_empty());
    send(one.address(), &device.put(id, QA, &file)).problem(410, "deleted");
    read(&one, &token, &target).problem(410, "deleted");
    let (report, is_sound) = setup.run(&["check"]);
    assert!(is_sound && setup.objects().is_empty(), "{report}");
}

#[test]
fn objects_of_aborted_uploads_are_deleted_with_the_sample() {
    let Some(setup) = RemoteSetup::start() else {
        return;
    };
    let one = setup.service(0);
    let device = Device::new();
    send(one.address(), &device.register(1, QA)).expect(201);
    let [deleted, withdrawn, never_came, young] = [(); 4].map(|()| sample());
    for id in [deleted, withdrawn] {
        send(one.address(), &device.put(id, QA, &age_file(1, 1))).expect(201);
    }
    // Like an object of a collector that was killed before it inserted the row.
    let bucket = setup.s3.url().replace("s3://", "");
    let cut_off = |id: Id| {
        let name = format!("in/here/{id}.{}.age", sample());
        setup.s3.put(&bucket, &name, &age_file(1, 1));
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
        setup.objects(),
        std::slice::from_ref(&stays),
        "its row may still come"
    );

    // An upload that reached the bucket after the deletion.
    cut_off(deleted);
    let _two = setup.service(1);
    eventually(|| setup.objects() == std::slice::from_ref(&stays));
}

#[test]
fn an_outage_of_bucket_or_database_loses_no_sample() {
    let Some(mut setup) = RemoteSetup::start() else {
        return;
    };
    let (one, two) = (setup.service(0), setup.service(1));
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
            // Later in each round, before most uploads.
            eventually(|| acknowledged.load(Ordering::Relaxed) > 2 * round as usize);
            match round % 2 {
                0 => {
                    setup.postgres.kill();
                    setup.postgres.start_again();
                }
                _ => {
                    setup.s3.kill();
                    setup.s3.start_again();
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
    let token = setup.token();
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
    let (report, is_sound) = setup.run(&["check", "--digests"]);
    assert!(is_sound, "{report}");
    assert!(report["samples"].as_u64().unwrap() >= kept.len() as u64);
}

/// A proxy to an S3 server that rejects bulk deletion, which some S3-compatible services do not support.
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
fn a_store_without_bulk_deletion_works() {
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
fn a_bucket_with_versioning_is_rejected() {
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
    assert!(complaint.contains("has versioning enabled"), "{complaint}");
    assert!(s3.objects(&bucket).is_empty(), "the probe was left");
}

#[test]
fn only_a_pooler_in_transaction_mode_is_rejected() {
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
