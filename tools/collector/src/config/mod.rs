//! The configuration of a collector.

mod limits;
mod names;
mod proxies;
mod urls;

use std::{path::PathBuf, time::Duration};

pub use self::{
    limits::{Limits, Rate, RateLimits},
    names::parse_name,
    proxies::{Proxies, ProxyHeader},
    urls::{DatabaseUrl, ObjectsUrl, PostgresUrl, UrlError},
};
use crate::clock::Clock;

/// The default interval of maintenance.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(3600);

/// The configuration of a collector.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of all data that is not stored elsewhere.
    pub data: PathBuf,
    /// Host and port to listen on; port 0 selects a free port.
    pub listen: String,
    /// The database (default: a SQLite file in the data folder).
    pub database: Option<DatabaseUrl>,
    /// The object storage (default: the data folder).
    pub objects: Option<ObjectsUrl>,
    /// The names by which devices reach it, `HOST` or `HOST:PORT`. Requests that are signed for another name are
    /// rejected. If empty, all names are accepted.
    pub names: Vec<String>,
    /// A signed plan to load and serve.
    pub plan: Option<PathBuf>,
    /// The certificate for https. Without one, plain http is served, for use behind a proxy or on one machine.
    pub tls: Option<TlsFiles>,
    /// Host and port of a separate listener that serves `/metrics` without authentication.
    pub metrics: Option<String>,
    /// The reverse proxies in front of the collector.
    pub proxies: Proxies,
    /// The rate limits.
    pub rates: RateLimits,
    /// The storage format of verdicts.
    pub verdicts: Verdicts,
    /// The limits of requests and connections.
    pub limits: Limits,
    /// The interval at which abandoned uploads are removed and retention is enforced, beginning at the start. With
    /// `None` neither is done, except by [`enforce_retention`](crate::enforce_retention).
    pub maintenance_interval: Option<Duration>,
    /// The clock of the rate limits and of the cache of `/readyz`.
    pub clock: Clock,
}

/// The storage format of verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdicts {
    /// Sealed by the page to the plan's recipients.
    #[default]
    Sealed,
    /// Plain labels, which the collector can read.
    Plain,
}

/// The files of the certificate, in PEM format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by its chain.
    pub certificate: PathBuf,
    /// The file with the private key.
    pub key: PathBuf,
}

impl Config {
    /// The default configuration: all data in `data`, listening on port 8787 of localhost.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            listen: "127.0.0.1:8787".to_owned(),
            database: None,
            objects: None,
            names: Vec::new(),
            plan: None,
            tls: None,
            metrics: None,
            proxies: Proxies::default(),
            rates: RateLimits::default(),
            verdicts: Verdicts::default(),
            limits: Limits::default(),
            maintenance_interval: Some(MAINTENANCE_INTERVAL),
            clock: Clock::default(),
        }
    }

    /// The epoch file, which every collector creates at its first start.
    pub fn epoch_file(&self) -> PathBuf {
        self.data.join("collector.epoch")
    }

    /// The database.
    pub fn database_url(&self) -> DatabaseUrl {
        let default = || DatabaseUrl::Sqlite(self.data.join("collector.sqlite"));
        self.database.clone().unwrap_or_else(default)
    }

    /// The object storage.
    pub fn objects_url(&self) -> ObjectsUrl {
        let default = || ObjectsUrl::Folder(self.data.clone());
        self.objects.clone().unwrap_or_else(default)
    }
}
