//! Collectors on a folder or on services, with a load on them.

use std::{
    path::PathBuf,
    process::Output,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::Value;
use sordino::Id;
use tempfile::TempDir;

use crate::{
    services::{Postgres, S3},
    support::*,
};

/// The storage of a collector: a folder, or PostgreSQL and S3.
pub(super) struct Site {
    pub(super) folder: TempDir,
    pub(super) database: String,
    pub(super) objects: Option<String>,
    pub(super) environment: Vec<(&'static str, String)>,
}

impl Site {
    pub(super) fn of_one_machine() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            database: format!("sqlite://{}", folder.path().join("x.sqlite").display()),
            folder,
            objects: None,
            environment: Vec::new(),
        }
    }

    pub(super) fn of_services(postgres: &Postgres, s3: &S3) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            database: postgres.database(),
            objects: Some(s3.new_bucket()).map(|bucket| format!("s3://{bucket}/in/here")),
            environment: s3.environment(),
        }
    }

    pub(super) fn place(&self) -> Vec<&str> {
        let objects = self.objects.iter().flat_map(|url| ["--objects", url]);
        ["--database", &self.database]
            .into_iter()
            .chain(objects)
            .collect()
    }

    pub(super) fn serve(&self) -> Service {
        let mut command = command();
        command.envs(self.environment.clone());
        // Rate limits are disabled for the load during a backup.
        let arguments = [&self.place()[..], &["--record-rate", "0"]].concat();
        Service::start_with(command, "127.0.0.1:0", self.folder.path(), &arguments)
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command();
        command
            .envs(self.environment.clone())
            .args(arguments)
            .args(["--data", self.folder.path().to_str().unwrap()]);
        match arguments[0] {
            "token" => command.args(["--database", &self.database]),
            _ => command.args(self.place()),
        };
        command.output().unwrap()
    }

    #[track_caller]
    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", complaint(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(super) fn token(&self, name: &str) -> String {
        let purposes = ["--purpose", QA, "--purpose", RESEARCH];
        let made = self.json(&[&["token", "create", "--name", name], &purposes[..]].concat());
        made["token"].as_str().unwrap().to_owned()
    }
}

pub(super) fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A path for a backup that does not exist yet.
pub(super) fn out() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("backup");
    (folder, out)
}

pub(super) fn read(service: &Service, token: &str, target: &str) -> Response {
    let request = Request::new("GET", target).header("Authorization", format!("Bearer {token}"));
    send(service.address(), &request)
}

/// All ids of a list after a cursor, and the cursor after them.
pub(super) fn list(
    service: &Service,
    token: &str,
    what: &str,
    purpose: &str,
    after: &str,
) -> (Vec<String>, String) {
    let (mut ids, mut after) = (Vec::new(), after.to_owned());
    loop {
        let cursor = match after.as_str() {
            "" => String::new(),
            after => format!("&after={after}"),
        };
        let target = format!("/v1/{what}?purpose={purpose}{cursor}");
        let page = read(service, token, &target).expect(200).json();
        let found = match what {
            "samples" => page["samples"]
                .as_array()
                .unwrap()
                .iter()
                .map(|sample| &sample["id"])
                .collect(),
            _ => page["ids"].as_array().unwrap().iter().collect::<Vec<_>>(),
        };
        if found.is_empty() {
            return (ids, after);
        }
        ids.extend(found.iter().map(|id| id.as_str().unwrap().to_owned()));
        after = page["next"].as_str().unwrap().to_owned();
    }
}

pub(super) fn log(service: &Service, token: &str) -> Vec<Value> {
    let target = "/v1/audit/log?after=0";
    let page = read(service, token, target).expect(200).json();
    page["entries"].as_array().unwrap().clone()
}

/// Uploads and deletes until stopped; returns the stored and the deleted samples.
pub(super) fn load(service: &Service, device: &Device, stop: &AtomicBool) -> (Vec<Id>, Vec<Id>) {
    let (mut held, mut deleted) = (Vec::new(), Vec::new());
    for seed in 0.. {
        let id = sample();
        send(service.address(), &device.put(id, QA, &age_file(1, seed))).expect(201);
        if seed % 3 == 0 {
            send(service.address(), &device.delete(id)).expect(204);
            deleted.push(id);
        } else {
            held.push(id);
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    (held, deleted)
}
