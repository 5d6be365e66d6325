//! A collector in this process.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sordino::Id;
use sordino_collector::{BlockingServer, Config, TokenError};
use tempfile::TempDir;

use super::*;
use crate::database::database_of;

/// A running collector with its folder.
pub(crate) struct Collector {
    server: Option<BlockingServer>,
    pub(crate) config: Config,
    _folder: Option<TempDir>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// `change` can modify the configuration; the data folder exists already. By default, maintenance and retention are
    /// disabled, because they would interfere with tests that create objects or rows themselves; and
    /// the timeouts for clients are long.
    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path());
        config.listen = "127.0.0.1:0".to_owned();
        config.maintenance_interval = None;
        let limits = &mut config.limits;
        (limits.headers, limits.idle, limits.whole_body) = (HANG, HANG, HANG);
        (limits.handshake, limits.grace, limits.write) = (HANG, HANG, HANG);
        change(&mut config);
        if config.database.is_none() {
            config.database = database_of(&config.data).map(|url| url.parse().unwrap());
        }
        let server = Some(BlockingServer::start(config.clone()).unwrap());
        Self {
            server,
            config,
            _folder: Some(folder),
        }
    }

    pub(crate) fn restart(&mut self) {
        drop(self.server.take());
        self.server = Some(BlockingServer::start(self.config.clone()).unwrap());
    }

    /// Stops it and waits for the shutdown.
    pub(crate) fn stop(&mut self) {
        drop(self.server.take());
    }

    /// The metrics of the operator's listener.
    pub(crate) fn metrics_page(&self) -> String {
        let address = self.server.as_ref().unwrap().metrics_address().unwrap();
        let answer = send(address, &Request::new("GET", "/metrics"));
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.as_ref().unwrap().address()
    }

    pub(crate) fn url(&self) -> String {
        self.server.as_ref().unwrap().url()
    }

    pub(crate) fn data(&self) -> &Path {
        &self.config.data
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        send(self.address(), request)
    }

    /// The first token is called "a reader"; further ones have a number appended.
    pub(crate) fn token(&self, purposes: &str) -> String {
        let mut names = (1..).map(|number| match number {
            1 => "a reader".to_owned(),
            number => format!("a reader {number}"),
        });
        let token = names.find_map(|name| self.try_token_of(&name, purposes).ok());
        token.unwrap()
    }

    pub(crate) fn token_of(&self, name: &str, purposes: &str) -> String {
        self.try_token_of(name, purposes).unwrap()
    }

    fn try_token_of(&self, name: &str, purposes: &str) -> Result<String, TokenError> {
        let server = self.server.as_ref().unwrap();
        let token = server.create_token(name, &purposes.parse().unwrap())?;
        Ok(token.as_str().to_owned())
    }

    /// A GET of a QA tool.
    pub(crate) fn read(&self, token: &str, target: &str) -> Response {
        let request =
            Request::new("GET", target).header("Authorization", format!("Bearer {token}"));
        self.send(&request)
    }

    /// A PUT of a QA tool.
    pub(crate) fn say(&self, token: &str, target: &str, body: Body) -> Response {
        let (kind, body) = match body {
            Body::Json(json) => ("application/json", json.to_string().into_bytes()),
            Body::Bytes(bytes) => ("application/octet-stream", bytes),
        };
        let mut request = Request::new("PUT", target)
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", kind);
        request.body = Some(body);
        self.send(&request)
    }

    /// The ids of all samples for a purpose, page by page.
    pub(crate) fn listed(&self, token: &str, purpose: &str) -> Vec<String> {
        let mut listed = Vec::new();
        let mut after = String::new();
        loop {
            let target = format!("/v1/samples?purpose={purpose}{after}");
            let page = self.read(token, &target).expect(200).json();
            let samples = page["samples"].as_array().unwrap();
            if samples.is_empty() {
                return listed;
            }
            let ids = samples.iter().map(|sample| sample["id"].as_str().unwrap());
            listed.extend(ids.map(str::to_owned));
            after = format!("&after={}", page["next"].as_str().unwrap());
        }
    }

    /// The head of the access log, requested without a token.
    pub(crate) fn head(&self) -> Value {
        self.send(&Request::new("GET", "/v1/audit/head"))
            .expect(200)
            .json()
    }

    /// The whole access log.
    pub(crate) fn log(&self) -> Vec<Value> {
        let token = self.token(QA);
        let mut log = Vec::new();
        loop {
            let target = format!("/v1/audit/log?after={}", log.len());
            let page = self.read(&token, &target).expect(200).json();
            match page["entries"].as_array().unwrap().as_slice() {
                [] => return log,
                entries => log.extend_from_slice(entries),
            }
        }
    }

    /// Files of samples, whole or partial.
    pub(crate) fn files(&self, extension: &str) -> Vec<PathBuf> {
        files(self.data(), extension)
    }

    pub(crate) fn object(&self, sample: Id) -> PathBuf {
        self.data().join(format!("{sample}.age"))
    }
}

pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

/// A request of a QA tool.
pub(crate) enum Body {
    Json(Value),
    Bytes(Vec<u8>),
}
