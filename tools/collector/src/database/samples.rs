//! Inserts and deletes samples.

use std::{collections::HashSet, iter::repeat};

use sordino::Id;
use sqlx::AssertSqlSafe;

use super::{Database, DatabaseError, NewSample, Refusal, Session, parse_column};
use crate::blob_store::ObjectName;

/// A selection of deleted samples.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DeletedSamples {
    All,
    OfRecord(Id),
    One(Id),
}

impl Session {
    /// Inserts a sample that was admitted in the same transaction.
    pub(crate) async fn insert_sample(
        &mut self,
        sample: &NewSample,
        bytes: u64,
        object: ObjectName,
    ) -> Result<(), DatabaseError> {
        let week = sample.week.to_string();
        let sequence: i64 = sqlx::query_scalar(
            "INSERT INTO samples (id, consent, bytes, sha256, week, object)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING sequence",
        )
        .bind(sample.id.to_string())
        .bind(sample.consent.to_string())
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .bind(sample.sha256.to_string())
        .bind(&week)
        .bind(object.to_column())
        .fetch_one(&mut *self.0)
        .await?;
        let rows: Vec<String> = (0..sample.purposes.iter().count())
            .map(|row| format!("($1, ${}, $2, $3)", row + 4))
            .collect();
        let statement = format!(
            "INSERT INTO sample_purposes (sample, purpose, sequence, week) VALUES {}",
            rows.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(statement))
            .bind(sample.id.to_string())
            .bind(sequence)
            .bind(&week);
        for purpose in sample.purposes.iter() {
            query = query.bind(purpose.as_str());
        }
        query.execute(&mut *self.0).await?;
        Ok(())
    }

    /// Deletes a sample of `consent`. An unknown id gets a tombstone too, so that a later upload is refused.
    pub(crate) async fn delete_sample(
        &mut self,
        sample: Id,
        consent: Id,
    ) -> Result<Result<(), Refusal>, DatabaseError> {
        let id = sample.to_string();
        if let Some(owner) = self.deleted_by(sample).await? {
            return Ok(if owner == consent {
                Ok(())
            } else {
                Err(Refusal::NotYours)
            });
        }
        let held: Option<(String, String)> =
            sqlx::query_as("SELECT consent, object FROM samples WHERE id = $1")
                .bind(&id)
                .fetch_optional(&mut *self.0)
                .await?;
        let (owner, object) = held.unwrap_or_else(|| (consent.to_string(), String::new()));
        if owner != consent.to_string() {
            return Ok(Err(Refusal::NotYours));
        }
        sqlx::query(
            "INSERT INTO withdrawals (sample, purpose)
             SELECT sample, purpose FROM sample_purposes WHERE sample = $1
             AND NOT EXISTS (SELECT 1 FROM quarantined WHERE quarantined.sample = $1)",
        )
        .bind(&id)
        .execute(&mut *self.0)
        .await?;
        sqlx::query("DELETE FROM samples WHERE id = $1")
            .bind(&id)
            .execute(&mut *self.0)
            .await?;
        sqlx::query(
            "INSERT INTO tombstones (sample, consent, object_gone, object) VALUES ($1, $2, 0, $3)",
        )
        .bind(&id)
        .bind(consent.to_string())
        .bind(object)
        .execute(&mut *self.0)
        .await?;
        Ok(Ok(()))
    }

    /// Records that the objects of deleted samples were removed.
    pub(crate) async fn mark_objects_removed(
        &mut self,
        objects: &[ObjectName],
    ) -> Result<(), DatabaseError> {
        for some in objects.chunks(IDS_PER_STATEMENT) {
            // One statement for a single id and one for many, so that each is prepared once.
            let places = if some.len() == 1 {
                1
            } else {
                IDS_PER_STATEMENT
            };
            let statement = format!(
                "UPDATE tombstones SET object_gone = 1 WHERE sample IN ({})",
                parameters(places)
            );
            let mut query = sqlx::query(AssertSqlSafe(statement));
            let ids = some.iter().map(|object| Some(object.sample.to_string()));
            for id in ids.chain(repeat(None)).take(places) {
                query = query.bind(id);
            }
            query.execute(&mut *self.0).await?;
        }
        Ok(())
    }

    /// Returns those of `objects` that have no row.
    pub(crate) async fn without_row(
        &mut self,
        objects: &[ObjectName],
    ) -> Result<Vec<ObjectName>, DatabaseError> {
        let mut orphans = Vec::new();
        for some in objects.chunks(IDS_PER_STATEMENT) {
            // The statement has a fixed number of parameters, so that it is prepared once.
            let statement = format!(
                "SELECT id, object FROM samples WHERE id IN ({})",
                parameters(IDS_PER_STATEMENT)
            );
            let mut query = sqlx::query_as::<_, (String, String)>(AssertSqlSafe(statement));
            let ids = some.iter().map(|object| Some(object.sample.to_string()));
            for id in ids.chain(repeat(None)).take(IDS_PER_STATEMENT) {
                query = query.bind(id);
            }
            let rows = query.fetch_all(&mut *self.0).await?;
            let held = rows
                .into_iter()
                .map(|(id, object)| object_name(&id, &object));
            let held: HashSet<ObjectName> = held.collect::<Result<_, _>>()?;
            orphans.extend(some.iter().filter(|object| !held.contains(object)));
        }
        Ok(orphans)
    }

    /// Records that orphaned objects are being removed, so that they never get a row.
    pub(crate) async fn insert_swept(
        &mut self,
        objects: &[ObjectName],
    ) -> Result<(), DatabaseError> {
        for object in objects {
            sqlx::query("INSERT INTO swept (object) VALUES ($1) ON CONFLICT (object) DO NOTHING")
                .bind(object.to_string())
                .execute(&mut *self.0)
                .await?;
        }
        Ok(())
    }

    /// Whether a sample was deleted.
    pub(crate) async fn is_deleted(&mut self, sample: Id) -> Result<bool, DatabaseError> {
        Ok(self.deleted_by(sample).await?.is_some())
    }

    /// The record whose sample was deleted under this id.
    async fn deleted_by(&mut self, sample: Id) -> Result<Option<Id>, DatabaseError> {
        let owner: Option<String> =
            sqlx::query_scalar("SELECT consent FROM tombstones WHERE sample = $1")
                .bind(sample.to_string())
                .fetch_optional(&mut *self.0)
                .await?;
        owner
            .map(|owner| parse_column(&owner, "tombstones"))
            .transpose()
    }
}

impl Database {
    /// Objects of deleted samples that may still be stored.
    pub(crate) async fn objects_to_remove(
        &self,
        deleted: DeletedSamples,
    ) -> Result<Vec<ObjectName>, DatabaseError> {
        const DUE: &str = "SELECT sample, object FROM tombstones WHERE object_gone = 0";
        let (statement, id) = match deleted {
            DeletedSamples::All => (DUE.to_owned(), None),
            DeletedSamples::OfRecord(record) => (format!("{DUE} AND consent = $1"), Some(record)),
            DeletedSamples::One(sample) => (format!("{DUE} AND sample = $1"), Some(sample)),
        };
        let mut query = sqlx::query_as::<_, (String, String)>(AssertSqlSafe(statement));
        if let Some(id) = id {
            query = query.bind(id.to_string());
        }
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter()
            .map(|(id, object)| object_name(id, object))
            .collect()
    }
}

/// `$1, $2, …`
pub(super) fn parameters(count: usize) -> String {
    let numbered: Vec<String> = (1..=count).map(|number| format!("${number}")).collect();
    numbered.join(", ")
}

/// The name of an object from its row.
pub(super) fn object_name(sample: &str, object: &str) -> Result<ObjectName, DatabaseError> {
    const TABLE: &str = "samples";
    ObjectName::from_column(parse_column(sample, TABLE)?, object)
        .ok_or(DatabaseError::Corrupt(TABLE))
}

/// The number of ids per statement.
const IDS_PER_STATEMENT: usize = 100;
