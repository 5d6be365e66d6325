//! What QA tools and the people themselves read.

use serde::Serialize;
use sordino::{Id, Purpose, Purposes, Week};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Database, DatabaseError, Session, parsed, purposes};
use crate::digest::Sha256;

/// A sample as a list shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listed {
    /// Its place in the order of arrival.
    #[serde(skip)]
    pub(crate) sequence: i64,
    pub(crate) id: Id,
    pub(crate) consent: Id,
    pub(crate) bytes: i64,
    pub(crate) sha256: String,
    pub(crate) week: Week,
    pub(crate) purposes: Purposes,
}

/// A sample that can be handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) sha256: Sha256,
}

/// One hand-out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Access {
    pub(crate) purpose: Purpose,
    pub(crate) week: Week,
    /// The name of the token.
    pub(crate) reader: String,
}

/// Why a sample is not handed out or spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadRefusal {
    /// Never here, or never for this purpose.
    Unknown,
    /// Deleted, or withdrawn from this purpose.
    Deleted,
    /// Another record's.
    NotYours,
}

impl Database {
    /// Samples for a purpose that arrived after `after`, at most `limit`.
    pub(crate) async fn samples(
        &self,
        purpose: Purpose,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Listed>, DatabaseError> {
        let rows = sqlx::query(
            "SELECT sequence, id, consent, bytes, sha256, week,
                (SELECT group_concat(purpose) FROM sample_purposes WHERE sample = id) AS purposes
             FROM samples
             WHERE sequence > ?2
             AND EXISTS (SELECT 1 FROM sample_purposes WHERE sample = id AND purpose = ?1)
             ORDER BY sequence LIMIT ?3",
        )
        .bind(purpose.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(listed).collect()
    }

    /// Ids no longer to be used for a purpose, said after `after`, each with its place in the order.
    pub(crate) async fn withdrawn(
        &self,
        purpose: Purpose,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, String)>, DatabaseError> {
        Ok(sqlx::query_as(
            "SELECT sequence, sample FROM withdrawals
             WHERE purpose = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
        )
        .bind(purpose.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?)
    }

    /// Who was handed a sample of `consent`, also after it was deleted.
    pub(crate) async fn accesses(
        &self,
        sample: Id,
        consent: Id,
    ) -> Result<Result<Vec<Access>, ReadRefusal>, DatabaseError> {
        let owner: Option<String> = sqlx::query_scalar(
            "SELECT consent FROM samples WHERE id = ?1
             UNION ALL SELECT consent FROM tombstones WHERE sample = ?1",
        )
        .bind(sample.to_string())
        .fetch_optional(&self.readers)
        .await?;
        match owner {
            None => return Ok(Err(ReadRefusal::Unknown)),
            Some(owner) if owner != consent.to_string() => return Ok(Err(ReadRefusal::NotYours)),
            Some(_) => {}
        }
        let rows = sqlx::query(
            "SELECT purpose, week, reader FROM accesses WHERE sample = ?1 ORDER BY sequence",
        )
        .bind(sample.to_string())
        .fetch_all(&self.readers)
        .await?;
        let accesses: Result<_, DatabaseError> = rows.iter().map(access).collect();
        accesses.map(Ok)
    }
}

impl Session {
    /// Whether a sample can be handed out for a purpose.
    pub(crate) async fn held(
        &mut self,
        sample: Id,
        purpose: Purpose,
    ) -> Result<Result<Held, ReadRefusal>, DatabaseError> {
        let sha256: Option<String> = sqlx::query_scalar(
            "SELECT sha256 FROM samples JOIN sample_purposes ON sample = id
             WHERE id = ?1 AND purpose = ?2",
        )
        .bind(sample.to_string())
        .bind(purpose.as_str())
        .fetch_optional(&mut *self.0)
        .await?;
        if let Some(sha256) = sha256 {
            return Ok(Ok(Held {
                sha256: parsed(&sha256, "samples")?,
            }));
        }
        let withdrawn = sqlx::query("SELECT 1 FROM withdrawals WHERE sample = ?1 AND purpose = ?2")
            .bind(sample.to_string())
            .bind(purpose.as_str())
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(Err(match withdrawn {
            Some(_) => ReadRefusal::Deleted,
            None => ReadRefusal::Unknown,
        }))
    }

    /// Notes a hand-out.
    pub(crate) async fn note_access(
        &mut self,
        sample: Id,
        access: &Access,
    ) -> Result<(), DatabaseError> {
        sqlx::query("INSERT INTO accesses (sample, purpose, week, reader) VALUES (?1, ?2, ?3, ?4)")
            .bind(sample.to_string())
            .bind(access.purpose.as_str())
            .bind(access.week.to_string())
            .bind(&access.reader)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}

fn listed(row: &SqliteRow) -> Result<Listed, DatabaseError> {
    const TABLE: &str = "samples";
    Ok(Listed {
        sequence: row.try_get("sequence")?,
        id: parsed(row.try_get("id")?, TABLE)?,
        consent: parsed(row.try_get("consent")?, TABLE)?,
        bytes: row.try_get("bytes")?,
        sha256: row.try_get("sha256")?,
        week: parsed(row.try_get("week")?, TABLE)?,
        purposes: purposes(row.try_get("purposes")?, TABLE)?,
    })
}

fn access(row: &SqliteRow) -> Result<Access, DatabaseError> {
    const TABLE: &str = "accesses";
    Ok(Access {
        purpose: parsed(row.try_get("purpose")?, TABLE)?,
        week: parsed(row.try_get("week")?, TABLE)?,
        reader: row.try_get("reader")?,
    })
}
