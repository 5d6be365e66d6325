//! What readers say of samples, and samples that are held back because a voice was heard in them.

use serde::Serialize;
use sordino::{Id, Purpose, Week};
use sqlx::Row as _;

use super::{Database, DatabaseError, Session, parse_column};

/// What of a sample is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReviewKind {
    /// A verdict as an age file, in base64.
    Sealed,
    /// A verdict as JSON.
    Plain,
    /// Who is to look at it.
    Assignment,
}

/// Something that is said of a sample, with its place in the order in which it was said.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) sequence: i64,
    pub(crate) sample: String,
    pub(crate) kind: ReviewKind,
    /// Who said it, or who is to look; empty where nobody is.
    pub(crate) reader: String,
    pub(crate) week: String,
    pub(crate) content: String,
}

/// A sample that is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// Its id.
    pub sample: Id,
    /// The version of the anonymizer that its manifest stated.
    pub anonymizer: String,
    /// The week in which it arrived.
    pub week: Week,
}

impl Database {
    /// What was said for `purpose` after `after`, at most `limit`.
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

    /// Samples that are held back, in order of arrival.
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

    /// How often a voice was heard, by the version of the anonymizer, sorted by it.
    pub(crate) async fn voices_heard(&self) -> Result<Vec<(String, i64)>, DatabaseError> {
        Ok(
            sqlx::query_as("SELECT anonymizer, heard FROM voices_heard ORDER BY anonymizer")
                .fetch_all(&self.readers)
                .await?,
        )
    }
}

impl Session {
    /// Keeps what `reader` says of a sample for a purpose, in the place of what they said before. An
    /// assignment takes the place of every other.
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

    /// Holds a sample back from everybody and counts it against the anonymizer, once.
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

    /// Gives a held-back sample to everybody again, at the end of the order of arrival, so that who
    /// removed it gets it anew. Whether there was one.
    pub(crate) async fn release(&mut self, sample: Id) -> Result<bool, DatabaseError> {
        let id = sample.to_string();
        let deleted = sqlx::query("DELETE FROM quarantined WHERE sample = $1")
            .bind(&id)
            .execute(&mut *self.0)
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        // What the person withdrew meanwhile stays withdrawn.
        sqlx::query(
            "DELETE FROM withdrawals WHERE sample = $1
             AND purpose IN (SELECT purpose FROM sample_purposes WHERE sample = $1)",
        )
        .bind(&id)
        .execute(&mut *self.0)
        .await?;
        // A row that comes and goes draws the next number, in either database, and uses it up.
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
        // Verdicts too: who let go of them with the sample finds them again.
        let said: Vec<(i64,)> =
            sqlx::query_as("SELECT sequence FROM reviews WHERE sample = $1 ORDER BY sequence")
                .bind(&id)
                .fetch_all(&mut *self.0)
                .await?;
        for (sequence,) in said {
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

    /// The record of a sample that is held back.
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
        owner.map(|owner| parse_column(&owner, "samples")).transpose()
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
