//! `sordino-collector check`, `delete` and `retention`.

use clap::Args;
use serde_json::json;
use sordino::Id;
use sordino_collector::{check, delete_samples, enforce_retention};

use super::{Outcome, Place, print};

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    place: Place,
    /// Read every object and compare it with its digest.
    #[arg(long)]
    digests: bool,
}

impl Check {
    pub(crate) async fn run(&self, as_json: bool) -> Outcome {
        let report = check(&self.place.config()?, self.digests).await?;
        if as_json {
            print(&serde_json::to_string(&report)?)?;
        } else {
            for (what, names) in [
                ("missing", &report.missing),
                ("damaged", &report.damaged),
                ("without a row", &report.orphans),
                ("of a deleted sample", &report.undeleted),
            ] {
                for name in names {
                    print(&format!("{what}: {name}"))?;
                }
            }
            print(&format!(
                "{} samples, {} objects, {} of them perhaps still on their way",
                report.samples, report.objects, report.waiting
            ))?;
        }
        match report.is_sound() {
            true => Ok(()),
            false => Err(
                "database and objects do not agree; restore what is missing from a \
                          backup, and start a collector to remove what is left over"
                    .into(),
            ),
        }
    }
}

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    place: Place,
    /// The samples' ids.
    #[arg(required = true, value_name = "SAMPLE")]
    samples: Vec<Id>,
}

impl Delete {
    pub(crate) async fn run(&self, as_json: bool) -> Outcome {
        let unknown = delete_samples(&self.place.config()?, &self.samples).await?;
        let deleted = self.samples.len() - unknown.len();
        print(&match as_json {
            true => json!({"deleted": deleted, "unknown": unknown}).to_string(),
            false => format!("{deleted} deleted"),
        })?;
        match unknown.first() {
            None => Ok(()),
            Some(id) => Err(format!("no sample was ever sent under the id {id}").into()),
        }
    }
}

#[derive(Args)]
pub(crate) struct Retention {
    #[command(flatten)]
    place: Place,
}

impl Retention {
    pub(crate) async fn run(&self, as_json: bool) -> Outcome {
        let expired = enforce_retention(&self.place.config()?).await?;
        print(&match as_json {
            true => json!({"expired": expired}).to_string(),
            false => format!("{expired} purposes of samples were taken back"),
        })?;
        Ok(())
    }
}
