//! `sordino-collector check`, `delete`, `withdraw`, `retention` and `renew-epoch`.

use clap::Args;
use serde_json::json;
use sordino::{Id, Purpose, Purposes};
use sordino_collector::{check, delete_samples, enforce_retention, renew_epoch, withdraw_record};

use super::{CommandResult, StoreArgs, print};

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    place: StoreArgs,
    /// Read every object and compare it with its digest.
    #[arg(long)]
    digests: bool,
}

impl Check {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        let report = check(&self.place.existing_config()?, self.digests).await?;
        if as_json {
            print(&serde_json::to_string(&report)?)?;
        } else {
            for (what, names) in [
                ("missing", &report.missing),
                ("damaged", &report.damaged),
                ("orphaned", &report.orphans),
                ("not deleted", &report.undeleted),
            ] {
                for name in names {
                    print(&format!("{what}: {name}"))?;
                }
            }
            print(&format!(
                "{} samples, {} objects, {} of them possibly still being uploaded",
                report.samples, report.objects, report.waiting
            ))?;
        }
        match report.is_sound() {
            true => Ok(()),
            false => Err(
                "database and objects do not match; restore missing objects from a backup, and start a collector to \
                 remove orphaned ones"
                    .into(),
            ),
        }
    }
}

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    place: StoreArgs,
    /// The ids of the samples.
    #[arg(required = true, value_name = "SAMPLE")]
    samples: Vec<Id>,
}

impl Delete {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        let unknown = delete_samples(&self.place.existing_config()?, &self.samples).await?;
        let deleted = self.samples.len() - unknown.len();
        print(&match as_json {
            true => json!({"deleted": deleted, "unknown": unknown}).to_string(),
            false => format!("{deleted} deleted"),
        })?;
        match unknown.first() {
            None => Ok(()),
            Some(id) => Err(format!("no sample was ever sent with the id {id}").into()),
        }
    }
}

#[derive(Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    place: StoreArgs,
    /// The id of the consent record, which is printed in the person's receipt.
    #[arg(value_name = "RECORD")]
    record: Id,
    /// The purposes to withdraw: quality-assurance, recognition-research [default: all].
    #[arg(long, num_args = 1.., value_name = "P")]
    purpose: Vec<Purpose>,
}

impl Withdraw {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        let purposes = match self.purpose.is_empty() {
            true => Purposes::all(),
            false => self.purpose.iter().copied().collect(),
        };
        let record = self.record;
        let withdrawn = withdraw_record(&self.place.existing_config()?, record, purposes).await?;
        let withdrawn = withdrawn.ok_or_else(|| {
            format!(
                "no consent record {record} was ever registered here; check the id in the receipt"
            )
        })?;
        print(&match as_json {
            true => serde_json::to_string(&withdrawn)?,
            false => format!(
                "withdrawn: {} samples deleted, {} kept for another purpose",
                withdrawn.deleted, withdrawn.narrowed
            ),
        })?;
        Ok(())
    }
}

#[derive(Args)]
pub(crate) struct RenewEpoch {
    #[command(flatten)]
    place: StoreArgs,
}

impl RenewEpoch {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        let epoch = renew_epoch(&self.place.existing_config()?).await?;
        print(&match as_json {
            true => json!({"epoch": epoch}).to_string(),
            false => format!("epoch {epoch}: devices will repeat their withdrawals and deletions"),
        })?;
        Ok(())
    }
}

#[derive(Args)]
pub(crate) struct Retention {
    #[command(flatten)]
    place: StoreArgs,
}

impl Retention {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        let expired = enforce_retention(&self.place.existing_config()?).await?;
        print(&match as_json {
            true => json!({"expired": expired}).to_string(),
            false => format!("{expired} purposes of samples expired"),
        })?;
        Ok(())
    }
}
