//! Statistics for the operator's dashboard.

use super::{Database, DatabaseError};

/// Aggregated counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    pub(crate) samples: i64,
    /// Deleted samples whose objects have not been removed yet.
    pub(crate) deletions_due: i64,
    /// The number of samples that were ever quarantined, by anonymizer version.
    pub(crate) voices_heard: Vec<(String, i64)>,
    /// Samples that are quarantined now.
    pub(crate) quarantined: i64,
    /// The expiry of the current plan's freshness, in seconds since 1970.
    pub(crate) plan_fresh_until: Option<i64>,
}

impl Database {
    /// Computes the statistics.
    pub(crate) async fn stats(&self) -> Result<Stats, DatabaseError> {
        let count = async |query: &'static str| -> Result<i64, DatabaseError> {
            Ok(sqlx::query_scalar(query).fetch_one(&self.readers).await?)
        };
        let plan = self.plan_in_force().await?;
        let fresh_until = plan.map(|plan| plan.fresh_until()).transpose()?;
        Ok(Stats {
            samples: count("SELECT count(*) FROM samples").await?,
            deletions_due: count("SELECT count(*) FROM tombstones WHERE object_gone = 0").await?,
            voices_heard: self.voices_heard().await?,
            quarantined: count("SELECT count(*) FROM quarantined").await?,
            plan_fresh_until: fresh_until.flatten(),
        })
    }

    /// Checks that the database can be read and written; on a full disk it can still be read.
    pub(crate) async fn check_available(&self) -> Result<(), DatabaseError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        let written = async {
            let mut session = self.write().await?;
            session.touch().await?;
            session.commit().await
        };
        written
            .await
            .inspect_err(|_| self.discard_writer_connection())
    }
}
