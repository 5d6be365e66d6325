//! Reviews of samples, and quarantined samples.

use serde::Serialize;
use sordino::{Id, Purpose, Week};
use sqlx::Row as _;

use super::{Database, DatabaseError, Session, parse_column};

/// The kind of a review entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReviewKind {
    /// A verdict as an age file, in base64.
    Sealed,
    /// A verdict as JSON.
    Plain,
    /// An assignment to a reader.
    Assignment,
}

/// A review entry of a sample, with its sequence number.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) sequence: i64,
    pub(crate) sample: String,
    pub(crate) kind: ReviewKind,
    /// The author, or the assignee; empty if unassigned.
    pub(crate) reader: String,
    pub(crate) week: String,
    pub(crate) content: String,
}

/// A quarantined sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// The id of the sample.
    pub sample: Id,
    /// The anonymizer version in its manifest.
    pub anonymizer: String,
    /// The week of arrival.
    pub week: Week,
}

impl Database {
    /// Review entries for `purpose` after `after`, at most `limit`.
    pub(crate) async fn reviews(
        &self,
        purpose: Purpose,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Review>, DatabaseError> {
        let rows = sqlx::query(
            "SELECT sequence, sample, kind, reader, week, content FROM reviews
             WHERE purpose = $1 AND sequence > $2
             AND NOT EXISTS (SELECT 1 FROM quarantined WHERE quarantined.sample = reviews.sample)
             ORDER BY sequence LIMIT $3",
        )
        .bind(purpose.as_str())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Review {
                    sequence: row.try_get("sequence")?,
                    sample: row.try_get("sample")?,
                    kind: parse_column(row.try_get("kind")?, "reviews")?,
                    reader: row.try_get("reader")?,
                    week: row.try_get("week")?,
                    content: row.try_get("content")?,
                })
            })
            .collect()
    }

    /// The quarantined samples, in order of arrival.
    pub(crate) async fn quarantined(&self) -> Result<Vec<Quarantined>, DatabaseError> {
        const TABLE: &str = "quarantined";
        let rows = sqlx::query(
            "SELECT id, anonymizer, week FROM quarantined JOIN samples ON id = sample
             ORDER BY sequence",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Quarantined {
                    sample: parse_column(row.try_get("id")?, TABLE)?,
                    anonymizer: row.try_get("anonymizer")?,
                    week: parse_column(row.try_get("week")?, TABLE)?,
                })
            })
            .collect()
    }

    /// The number of samples that were ever quarantined, sorted by anonymizer version.
    pub(crate) async fn voices_heard(&self) -> Result<Vec<(String, i64)>, DatabaseError> {
        Ok(
            sqlx::query_as("SELECT anonymizer, heard FROM voices_heard ORDER BY anonymizer")
                .fetch_all(&self.readers)
                .await?,
        )
    }
}

impl Session {
    /// Stores a review of `reader` for a sample and purpose, which replaces the reader's earlier one. An assignment
    /// replaces any earlier assignment.
    pub(crate) async fn put_review(
        &mut self,
        sample: Id,
        purpose: Purpose,
        kind: ReviewKind,
        reader: &str,
        week: Week,
        content: &str,
    ) -> Result<(), DatabaseError> {
        match kind {
            ReviewKind::Assignment => {
                sqlx::query(
                    "DELETE FROM reviews
                     WHERE sample = $1 AND purpose = $2 AND kind = 'assignment'",
                )
                .bind(sample.to_string())
                .bind(purpose.as_str())
                .execute(&mut *self.0)
                .await?;
            }
            ReviewKind::Sealed | ReviewKind::Plain => {
                sqlx::query(
                    "DELETE FROM reviews
                     WHERE sample = $1 AND purpose = $2 AND reader = $3 AND kind <> 'assignment'",
                )
                .bind(sample.to_string())
                .bind(purpose.as_str())
                .bind(reader)
                .execute(&mut *self.0)
                .await?;
            }
        }
        sqlx::query(
            "INSERT INTO reviews (sample, purpose, kind, reader, week, content)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(sample.to_string())
        .bind(purpose.as_str())
        .bind(kind.as_str())
        .bind(reader)
        .bind(week.to_string())
        .bind(content)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Quarantines a sample and counts it for the anonymizer version, once.
    pub(crate) async fn quarantine(
        &mut self,
        sample: Id,
        anonymizer: &str,
    ) -> Result<(), DatabaseError> {
        let id = sample.to_string();
        let inserted = sqlx::query(
            "INSERT INTO quarantined (sample, anonymizer) VALUES ($1, $2)
             ON CONFLICT (sample) DO NOTHING",
        )
        .bind(&id)
        .bind(anonymizer)
        .execute(&mut *self.0)
        .await?;
        if inserted.rows_affected() == 0 {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO withdrawals (sample, purpose)
             SELECT sample, purpose FROM sample_purposes WHERE sample = $1",
        )
        .bind(&id)
        .execute(&mut *self.0)
        .await?;
        sqlx::query(
            "INSERT INTO voices_heard (anonymizer, heard) VALUES ($1, 1)
             ON CONFLICT (anonymizer) DO UPDATE SET heard = voices_heard.heard + 1",
        )
        .bind(anonymizer)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Releases a quarantined sample. It moves to the end of the order of arrival, so that pulls that removed it fetch
    /// it again. Returns whether it was quarantined.
    pub(crate) async fn release(&mut self, sample: Id) -> Result<bool, DatabaseError> {
        let id = sample.to_string();
        let deleted = sqlx::query("DELETE FROM quarantined WHERE sample = $1")
            .bind(&id)
            .execute(&mut *self.0)
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        // Purposes that were withdrawn in the meantime stay withdrawn.
        sqlx::query(
            "DELETE FROM withdrawals WHERE sample = $1
             AND purpose IN (SELECT purpose FROM sample_purposes WHERE sample = $1)",
        )
        .bind(&id)
        .execute(&mut *self.0)
        .await?;
        // Inserting and deleting a row allocates the next sequence number in both databases.
        let placeholder = format!("release of {id}");
        let sequence: i64 = sqlx::query_scalar(
            "INSERT INTO samples (id, consent, bytes, sha256, week)
             SELECT $2, consent, bytes, sha256, week FROM samples WHERE id = $1
             RETURNING sequence",
        )
        .bind(&id)
        .bind(&placeholder)
        .fetch_one(&mut *self.0)
        .await?;
        sqlx::query("DELETE FROM samples WHERE id = $1")
            .bind(&placeholder)
            .execute(&mut *self.0)
            .await?;
        sqlx::query("UPDATE samples SET sequence = $2 WHERE id = $1")
            .bind(&id)
            .bind(sequence)
            .execute(&mut *self.0)
            .await?;
        // Reviews get new numbers too, so that clients that dropped them fetch them again.
        let reviews: Vec<(i64,)> =
            sqlx::query_as("SELECT sequence FROM reviews WHERE sample = $1 ORDER BY sequence")
                .bind(&id)
                .fetch_all(&mut *self.0)
                .await?;
        for (sequence,) in reviews {
            for statement in [
                "INSERT INTO reviews (sample, purpose, kind, reader, week, content)
                 SELECT sample, purpose, kind, reader, week, content FROM reviews
                 WHERE sequence = $1",
                "DELETE FROM reviews WHERE sequence = $1",
            ] {
                sqlx::query(statement)
                    .bind(sequence)
                    .execute(&mut *self.0)
                    .await?;
            }
        }
        Ok(true)
    }

    /// The record of a quarantined sample.
    pub(crate) async fn owner_of_quarantined(
        &mut self,
        sample: Id,
    ) -> Result<Option<Id>, DatabaseError> {
        let owner: Option<String> = sqlx::query_scalar(
            "SELECT consent FROM samples JOIN quarantined ON sample = id WHERE id = $1",
        )
        .bind(sample.to_string())
        .fetch_optional(&mut *self.0)
        .await?;
        owner
            .map(|owner| parse_column(&owner, "samples"))
            .transpose()
    }
}

impl ReviewKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Plain => "plain",
            Self::Assignment => "assignment",
        }
    }
}

impl std::str::FromStr for ReviewKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Sealed, Self::Plain, Self::Assignment]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}
