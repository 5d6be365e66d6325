//! What the program does, a file a command.

pub(crate) mod backup;
pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod quarantine;
pub(crate) mod serve;
pub(crate) mod token;
pub(crate) mod maintenance;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use sordino::text::printable;
use sordino_collector::{Config, DatabaseUrl, ObjectsUrl, UrlError};

/// How a command ends.
pub(crate) type CommandResult = Result<(), Box<dyn std::error::Error>>;

/// Where everything lies.
#[derive(Args)]
pub(crate) struct StoreArgs {
    /// The folder that everything is kept in.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The database: sqlite://PATH or postgres://… [default: collector.sqlite in the data folder].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Where the objects lie: s3://BUCKET[/PREFIX], file://PATH or a folder [default: the data folder].
    #[arg(long, value_name = "URL")]
    objects: Option<String>,
}

impl StoreArgs {
    /// For what works on a collector that is there: a mistyped folder must not become an empty collector, of which a
    /// command reports what it did not do.
    pub(crate) fn existing_config(&self) -> Result<Config, Box<dyn std::error::Error>> {
        let config = self.config()?;
        let file = match config.database_url() {
            DatabaseUrl::Sqlite(file) => file,
            // The database is elsewhere; what a collector remembers of it is here.
            DatabaseUrl::Postgres(_) => config.epoch_file(),
        };
        let lacks = |what: &Path| {
            format!(
                "there is no collector in `{}`: it has no `{}`; compare `--data`, `--database` and `--objects` with \
                 those of `serve`, which is the one to make a collector, and is started first",
                self.data.display(),
                what.display()
            )
        };
        // SQLite makes an empty file where it is only asked for one.
        if !fs::metadata(&file).is_ok_and(|found| found.is_file() && found.len() > 0) {
            return Err(lacks(&file).into());
        }
        match config.objects_url() {
            ObjectsUrl::Folder(folder) if !folder.is_dir() => Err(lacks(&folder).into()),
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

/// Prints a line on stdout, at once.
pub(crate) fn print(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    // Names of tokens and files are other people's words. In JSON it stays the same document.
    writeln!(stdout, "{}", printable(line))?;
    stdout.flush()
}
