//! What the operator sets.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

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
    /// A signed plan to load and serve.
    pub plan: Option<PathBuf>,
    /// What one request may take.
    pub limits: Limits,
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
    /// The most connections at a time; more wait.
    pub connections: usize,
}

/// A database that the collector can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://PATH`: one file on this machine.
    Sqlite(PathBuf),
}

/// A place for objects that the collector can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectsUrl {
    /// `file://PATH` or a path: a folder on this machine.
    Folder(PathBuf),
}

/// A place that this version cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another kind of database.
    #[error("a database of `{0}` cannot be used; give sqlite://PATH")]
    Database(String),
    /// Another kind of place.
    #[error("objects cannot be kept in `{0}`; give file://PATH or a folder")]
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
            plan: None,
            limits: Limits::default(),
        }
    }

    pub(crate) fn database_path(&self) -> PathBuf {
        match &self.database {
            Some(DatabaseUrl::Sqlite(path)) => path.clone(),
            None => self.data.join("collector.sqlite"),
        }
    }

    pub(crate) fn objects_folder(&self) -> &Path {
        match &self.objects {
            Some(ObjectsUrl::Folder(path)) => path,
            None => &self.data,
        }
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
            connections: 1024,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        match url.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() && !path.contains('?') => Ok(Self::Sqlite(path.into())),
            _ => Err(UrlError::Database(scheme(url))),
        }
    }
}

impl FromStr for ObjectsUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sqlite_and_folders_are_taken_and_no_password_is_repeated() {
        let sqlite = |path: &str| Ok(DatabaseUrl::Sqlite(path.into()));
        assert_eq!("sqlite:///var/x.db".parse(), sqlite("/var/x.db"));
        assert_eq!("sqlite://x.db".parse(), sqlite("x.db"));
        let folder = |path: &str| Ok(ObjectsUrl::Folder(path.into()));
        assert_eq!("file:///var/o".parse(), folder("/var/o"));
        assert_eq!("some/folder".parse(), folder("some/folder"));

        for url in ["postgres://me:secret@host/db", "sqlite://", "x.db", ""] {
            let message = url.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!message.contains("secret") && message.contains("sqlite://PATH"));
        }
        for url in ["s3://key:secret@bucket", "file://", ""] {
            let message = url.parse::<ObjectsUrl>().unwrap_err().to_string();
            assert!(!message.contains("secret") && message.contains("file://PATH"));
        }
    }
}
