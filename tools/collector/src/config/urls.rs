//! The URLs of the database and of the object storage.

use std::{fmt, path::PathBuf, str::FromStr};

use sqlx::any::AnyConnectOptions;

/// The URL of a supported database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://PATH`: a file on this machine.
    Sqlite(PathBuf),
    /// `postgres://…`: a PostgreSQL server, which several collectors can share.
    Postgres(PostgresUrl),
}

/// The form that is used in messages.
impl fmt::Display for ObjectsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// The URL of a PostgreSQL database. It may contain a password, so `Debug` and `Display` show only host and database.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// The URL of a supported object storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectsUrl {
    /// `file://PATH` or a path: a folder on this machine.
    Folder(PathBuf),
    /// `s3://BUCKET` or `s3://BUCKET/PREFIX`: a bucket of S3 or of an S3-compatible service. Endpoint, region and keys
    /// are read from the usual environment variables `AWS_…`.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix of object names; empty for the whole bucket.
        prefix: String,
    },
}

/// An invalid or unsupported URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// An unsupported database.
    #[error("unsupported database `{0}`; expected sqlite://PATH or postgres://USER@HOST/DATABASE")]
    Database(String),
    /// An unsupported object storage.
    #[error("unsupported object storage `{0}`; expected s3://BUCKET, file://PATH or a folder")]
    Objects(String),
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

/// The form that is used in messages: a SQLite file by its path, a PostgreSQL database without user and password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl PostgresUrl {
    /// The complete URL, for the driver only.
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
        if let Some(location) = url.strip_prefix("s3://") {
            let (bucket, prefix) = location.split_once('/').unwrap_or((location, ""));
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

/// The part of a URL that may be shown in a message: the rest may contain a password.
fn scheme(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_supported_urls_are_accepted_and_passwords_hidden() {
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
}
