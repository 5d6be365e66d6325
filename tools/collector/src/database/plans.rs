//! All plans that were ever loaded, so that samples recorded under earlier plans are still accepted.

use std::collections::BTreeSet;

use jiff::{civil::Date, tz::Offset};
use sordino::{
    Purposes,
    plan::{Freshness, Plan, SignedFreshness, SignedPlan},
};
use sqlx::AnyConnection;

use super::{Database, DatabaseError, Session, parse_purposes};
use crate::digest::Sha256;

/// The current plan.
#[derive(Clone, Debug)]
pub(crate) struct PlanInForce {
    pub(crate) version: i64,
    /// The signed document.
    pub(crate) document: String,
    /// The newest signed freshness statement.
    pub(crate) freshness: Option<String>,
}

impl PlanInForce {
    pub(crate) fn signed(&self) -> Result<SignedPlan, DatabaseError> {
        SignedPlan::verify_any(self.document.as_bytes())
            .map_err(|_| DatabaseError::Corrupt("plans"))
    }

    /// The content of the freshness statement.
    pub(crate) fn freshness(&self) -> Result<Option<Freshness>, DatabaseError> {
        let read = |json: &String| SignedFreshness::verify_any(json.as_bytes());
        let statement = self.freshness.as_ref().map(read).transpose();
        let statement = statement.map_err(|_| DatabaseError::Corrupt("plans"))?;
        Ok(statement.map(|statement| *statement.content()))
    }

    /// The last day (UTC) on which devices use the plan without a newer statement; `None` if it requires none.
    pub(crate) fn fresh_through(&self) -> Result<Option<Date>, DatabaseError> {
        Ok(self.signed()?.content().fresh_through(self.freshness()?))
    }

    /// The end of that day, in seconds since 1970.
    pub(crate) fn fresh_until(&self) -> Result<Option<i64>, DatabaseError> {
        let end = |last: Date| {
            Offset::UTC
                .to_timestamp(last.tomorrow().ok()?.at(0, 0, 0, 0))
                .ok()
        };
        let end = self.fresh_through()?.and_then(end);
        Ok(end.map(|end| end.as_second()))
    }
}

/// Why a plan is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlanRefusal {
    /// This higher version is current.
    Older(u64),
    /// The same version has other content.
    SameVersion,
}

impl Database {
    /// The current plan.
    pub(crate) async fn plan_in_force(&self) -> Result<Option<PlanInForce>, DatabaseError> {
        in_force(&mut *self.readers.acquire().await?).await
    }

    /// Whether the current plan pauses sampling.
    pub(crate) async fn is_paused(&self) -> Result<bool, DatabaseError> {
        let paused: Option<i64> =
            sqlx::query_scalar("SELECT paused FROM plans ORDER BY version DESC LIMIT 1")
                .fetch_optional(&self.readers)
                .await?;
        Ok(paused.is_some_and(|paused| paused != 0))
    }

    /// The purposes of the plans that have not expired on `today`; `None` if no plan was ever loaded.
    pub(crate) async fn requested_purposes(
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
                Ok(all.union(&parse_purposes(asked, "plans")?))
            })
            .map(Some)
    }
}

impl Session {
    /// The current plan as seen by this transaction.
    pub(crate) async fn plan_in_force(&mut self) -> Result<Option<PlanInForce>, DatabaseError> {
        in_force(&mut self.0).await
    }

    /// Stores a freshness statement of a plan version.
    pub(crate) async fn set_freshness(
        &mut self,
        version: i64,
        statement: &str,
    ) -> Result<(), DatabaseError> {
        sqlx::query("UPDATE plans SET freshness = $2 WHERE version = $1")
            .bind(version)
            .bind(statement)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Makes a plan the current one; has no effect if it already is.
    pub(crate) async fn load_plan(
        &mut self,
        plan: &SignedPlan,
        text: &str,
    ) -> Result<Result<(), PlanRefusal>, DatabaseError> {
        let in_force = self.plan_in_force().await?;
        let content = plan.content();
        let version = i64::try_from(content.version).unwrap_or(i64::MAX);
        match in_force {
            Some(newest) if newest.version > version => {
                return Ok(Err(PlanRefusal::Older(newest.version.unsigned_abs())));
            }
            Some(newest) if newest.version == version => {
                if newest.signed()?.content() != content {
                    return Ok(Err(PlanRefusal::SameVersion));
                }
                // A plan that an earlier version of the collector loaded has no limits.
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

async fn in_force(connection: &mut AnyConnection) -> Result<Option<PlanInForce>, DatabaseError> {
    let row: Option<(i64, String, Option<String>)> = sqlx::query_as(
        "SELECT version, document, freshness FROM plans ORDER BY version DESC LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(version, document, freshness)| PlanInForce {
        version,
        document,
        freshness,
    }))
}

/// The digest in `Sordino-Recipients`: of the recipients sorted as text, each with a line feed.
fn recipients_digest(plan: &Plan) -> Sha256 {
    let lines: BTreeSet<String> = plan
        .recipients
        .iter()
        .map(|recipient| format!("{recipient}\n"))
        .collect();
    Sha256::digest(lines.into_iter().collect::<String>().as_bytes())
}
