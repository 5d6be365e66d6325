//! What the program does, a file a command.

pub(crate) mod backup;
pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod quarantine;
pub(crate) mod serve;
pub(crate) mod token;
pub(crate) mod upkeep;

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;
use sordino_collector::{Config, DatabaseUrl, UrlError};

/// How a command ends.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Where everything lies.
#[derive(Args)]
pub(crate) struct Place {
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

impl Place {
    /// For what works on a collector that is there: a mistyped folder must not become an empty collector, of which a
    /// command reports what it did not do.
    pub(crate) fn existing(&self) -> Result<Config, Box<dyn std::error::Error>> {
        let config = self.config()?;
        let DatabaseUrl::Sqlite(file) = config.database_url() else {
            return Ok(config);
        };
        match file.exists() {
            true => Ok(config),
            false => Err(format!(
                "there is no collector in `{}`: it has no `{}`; compare `--data` and `--database` with those of `serve`",
                self.data.display(),
                file.display()
            )
            .into()),
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
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
