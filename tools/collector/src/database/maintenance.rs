//! Queries of maintenance: retention, purging and consistency checks.

use jiff::Timestamp;
use sordino::{Id, Purpose, Week};
use sqlx::AnyConnection;

use super::{Database, DatabaseError, Session, System, parse_column, samples::object_name};
use crate::{blob_store::ObjectName, digest::Sha256};

/// A sample in a consistency check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleRow {
    pub(crate) sequence: i64,
    pub(crate) name: ObjectName,
    pub(crate) sha256: Sha256,
}

impl Session {
    /// Withdraws a purpose from at most `limit` samples that arrived in or before the week `last`. Returns their
    /// number.
    pub(crate) async fn expire(
        &mut self,
        purpose: Purpose,
        last: Week,
        limit: u32,
    ) -> Result<u64, DatabaseError> {
        let expired: Vec<(String,)> = sqlx::query_as(
            "SELECT sample FROM sample_purposes WHERE purpose = $1 AND week <= $2
             ORDER BY week LIMIT $3",
        )
        .bind(purpose.as_str())
        .bind(last.to_string())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0)
        .await?;
        for (sample,) in &expired {
            self.withdraw_purpose(sample, purpose).await?;
        }
        Ok(expired.len() as u64)
    }

    /// Withdraws a purpose from one sample, and deletes the sample if none is left.
    pub(crate) async fn withdraw_purpose(
        &mut self,
        sample: &str,
        purpose: Purpose,
    ) -> Result<(), DatabaseError> {
        for statement in [
            "INSERT INTO withdrawals (sample, purpose)
             SELECT sample, purpose FROM sample_purposes WHERE sample = $1 AND purpose = $2
             AND NOT EXISTS (SELECT 1 FROM quarantined WHERE quarantined.sample = $1)",
            "DELETE FROM sample_purposes WHERE sample = $1 AND purpose = $2",
        ] {
            sqlx::query(statement)
                .bind(sample)
                .bind(purpose.as_str())
                .execute(&mut *self.0)
                .await?;
        }
        for statement in [
            "INSERT INTO tombstones (sample, consent, object_gone, object)
             SELECT id, consent, 0, object FROM samples WHERE id = $1
             AND NOT EXISTS (SELECT 1 FROM sample_purposes WHERE sample = id)",
            "DELETE FROM samples WHERE id = $1
             AND NOT EXISTS (SELECT 1 FROM sample_purposes WHERE sample = id)",
        ] {
            sqlx::query(statement)
                .bind(sample)
                .execute(&mut *self.0)
                .await?;
        }
        Ok(())
    }

    /// The number of stored samples.
    pub(crate) async fn count_samples(&mut self) -> Result<u64, DatabaseError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM samples")
            .fetch_one(&mut *self.0)
            .await?;
        Ok(count.unsigned_abs())
    }

    /// The record of a sample, deleted or not.
    pub(crate) async fn owner(&mut self, sample: Id) -> Result<Option<Id>, DatabaseError> {
        owner(&mut self.0, sample).await
    }
}

async fn owner(connection: &mut AnyConnection, sample: Id) -> Result<Option<Id>, DatabaseError> {
    let owner: Option<String> = sqlx::query_scalar(
        "SELECT consent FROM samples WHERE id = $1
         UNION ALL SELECT consent FROM tombstones WHERE sample = $1",
    )
    .bind(sample.to_string())
    .fetch_optional(connection)
    .await?;
    owner
        .map(|owner| parse_column(&owner, "samples"))
        .transpose()
}

impl Database {
    /// Like [`Session::owner`], in a transaction of its own.
    pub(crate) async fn owner(&self, sample: Id) -> Result<Option<Id>, DatabaseError> {
        owner(&mut *self.readers.acquire().await?, sample).await
    }

    /// Purges deleted rows from the files as far as the database allows.
    ///
    /// SQLite overwrites deleted rows (`secure_delete`), but the write-ahead log contains earlier pages until a
    /// checkpoint, which this runs and truncates the log. PostgreSQL keeps dead rows until a vacuum, which this runs;
    /// WAL and free space keep their bytes until they are reused, which a client cannot influence.
    ///
    /// Returns `false` if a reader of SQLite prevented the checkpoint.
    pub(crate) async fn purge_deleted(&self) -> Result<bool, DatabaseError> {
        let mut connection = self.writer.acquire().await?;
        if self.system == System::Postgres {
            sqlx::raw_sql("VACUUM records, samples, sample_purposes, withdrawals, reviews")
                .execute(&mut *connection)
                .await?;
            return Ok(true);
        }
        // <https://sqlite.org/pragma.html#pragma_wal_checkpoint>: a blocked checkpoint is reported in the first column,
        // not as an error.
        let is_busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut *connection)
            .await?;
        Ok(is_busy == 0)
    }

    /// The time of the database server; `None` for SQLite.
    pub(crate) async fn server_time(&self) -> Result<Option<Timestamp>, DatabaseError> {
        if self.system == System::Sqlite {
            return Ok(None);
        }
        let seconds: i64 = sqlx::query_scalar("SELECT CAST(extract(epoch FROM now()) AS BIGINT)")
            .fetch_one(&self.readers)
            .await?;
        Ok(Timestamp::from_second(seconds).ok())
    }

    /// The samples after `after` in order of arrival, at most `limit`.
    pub(crate) async fn sample_rows(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<SampleRow>, DatabaseError> {
        let rows: Vec<(i64, String, String, String)> = sqlx::query_as(
            "SELECT sequence, id, object, sha256 FROM samples
             WHERE sequence > $1 ORDER BY sequence LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let rows = rows.iter().map(|(sequence, id, object, sha256)| {
            Ok(SampleRow {
                sequence: *sequence,
                name: object_name(id, object)?,
                sha256: parse_column(sha256, "samples")?,
            })
        });
        rows.collect()
    }
}
