//! The commands, one per file.

pub(crate) mod backup;
pub(crate) mod log;
pub(crate) mod maintenance;
pub(crate) mod plan;
pub(crate) mod quarantine;
pub(crate) mod serve;
pub(crate) mod token;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use sordino::text::printable;
use sordino_collector::{Config, DatabaseUrl, ObjectsUrl, UrlError};

/// The result of a command.
pub(crate) type CommandResult = Result<(), Box<dyn std::error::Error>>;

/// The location of the collector's data.
#[derive(Args)]
pub(crate) struct StoreArgs {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The database: sqlite://PATH or postgres://… [default: collector.sqlite in the data folder].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The object storage: s3://BUCKET[/PREFIX], file://PATH or a folder [default: the data folder].
    #[arg(long, value_name = "URL")]
    objects: Option<String>,
}

impl StoreArgs {
    /// The configuration of an existing collector. A mistyped folder must not create an empty collector, on which a
    /// command would succeed without effect.
    pub(crate) fn existing_config(&self) -> Result<Config, Box<dyn std::error::Error>> {
        let config = self.config()?;
        let file = match config.database_url() {
            DatabaseUrl::Sqlite(file) => file,
            // The database is elsewhere, but the epoch file is in the data folder.
            DatabaseUrl::Postgres(_) => config.epoch_file(),
        };
        let missing = |what: &Path| {
            format!(
                "no collector found in `{}`: `{}` does not exist; use the same `--data`, `--database` and `--objects` as \
                 `serve`, which creates a collector and must be started first",
                self.data.display(),
                what.display()
            )
        };
        // SQLite creates an empty file when it opens a missing one.
        if !fs::metadata(&file).is_ok_and(|found| found.is_file() && found.len() > 0) {
            return Err(missing(&file).into());
        }
        match config.objects_url() {
            ObjectsUrl::Folder(folder) if !folder.is_dir() => Err(missing(&folder).into()),
            _ => Ok(config),
        }
    }

    pub(crate) fn config(&self) -> Result<Config, UrlError> {
        Ok(Config {
            database: self.database.as_deref().map(str::parse).transpose()?,
            objects: self.objects.as_deref().map(str::parse).transpose()?,
            ..Config::new(&self.data)
        })
    }
}

/// Prints a line on stdout and flushes it.
pub(crate) fn print(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    // Names of tokens and files may contain control characters. Escaping does not change a JSON document.
    writeln!(stdout, "{}", printable(line))?;
    stdout.flush()
}
