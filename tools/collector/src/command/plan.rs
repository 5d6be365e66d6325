//! `sordino-collector plan`.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use sordino_collector::refresh_plan;

use super::{CommandResult, StoreArgs, print};

#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// Load a freshness statement for the plan, which devices then receive. A collector may be running.
    Refresh(Refresh),
}

#[derive(Args)]
pub(crate) struct Refresh {
    #[command(flatten)]
    place: StoreArgs,
    /// The freshness statement that `sordino plan refresh` wrote.
    #[arg(value_name = "FILE")]
    statement: PathBuf,
}

impl PlanCommand {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        match self {
            Self::Refresh(refresh) => refresh.run(as_json).await,
        }
    }
}

impl Refresh {
    async fn run(&self, as_json: bool) -> CommandResult {
        let path = self.statement.display();
        let statement =
            fs::read(&self.statement).map_err(|error| format!("cannot read `{path}`: {error}"))?;
        let refreshed = refresh_plan(&self.place.existing_config()?, &statement)
            .await
            .map_err(|error| format!("cannot load `{path}`: {error}"))?;
        print(&match as_json {
            true => serde_json::to_string(&refreshed)?,
            false => format!(
                "plan version {} is confirmed as of {}; devices that fetch it sample through {}",
                refreshed.version, refreshed.day, refreshed.fresh_through
            ),
        })?;
        Ok(())
    }
}
