//! `sordino-collector backup` and `restore`.

use std::path::PathBuf;

use clap::Args;
use sordino_collector::{DatabaseUrl, back_up, restore};

use super::{CommandResult, StoreArgs, print};

#[derive(Args)]
pub(crate) struct Backup {
    /// The folder to write to; it must be empty or not exist.
    out: PathBuf,
    #[command(flatten)]
    place: StoreArgs,
}

impl Backup {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        let report = back_up(&self.place.existing_config()?, &self.out).await?;
        print(&match as_json {
            true => serde_json::to_string(&report)?,
            false => format!("{} samples, {} bytes", report.samples, report.bytes),
        })?;
        match report.lost.len() {
            0 => Ok(()),
            lost => Err(format!(
                "the backup is complete except for {lost} objects that are missing or damaged in the collector; \
                 `check --digests` lists them"
            )
            .into()),
        }
    }
}

#[derive(Args)]
pub(crate) struct Restore {
    /// The folder of a backup.
    from: PathBuf,
    #[command(flatten)]
    place: StoreArgs,
    /// The original database, if it is still readable: samples that were deleted or withdrawn after the backup stay
    /// deleted.
    #[arg(long, value_name = "URL")]
    deletions_from: Option<DatabaseUrl>,
}

impl Restore {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        let (config, old) = (self.place.config()?, self.deletions_from.as_ref());
        let report = restore(&config, &self.from, old).await?;
        if as_json {
            print(&serde_json::to_string(&report)?)?;
            return Ok(());
        }
        print(&format!(
            "{} samples restored; {} samples of the backup had been deleted since",
            report.samples, report.deleted
        ))?;
        if !report.deletions_known {
            print(&format!(
                "deletions, withdrawals, revocations and downloads after the backup of {} are unknown: such samples \
                 and tokens have been restored; if the old database is readable, name it with --deletions-from",
                report.week
            ))?;
        }
        Ok(())
    }
}
