//! Consent records: registered, revised, withdrawn.

use sordino::{Id, Purposes, Week, consent::SignedRecord, signed::PublicKey};
use sqlx::{AssertSqlSafe, Row as _};

use super::{Database, DatabaseError, Session, parse_column, parse_purposes, samples::parameters};

/// The result of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    New,
    /// The same document is already registered.
    Known,
    /// The record replaced an older revision.
    Revised,
}

/// Why a registration is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RegistrationRefusal {
    /// The id belongs to another key.
    OtherKey,
    /// Older than the registered revision, or the same revision with other content.
    Stale {
        /// The registered revision.
        revision: u32,
        /// The purposes in it that were withdrawn.
        withdrawn: Purposes,
    },
    /// The record grants these purposes, which were withdrawn.
    Withdrawn(Purposes),
}

/// The result of a withdrawal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WithdrawalSummary {
    /// Samples that had no purpose left and were deleted.
    pub(crate) deleted: u64,
    /// Samples that still have a purpose.
    pub(crate) narrowed: u64,
}

/// The current status of a record.
pub(super) struct RecordStatus {
    pub(super) revision: u32,
    pub(super) key: PublicKey,
    document: String,
    pub(super) granted: Purposes,
    pub(super) withdrawn: Purposes,
    holds_until: Week,
}

impl RecordStatus {
    /// The status of a registered record from which `withdrawn` purposes were withdrawn.
    fn from_record(record: &SignedRecord, withdrawn: Purposes) -> Self {
        let content = record.content();
        Self {
            revision: content.revision,
            key: record.signer(),
            document: record.to_json(),
            granted: content.purposes.clone(),
            withdrawn,
            holds_until: content.holds_until,
        }
    }
}

impl Database {
    /// The key that a record was registered with.
    pub(crate) async fn key(&self, record: Id) -> Result<Option<PublicKey>, DatabaseError> {
        let row = sqlx::query("SELECT key FROM records WHERE id = $1")
            .bind(record.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| parse_column(row.try_get("key")?, "records"))
            .transpose()
    }
}

impl Session {
    /// Registers a record or a newer revision of it. Purposes that a revision no longer grants are withdrawn.
    pub(crate) async fn register(
        &mut self,
        record: &SignedRecord,
    ) -> Result<Result<Registration, RegistrationRefusal>, DatabaseError> {
        let content = record.content();
        let Some(status) = self.record_status(content.id).await? else {
            let status = RecordStatus::from_record(record, Purposes::default());
            self.put_record_status(content.id, &status).await?;
            return Ok(Ok(Registration::New));
        };
        if status.key != record.signer() {
            return Ok(Err(RegistrationRefusal::OtherKey));
        }
        let withdrawn = match status.granted.is_empty() {
            true => content.purposes.clone(),
            false => content.purposes.intersection(&status.withdrawn),
        };
        if status.granted.is_empty() {
            return Ok(Err(RegistrationRefusal::Withdrawn(withdrawn)));
        }
        if content.revision <= status.revision {
            let is_known =
                content.revision == status.revision && record.to_json() == status.document;
            return Ok(is_known
                .then_some(Registration::Known)
                .ok_or(RegistrationRefusal::Stale {
                    revision: status.revision,
                    withdrawn,
                }));
        }
        // A revision that was sent before the withdrawal must not grant the purpose again.
        if !withdrawn.is_empty() {
            return Ok(Err(RegistrationRefusal::Withdrawn(withdrawn)));
        }
        let dropped = status.granted.difference(&content.purposes);
        let revised = RecordStatus::from_record(record, status.withdrawn.union(&dropped));
        self.put_record_status(content.id, &revised).await?;
        self.withdraw_from_samples(content.id, &dropped).await?;
        Ok(Ok(Registration::Revised))
    }

    /// Permanently withdraws purposes from a record and its samples. `None` if the record is unknown.
    pub(crate) async fn withdraw(
        &mut self,
        record: Id,
        purposes: &Purposes,
    ) -> Result<Option<WithdrawalSummary>, DatabaseError> {
        let Some(status) = self.record_status(record).await? else {
            return Ok(None);
        };
        sqlx::query("UPDATE records SET granted = $2, withdrawn = $3 WHERE id = $1")
            .bind(record.to_string())
            .bind(status.granted.difference(purposes).to_string())
            .bind(status.withdrawn.union(purposes).to_string())
            .execute(&mut *self.0)
            .await?;
        self.withdraw_from_samples(record, purposes).await.map(Some)
    }

    pub(super) async fn record_status(
        &mut self,
        record: Id,
    ) -> Result<Option<RecordStatus>, DatabaseError> {
        const TABLE: &str = "records";
        let row = sqlx::query(
            "SELECT key, revision, document, granted, withdrawn, holds_until
             FROM records WHERE id = $1",
        )
        .bind(record.to_string())
        .fetch_optional(&mut *self.0)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(RecordStatus {
            revision: u32::try_from(row.try_get::<i64, _>("revision")?)
                .map_err(|_| DatabaseError::Corrupt(TABLE))?,
            key: parse_column(row.try_get("key")?, TABLE)?,
            document: row.try_get("document")?,
            granted: parse_purposes(row.try_get("granted")?, TABLE)?,
            withdrawn: parse_purposes(row.try_get("withdrawn")?, TABLE)?,
            holds_until: parse_column(row.try_get("holds_until")?, TABLE)?,
        }))
    }

    /// Inserts or updates the status of a record.
    pub(super) async fn put_record_status(
        &mut self,
        record: Id,
        status: &RecordStatus,
    ) -> Result<(), DatabaseError> {
        sqlx::query(
            "INSERT INTO records (id, key, revision, document, granted, withdrawn, holds_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET revision = excluded.revision,
             document = excluded.document, granted = excluded.granted,
             withdrawn = excluded.withdrawn, holds_until = excluded.holds_until",
        )
        .bind(record.to_string())
        .bind(status.key.to_string())
        .bind(i64::from(status.revision))
        .bind(&status.document)
        .bind(status.granted.to_string())
        .bind(status.withdrawn.to_string())
        .bind(status.holds_until.to_string())
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    pub(super) async fn withdraw_from_samples(
        &mut self,
        record: Id,
        purposes: &Purposes,
    ) -> Result<WithdrawalSummary, DatabaseError> {
        let record = record.to_string();
        let touched = self.count_with_purposes(&record, purposes).await?;
        for purpose in purposes.iter() {
            sqlx::query(
                "INSERT INTO withdrawals (sample, purpose)
                 SELECT sample, purpose FROM samples JOIN sample_purposes ON sample = id
                 WHERE consent = $1 AND purpose = $2
                 AND NOT EXISTS (SELECT 1 FROM quarantined WHERE quarantined.sample = id)
                 ORDER BY samples.sequence",
            )
            .bind(&record)
            .bind(purpose.as_str())
            .execute(&mut *self.0)
            .await?;
            sqlx::query(
                "DELETE FROM sample_purposes
                 WHERE purpose = $2 AND sample IN (SELECT id FROM samples WHERE consent = $1)",
            )
            .bind(&record)
            .bind(purpose.as_str())
            .execute(&mut *self.0)
            .await?;
        }
        let deleted = self.delete_purposeless(&record).await?;
        Ok(WithdrawalSummary {
            deleted,
            narrowed: touched.saturating_sub(deleted),
        })
    }

    /// Counts the samples of a record that have any of these purposes.
    async fn count_with_purposes(
        &mut self,
        record: &str,
        purposes: &Purposes,
    ) -> Result<u64, DatabaseError> {
        let places = purposes.iter().count();
        if places == 0 {
            return Ok(0);
        }
        let statement = format!(
            "SELECT count(DISTINCT id) FROM samples JOIN sample_purposes ON sample = id
             WHERE purpose IN ({}) AND consent = ${}",
            parameters(places),
            places + 1
        );
        let mut query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(statement));
        for purpose in purposes.iter() {
            query = query.bind(purpose.as_str());
        }
        let count = query.bind(record).fetch_one(&mut *self.0).await?;
        Ok(count.unsigned_abs())
    }

    async fn delete_purposeless(&mut self, record: &str) -> Result<u64, DatabaseError> {
        sqlx::query(
            "INSERT INTO tombstones (sample, consent, object_gone, object)
             SELECT id, consent, 0, object FROM samples WHERE consent = $1
             AND NOT EXISTS (SELECT 1 FROM sample_purposes WHERE sample = id)",
        )
        .bind(record)
        .execute(&mut *self.0)
        .await?;
        let deleted = sqlx::query(
            "DELETE FROM samples WHERE consent = $1
             AND NOT EXISTS (SELECT 1 FROM sample_purposes WHERE sample = id)",
        )
        .bind(record)
        .execute(&mut *self.0)
        .await?;
        Ok(deleted.rows_affected())
    }
}
