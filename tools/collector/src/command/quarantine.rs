//! `sordino-collector quarantine`.

use clap::{Args, Subcommand};
use serde_json::json;
use sordino::Id;
use sordino_collector::{delete_quarantined, quarantined, release};

use super::{CommandResult, StoreArgs, print};

#[derive(Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List the quarantined samples.
    List(StoreArgs),
    /// Release a sample: it contains no voice.
    Release(One),
    /// Delete a sample permanently.
    Delete(One),
}

#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    place: StoreArgs,
    /// The id of the sample.
    id: Id,
}

impl QuarantineCommand {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        match self {
            Self::List(place) => list(place, as_json).await,
            Self::Release(One { place, id }) => {
                release(&place.existing_config()?, *id).await?;
                done("released", *id, as_json)
            }
            Self::Delete(One { place, id }) => {
                delete_quarantined(&place.existing_config()?, *id).await?;
                done("deleted", *id, as_json)
            }
        }
    }
}

async fn list(place: &StoreArgs, as_json: bool) -> CommandResult {
    let samples = quarantined(&place.existing_config()?).await?;
    if as_json {
        print(&json!({"quarantined": samples}).to_string())?;
        return Ok(());
    }
    if samples.is_empty() {
        print("no samples are quarantined")?;
    }
    for held in &samples {
        print(&format!(
            "{}  {}, anonymizer {}",
            held.sample, held.week, held.anonymizer
        ))?;
    }
    Ok(())
}

fn done(what: &str, id: Id, as_json: bool) -> CommandResult {
    print(&match as_json {
        true => json!({what: id}).to_string(),
        false => format!("{what}: {id}"),
    })?;
    Ok(())
}
