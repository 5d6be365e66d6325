//! `sordino-collector backup` and `restore`.

use std::path::PathBuf;

use clap::Args;
use sordino_collector::{DatabaseUrl, back_up, restore};

use super::{CommandResult, StoreArgs, print};

#[derive(Args)]
pub(crate) struct Backup {
    /// The folder to write; it must not exist yet, or be empty.
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
                "the backup is whole but for {lost} objects that the collector itself has lost or \
                 damaged; `check --digests` names them"
            )
            .into()),
        }
    }
}

#[derive(Args)]
pub(crate) struct Restore {
    /// A folder that `backup` wrote.
    from: PathBuf,
    #[command(flatten)]
    place: StoreArgs,
    /// The database that the backup was made of, where it can still be read: what was deleted or
    /// withdrawn since stays so.
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
            "{} samples; {} of the backup's were deleted since",
            report.samples, report.deleted
        ))?;
        if !report.deletions_known {
            print(&format!(
                "what was deleted, withdrawn, revoked or handed out after the backup of {} is not \
                 known here: such samples and tokens are back; name the old database with \
                 --deletions-from where it can be read",
                report.week
            ))?;
        }
        Ok(())
    }
}
