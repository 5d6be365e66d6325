//! Queries of QA tools.

use serde::Serialize;
use sordino::{Id, Purpose, Purposes, Week};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Database, DatabaseError, Session, parse_column, parse_purposes};
use crate::{blob_store::ObjectName, digest::Sha256};

/// A sample in a list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ListedSample {
    /// The position in the order of arrival.
    #[serde(skip)]
    pub(crate) sequence: i64,
    pub(crate) id: Id,
    pub(crate) consent: Id,
    pub(crate) bytes: i64,
    pub(crate) sha256: String,
    pub(crate) week: Week,
    pub(crate) purposes: Purposes,
}

/// A sample that must no longer be used for a purpose.
#[derive(Clone, Debug)]
pub(crate) struct WithdrawnSample {
    /// The position in the order of withdrawals.
    pub(crate) sequence: i64,
    pub(crate) id: String,
    /// Whether it is quarantined and may be released again.
    pub(crate) is_quarantined: bool,
}

/// A sample that can be downloaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AvailableSample {
    pub(crate) name: ObjectName,
    pub(crate) sha256: Sha256,
}

/// Why a sample is not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadRefusal {
    /// No such sample, or none for this purpose.
    Unknown,
    /// Deleted, or withdrawn from this purpose.
    Deleted,
    /// The sample belongs to another record.
    NotYours,
}

impl Database {
    /// Samples for a purpose that arrived after `after`, at most `limit`.
    pub(crate) async fn samples(
        &self,
        purpose: Purpose,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ListedSample>, DatabaseError> {
        let rows = sqlx::query(
            "SELECT listed.sequence, id, consent, bytes, sha256, samples.week,
                (SELECT string_agg(purpose, ',') FROM sample_purposes WHERE sample = id) AS purposes
             FROM sample_purposes AS listed JOIN samples ON id = sample
             WHERE listed.purpose = $1 AND listed.sequence > $2
             AND NOT EXISTS (SELECT 1 FROM quarantined WHERE quarantined.sample = id)
             ORDER BY listed.sequence LIMIT $3",
        )
        .bind(purpose.as_str())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(listed).collect()
    }

    /// Samples that were withdrawn from a purpose after `after`, at most `limit`.
    pub(crate) async fn withdrawn(
        &self,
        purpose: Purpose,
        after: i64,
        limit: u32,
    ) -> Result<Vec<WithdrawnSample>, DatabaseError> {
        let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(
            "SELECT withdrawals.sequence, withdrawals.sample, quarantined.sample
             FROM withdrawals LEFT JOIN quarantined ON quarantined.sample = withdrawals.sample
             WHERE purpose = $1 AND withdrawals.sequence > $2 ORDER BY withdrawals.sequence LIMIT $3",
        )
        .bind(purpose.as_str())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let taken_back = rows
            .into_iter()
            .map(|(sequence, id, held_back)| WithdrawnSample {
                sequence,
                id,
                is_quarantined: held_back.is_some(),
            });
        Ok(taken_back.collect())
    }

    /// Like [`Session::available`], in a transaction of its own.
    pub(crate) async fn available(
        &self,
        sample: Id,
        purpose: Purpose,
    ) -> Result<Result<AvailableSample, ReadRefusal>, DatabaseError> {
        available(&mut *self.readers.acquire().await?, sample, purpose).await
    }
}

impl Session {
    /// Looks up a sample that can be downloaded for a purpose.
    pub(crate) async fn available(
        &mut self,
        sample: Id,
        purpose: Purpose,
    ) -> Result<Result<AvailableSample, ReadRefusal>, DatabaseError> {
        available(&mut self.0, sample, purpose).await
    }
}

async fn available(
    connection: &mut AnyConnection,
    sample: Id,
    purpose: Purpose,
) -> Result<Result<AvailableSample, ReadRefusal>, DatabaseError> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT sha256, object FROM samples JOIN sample_purposes ON sample = id
         WHERE id = $1 AND purpose = $2
         AND NOT EXISTS (SELECT 1 FROM quarantined WHERE quarantined.sample = id)",
    )
    .bind(sample.to_string())
    .bind(purpose.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    if let Some((sha256, object)) = row {
        return Ok(Ok(AvailableSample {
            name: ObjectName::from_column(sample, &object)
                .ok_or(DatabaseError::Corrupt("samples"))?,
            sha256: parse_column(&sha256, "samples")?,
        }));
    }
    let withdrawn = sqlx::query("SELECT 1 FROM withdrawals WHERE sample = $1 AND purpose = $2")
        .bind(sample.to_string())
        .bind(purpose.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(Err(match withdrawn {
        Some(_) => ReadRefusal::Deleted,
        None => ReadRefusal::Unknown,
    }))
}

fn listed(row: &AnyRow) -> Result<ListedSample, DatabaseError> {
    const TABLE: &str = "samples";
    Ok(ListedSample {
        sequence: row.try_get("sequence")?,
        id: parse_column(row.try_get("id")?, TABLE)?,
        consent: parse_column(row.try_get("consent")?, TABLE)?,
        bytes: row.try_get("bytes")?,
        sha256: row.try_get("sha256")?,
        week: parse_column(row.try_get("week")?, TABLE)?,
        purposes: parse_purposes(row.try_get("purposes")?, TABLE)?,
    })
}
