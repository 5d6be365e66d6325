//! What the operator sets.

use std::{fmt, net::Ipv6Addr, path::PathBuf, str::FromStr, time::Duration};

use crate::{client_ip::Proxies, clock::Clock, rate_limit::RateLimits, tls::TlsFiles};
use sqlx::any::AnyConnectOptions;

/// How often upkeep is done unless told otherwise.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(3600);

/// How a collector is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder in which everything lies that is not placed elsewhere.
    pub data: PathBuf,
    /// Host and port to listen on; port 0 takes a free one.
    pub listen: String,
    /// The database; a SQLite file in the data folder unless told otherwise.
    pub database: Option<DatabaseUrl>,
    /// Where the objects lie; the data folder unless told otherwise.
    pub objects: Option<ObjectsUrl>,
    /// The names that devices know it by, hosts with a port where it is not the default one; requests that are signed
    /// for others are refused. Without any, all are taken.
    pub names: Vec<String>,
    /// A signed plan to load and serve.
    pub plan: Option<PathBuf>,
    /// The certificate to speak https with; without one it is http, for a proxy's sake or a machine's own.
    pub tls: Option<TlsFiles>,
    /// Host and port on which `/metrics` is served to whoever gets there, beside `listen`.
    pub metrics: Option<String>,
    /// The proxies in front.
    pub proxies: Proxies,
    /// How many requests are taken.
    pub rates: RateLimits,
    /// How verdicts of the review page are kept.
    pub verdicts: Verdicts,
    /// What one request may take.
    pub limits: Limits,
    /// How often what was left behind is removed and retention is enforced, the first time at the start. With `None`
    /// neither is done unless by [`enforce_retention`](crate::enforce_retention).
    pub maintenance_interval: Option<Duration>,
    /// By what rates are counted, and how old an answer of `/readyz` may be.
    pub clock: Clock,
}

/// What one request may take, in bytes and in time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest sample, in bytes.
    pub sample_bytes: u64,
    /// The largest JSON body, in bytes.
    pub json_bytes: u64,
    /// The longest wait for a request's headers.
    pub headers: Duration,
    /// The longest wait for the next piece of a body.
    pub idle: Duration,
    /// The longest time for a whole body.
    pub whole_body: Duration,
    /// The longest wait for a TLS handshake.
    pub handshake: Duration,
    /// The longest wait for a peer to take some of an answer.
    pub write: Duration,
    /// The most connections at a time. Beyond that the one that has been idle for longest makes room; where requests
    /// are under way on all, more wait.
    pub connections: usize,
    /// The most connections of one peer at a time: an address of IPv4, a /64 of IPv6; without effect where
    /// [`Config::proxies`] are trusted, whose connections all are. This machine's own, proxies'
    /// among them, are not counted.
    pub connections_per_peer: usize,
    /// The most bytes of samples that are on their way in at a time. Beyond that uploads wait for as long as `idle`
    /// says, and are asked to come again.
    pub upload_bytes: u32,
    /// How long connections are still taken after `/readyz` said that the collector stops, for whoever
    /// spreads requests to notice.
    pub drain: Duration,
    /// How long requests under way may take to end when the collector stops; the rest is cut.
    pub grace: Duration,
}

/// How verdicts of the review page are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdicts {
    /// Sealed to the plan's recipients before they leave the page.
    #[default]
    Sealed,
    /// As labels that the collector can read.
    Plain,
}

/// A database that the collector can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://PATH`: one file on this machine.
    Sqlite(PathBuf),
    /// `postgres://…`: a PostgreSQL server, for any number of collectors.
    Postgres(PostgresUrl),
}

/// As messages name it.
impl fmt::Display for ObjectsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// The URL of a PostgreSQL database. It may hold a password, so that neither `Debug` nor `Display`
/// shows more of it than host and database.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// A place for objects that the collector can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectsUrl {
    /// `file://PATH` or a path: a folder on this machine.
    Folder(PathBuf),
    /// `s3://BUCKET` or `s3://BUCKET/PREFIX`: a bucket of S3, or of what speaks as S3 does. Endpoint,
    /// region and keys come from the usual environment variables `AWS_…`.
    S3 {
        /// The bucket.
        bucket: String,
        /// What the names of objects begin with; empty for all of the bucket.
        prefix: String,
    },
}

/// A place that this version cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another kind of database.
    #[error(
        "a database of `{0}` cannot be used; give sqlite://PATH or postgres://USER@HOST/DATABASE"
    )]
    Database(String),
    /// Another kind of place.
    #[error("objects cannot be kept in `{0}`; give s3://BUCKET, file://PATH or a folder")]
    Objects(String),
}

impl Config {
    /// Everything in `data`, on port 8787 of this machine alone.
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

    /// Where a collector remembers the epoch of its database; every collector that ran has it.
    pub fn epoch_file(&self) -> PathBuf {
        self.data.join("collector.epoch")
    }

    /// Where the database is.
    pub fn database_url(&self) -> DatabaseUrl {
        let default = || DatabaseUrl::Sqlite(self.data.join("collector.sqlite"));
        self.database.clone().unwrap_or_else(default)
    }

    /// Where the objects are.
    pub fn objects_url(&self) -> ObjectsUrl {
        let default = || ObjectsUrl::Folder(self.data.clone());
        self.objects.clone().unwrap_or_else(default)
    }
}

impl Default for Limits {
    /// A sample is some 200 kB, a record some 1 kB; a slow phone sends a sample in a minute.
    fn default() -> Self {
        Self {
            sample_bytes: 1 << 20,
            json_bytes: 64 << 10,
            headers: Duration::from_secs(15),
            idle: Duration::from_secs(15),
            whole_body: Duration::from_secs(120),
            handshake: Duration::from_secs(10),
            write: Duration::from_secs(15),
            connections: 1024,
            connections_per_peer: 128,
            upload_bytes: 64 << 20,
            drain: Duration::ZERO,
            grace: Duration::from_secs(10),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let unusable = || UrlError::Database(scheme(url));
        if let Some(path) = url.strip_prefix("sqlite://") {
            let is_path = !path.is_empty() && !path.contains('?');
            return is_path
                .then(|| Self::Sqlite(path.into()))
                .ok_or_else(unusable);
        }
        let is_postgres = ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        if !is_postgres || url.parse::<AnyConnectOptions>().is_err() {
            return Err(unusable());
        }
        Ok(Self::Postgres(PostgresUrl(url.to_owned())))
    }
}

/// As messages name it: a SQLite file by its path, a PostgreSQL database without user and password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl PostgresUrl {
    /// The whole of it, for the driver alone.
    pub(crate) fn with_password(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0.parse::<AnyConnectOptions>().ok();
        let url = url.as_ref().map(|options| &options.database_url);
        let host = url.and_then(|url| url.host_str()).unwrap_or_default();
        let path = url.map_or("/", |url| url.path());
        match url.and_then(|url| url.port()) {
            Some(port) => write!(f, "postgres://{host}:{port}{path}"),
            None => write!(f, "postgres://{host}{path}"),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

impl FromStr for ObjectsUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        if let Some(place) = url.strip_prefix("s3://") {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if bucket.is_empty() || !bucket.chars().all(is_name) {
                return Err(UrlError::Objects(scheme(url)));
            }
            return Ok(Self::S3 {
                bucket: bucket.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
            });
        }
        let path = url.strip_prefix("file://").unwrap_or(url);
        if path.is_empty() || path.contains("://") {
            return Err(UrlError::Objects(scheme(url)));
        }
        Ok(Self::Folder(path.into()))
    }
}

/// No more of a URL than this goes into a message: the rest may hold a password.
fn scheme(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…"),
        None => url.to_owned(),
    }
}

/// One of [`Config::names`]: a host as `@authority` has it (RFC 9421 section 2.2.3), with or without a port.
///
/// # Errors
/// What to give instead.
pub fn parse_name(text: &str) -> Result<String, String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_address = |host: &str| {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        bare.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
    };
    let is_name = |host: &str| {
        let is_label = |label: &str| {
            let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            !label.is_empty() && label.chars().all(is_letter)
        };
        host.split('.').all(is_label)
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    match (is_address(host) || is_name(host)) && port.is_none_or(is_port) {
        true => Ok(text.to_owned()),
        false => Err(
            "give the host of the collector's URL as devices have it, without `https://` and path"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_places_are_taken_and_no_password_is_repeated() {
        let sqlite = |path: &str| Ok(DatabaseUrl::Sqlite(path.into()));
        assert_eq!("sqlite:///var/x.db".parse(), sqlite("/var/x.db"));
        assert_eq!("sqlite://x.db".parse(), sqlite("x.db"));
        let folder = |path: &str| Ok(ObjectsUrl::Folder(path.into()));
        assert_eq!("file:///var/o".parse(), folder("/var/o"));
        assert_eq!("some/folder".parse(), folder("some/folder"));

        for url in [
            "postgres://me:secret@host:5433/db",
            "postgresql://me:secret@host:5433/db?password=secret",
        ] {
            let database = url.parse::<DatabaseUrl>().unwrap();
            let shown = format!("{database} {database:?}");
            assert!(shown.starts_with("postgres://host:5433/db "), "{shown}");
            assert!(!shown.contains("secret"), "{shown}");
        }
        for url in [
            "mysql://me:secret@host/db",
            "postgres://me:secret@:x/db",
            "sqlite://",
            "x.db",
            "",
        ] {
            let message = url.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!message.contains("secret") && message.contains("sqlite://PATH"));
        }
        let s3 = |bucket: &str, prefix: &str| {
            Ok(ObjectsUrl::S3 {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
            })
        };
        assert_eq!("s3://samples".parse(), s3("samples", ""));
        assert_eq!("s3://samples/a/b/".parse(), s3("samples", "a/b"));

        for url in [
            "s3://key:secret@bucket",
            "s3://",
            "gs://secret",
            "file://",
            "",
        ] {
            let message = url.parse::<ObjectsUrl>().unwrap_err().to_string();
            assert!(!message.contains("secret") && message.contains("file://PATH"));
        }
    }

    #[test]
    fn a_name_is_a_host_with_or_without_a_port_and_nothing_else() {
        for name in [
            "qa.example",
            "QA.example:8443",
            "localhost",
            "192.0.2.1:80",
            "[2001:db8::1]",
            "[::1]:8787",
        ] {
            assert_eq!(parse_name(name).as_deref(), Ok(name));
        }
        for text in [
            "",
            " ",
            "*",
            "https://qa.example",
            "qa.example/",
            "qa.example ",
            "a:1,b:1",
            "a:99999",
            "a:0",
            "a:",
            "a/b",
            "é.example",
            "me@qa.example",
            "[::1",
            "::1",
            ".",
            "a..b",
        ] {
            assert!(parse_name(text).is_err(), "{text}");
        }
    }
}
