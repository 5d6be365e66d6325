//! What an operator does with the plan in force while collectors run: hands them the organization's newest statement
//! that it is the newest plan.

use jiff::civil::Date;
use serde::Serialize;
use sordino::plan::{Freshness, FreshnessError};

use crate::{
    app_state::today,
    config::Config,
    server::{StartError, open_storage},
    storage::{Storage, StorageError},
};

/// Why a statement was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The collector's data cannot be opened.
    #[error(transparent)]
    Open(#[from] StartError),
    /// It failed on the way.
    #[error("{0}")]
    Failed(String),
    /// There is no plan that it could be about.
    #[error("this collector has no plan; start it with `serve --plan FILE` first")]
    NoPlan,
    /// Not signed by the key of the plan in force, or no statement at all.
    #[error("{0}; make one with `sordino plan refresh` and the key that signed the plan")]
    Statement(#[from] FreshnessError),
    /// The plan in force asks for none.
    #[error("plan version {0} has no `fresh_days` and needs no statement")]
    NotNeeded(u64),
    /// It is about another version.
    #[error(
        "the statement is for plan version {stated}, but version {in_force} is in force; start the collector with \
         that plan first, or sign a statement for version {in_force}"
    )]
    OtherVersion {
        /// The statement's version.
        stated: u64,
        /// The version in force.
        in_force: u64,
    },
    /// A newer one is here.
    #[error("the statement is of {stated}, but one of {held} is here; statements never go back")]
    Older {
        /// The statement's day.
        stated: Date,
        /// The day of the one that is here.
        held: Date,
    },
    /// Devices that took it would take none of an earlier day.
    #[error(
        "the statement is of {stated}, and today is {today}: devices would refuse all statements until then; set the \
         clock of the machine that signs, and sign again"
    )]
    Future {
        /// The statement's day.
        stated: Date,
        /// Today by the collector's clock, in UTC.
        today: Date,
    },
}

/// A statement that is served from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refreshed {
    /// The version of the plan.
    pub version: u64,
    /// The day of the statement.
    pub day: String,
    /// The last day on which devices that receive it go by the plan.
    pub fresh_through: String,
}

/// Takes the organization's statement that the plan in force is the newest one. Collectors that run serve it at once.
///
/// # Errors
/// [`RefreshError`]; the statement that was here stays.
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
        // Somewhere it is tomorrow already by a clock that is right.
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
