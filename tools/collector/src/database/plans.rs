//! Plans: every one that was ever loaded, so that samples made under the one before stay welcome.

use std::collections::BTreeSet;

use jiff::civil::Date;
use sordino::{
    Purposes,
    plan::{Plan, SignedPlan},
};

use super::{Database, DatabaseError, Session, purposes};
use crate::digest::Sha256;

/// Why a plan is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlanRefusal {
    /// This higher version is in force.
    Older(u64),
    /// The same version says something else.
    SameVersion,
}

impl Database {
    /// Version and text of the plan in force.
    pub(crate) async fn plan_in_force(&self) -> Result<Option<(i64, String)>, DatabaseError> {
        Ok(
            sqlx::query_as("SELECT version, document FROM plans ORDER BY version DESC LIMIT 1")
                .fetch_optional(&self.readers)
                .await?,
        )
    }

    /// Whether the plan in force pauses everything.
    pub(crate) async fn is_paused(&self) -> Result<bool, DatabaseError> {
        let paused: Option<i64> =
            sqlx::query_scalar("SELECT paused FROM plans ORDER BY version DESC LIMIT 1")
                .fetch_optional(&self.readers)
                .await?;
        Ok(paused.is_some_and(|paused| paused != 0))
    }

    /// What plans that have not expired on `today` ask for; `None` where no plan was ever loaded.
    pub(crate) async fn purposes_asked_for(
        &self,
        today: Date,
    ) -> Result<Option<Purposes>, DatabaseError> {
        let plans: Vec<(String, String)> = sqlx::query_as("SELECT expires, purposes FROM plans")
            .fetch_all(&self.readers)
            .await?;
        if plans.is_empty() {
            return Ok(None);
        }
        let today = today.to_string();
        plans
            .iter()
            .filter(|(expires, _)| *expires > today)
            .try_fold(Purposes::default(), |all, (_, asked)| {
                Ok(all.union(&purposes(asked, "plans")?))
            })
            .map(Some)
    }
}

impl Session {
    /// Puts a plan in force; again, where it is already.
    pub(crate) async fn load_plan(
        &mut self,
        plan: &SignedPlan,
        text: &str,
    ) -> Result<Result<(), PlanRefusal>, DatabaseError> {
        let in_force: Option<(i64, String)> =
            sqlx::query_as("SELECT version, document FROM plans ORDER BY version DESC LIMIT 1")
                .fetch_optional(&mut *self.0)
                .await?;
        let content = plan.content();
        let version = i64::try_from(content.version).unwrap_or(i64::MAX);
        match in_force {
            Some((newest, _)) if newest > version => {
                return Ok(Err(PlanRefusal::Older(newest.unsigned_abs())));
            }
            Some((newest, document)) if newest == version => {
                let said = SignedPlan::verify_any(document.as_bytes())
                    .map_err(|_| DatabaseError::Damaged("plans"))?;
                if said.content() != content {
                    return Ok(Err(PlanRefusal::SameVersion));
                }
                // One that was loaded by an earlier version has none.
                self.set_limits(content, version).await?;
                return Ok(Ok(()));
            }
            _ => {}
        }
        sqlx::query(
            "INSERT INTO plans (version, document, expires, purposes, recipients, recipients_sha256)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(version)
        .bind(text)
        .bind(content.expires.to_string())
        .bind(content.purposes.to_string())
        .bind(i64::try_from(content.recipients.len()).unwrap_or(i64::MAX))
        .bind(recipients_digest(content).to_string())
        .execute(&mut *self.0)
        .await?;
        self.set_limits(content, version).await?;
        Ok(Ok(()))
    }

    async fn set_limits(&mut self, plan: &Plan, version: i64) -> Result<(), DatabaseError> {
        sqlx::query(
            "UPDATE plans SET paused = $2, samples_per_day = $3, bytes_per_day = $4 WHERE version = $1",
        )
        .bind(version)
        .bind(i64::from(plan.paused))
        .bind(i64::from(plan.samples_per_day))
        .bind(i64::try_from(plan.bytes_per_day).unwrap_or(i64::MAX))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }
}

/// What `Sordino-Recipients` states: the recipients sorted as text, each with a line feed.
fn recipients_digest(plan: &Plan) -> Sha256 {
    let lines: BTreeSet<String> = plan
        .recipients
        .iter()
        .map(|recipient| format!("{recipient}\n"))
        .collect();
    Sha256::of(lines.into_iter().collect::<String>().as_bytes())
}
