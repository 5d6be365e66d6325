//! Loads freshness statements for the current plan while collectors run.

use jiff::civil::Date;
use serde::Serialize;
use sordino::plan::{Freshness, FreshnessError};

use crate::{
    config::Config,
    dates::today,
    startup::{StartError, open_storage},
    storage::{Storage, error::StorageError},
};

/// Why a statement was rejected.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The collector's data cannot be opened.
    #[error(transparent)]
    Open(#[from] StartError),
    /// An error of the storage.
    #[error("{0}")]
    Failed(String),
    /// The collector has no plan.
    #[error("the collector has no plan; start it with `serve --plan FILE` first")]
    NoPlan,
    /// The statement is not signed with the key of the current plan.
    #[error("{0}; create one with `sordino plan refresh` and the key that signed the plan")]
    Statement(#[from] FreshnessError),
    /// The current plan requires none.
    #[error("plan version {0} has no `fresh_days` and requires no freshness statement")]
    NotNeeded(u64),
    /// The statement is for another version.
    #[error(
        "the statement is for plan version {stated}, but version {in_force} is in force; start the collector with \
         version {stated} first, or sign a statement for version {in_force}"
    )]
    OtherVersion {
        /// The statement's version.
        stated: u64,
        /// The current version.
        in_force: u64,
    },
    /// A newer statement is loaded.
    #[error("the statement is dated {stated}, but a newer one of {held} is loaded")]
    Older {
        /// The date of the statement.
        stated: Date,
        /// The date of the loaded statement.
        held: Date,
    },
    /// The statement is dated in the future; devices that accept it would reject later statements until that date.
    #[error(
        "the statement is dated {stated}, but today is {today}: devices would reject all statements until then; correct \
         the clock of the signing machine and sign again"
    )]
    Future {
        /// The date of the statement.
        stated: Date,
        /// The current day of the collector's clock, in UTC.
        today: Date,
    },
}

/// A statement that was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refreshed {
    /// The version of the plan.
    pub version: u64,
    /// The date of the statement.
    pub day: String,
    /// The last day on which devices that receive it use the plan.
    pub fresh_through: String,
}

/// Loads a freshness statement for the current plan. Running collectors serve it immediately.
///
/// # Errors
/// [`RefreshError`]; the previous statement is kept.
pub async fn refresh_plan(config: &Config, statement: &[u8]) -> Result<Refreshed, RefreshError> {
    let storage = open_storage(config).await?;
    let refresh = async |storage: &Storage| storage.refresh_plan(statement, today()).await;
    storage.run_and_close(refresh).await
}

impl Storage {
    async fn refresh_plan(&self, json: &[u8], today: Date) -> Result<Refreshed, RefreshError> {
        let mut session = self.database.write().await.map_err(failed)?;
        let in_force = session.plan_in_force().await.map_err(failed)?;
        let in_force = in_force.ok_or(RefreshError::NoPlan)?;
        let signed = in_force.signed().map_err(failed)?;
        let plan = signed.content();
        if plan.fresh_days.is_none() {
            return Err(RefreshError::NotNeeded(plan.version));
        }
        let statement = Freshness::verify(json, &signed.signer())?;
        let &Freshness {
            plan: stated, day, ..
        } = statement.content();
        if stated != plan.version {
            let in_force = plan.version;
            return Err(RefreshError::OtherVersion { stated, in_force });
        }
        // In some time zones it is already tomorrow.
        if day > today.tomorrow().unwrap_or(today) {
            return Err(RefreshError::Future { stated: day, today });
        }
        let held = in_force.freshness().map_err(failed)?;
        if let Some(held) = held.max(plan.freshness_as_signed())
            && held.day > day
        {
            let (stated, held) = (day, held.day);
            return Err(RefreshError::Older { stated, held });
        }
        let last = plan.fresh_through(Some(*statement.content()));
        session
            .set_freshness(in_force.version, &statement.to_json())
            .await
            .map_err(failed)?;
        session.commit().await.map_err(failed)?;
        Ok(Refreshed {
            version: stated,
            day: day.to_string(),
            fresh_through: last.unwrap_or(day).to_string(),
        })
    }
}

fn failed(error: impl Into<StorageError>) -> RefreshError {
    RefreshError::Failed(error.into().to_string())
}
