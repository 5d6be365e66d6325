//! What an operator's dashboard shows of the database.

use super::{Database, DatabaseError};

/// Counts, of nobody in particular.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    pub(crate) samples: i64,
    /// Deleted samples whose objects are still to be removed.
    pub(crate) deletions_due: i64,
    /// In how many samples a voice was heard, ever, by the anonymizer's version.
    pub(crate) voices_heard: Vec<(String, i64)>,
    /// Samples that are held back now.
    pub(crate) quarantined: i64,
    /// When devices go by the plan in force no longer unless another statement comes, in seconds since 1970.
    pub(crate) plan_fresh_until: Option<i64>,
}

impl Database {
    /// Counts.
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

    /// Whether it can be read and written: one on a full disk answers still.
    pub(crate) async fn check_available(&self) -> Result<(), DatabaseError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        let written = async {
            let mut session = self.write().await?;
            session.touch().await?;
            session.commit().await
        };
        written.await.inspect_err(|_| self.discard_writer_connection())
    }
}
