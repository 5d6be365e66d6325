//! Samples: admitted, inserted, deleted.

use std::collections::HashSet;

use sordino::{Id, Purposes, Week};
use sqlx::Row as _;

use super::{Database, DatabaseError, Session, parsed};
use crate::digest::Sha256;

/// A sample that wants in.
#[derive(Clone, Debug)]
pub(crate) struct NewSample {
    pub(crate) id: Id,
    pub(crate) consent: Id,
    pub(crate) purposes: Purposes,
    pub(crate) sha256: Sha256,
    /// The week in which it arrived.
    pub(crate) week: Week,
}

/// Whether a sample may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may.
    Open,
    /// These very bytes are here.
    Present,
    /// It may not.
    Refused(Refusal),
}

/// Why a sample may not come in, or may not be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its record was never registered.
    UnknownRecord,
    /// Its record was withdrawn for good.
    Withdrawn,
    /// The consent ended with this week.
    Expired(Week),
    /// The record does not grant each of its purposes.
    NotGranted,
    /// The id was deleted before.
    Deleted,
    /// The id is that of another record's sample.
    NotYours,
    /// The id is that of other bytes.
    DifferentContent,
}

impl Session {
    /// Whether `sample` may come in now.
    pub(crate) async fn admit(&mut self, sample: &NewSample) -> Result<Admission, DatabaseError> {
        if let Some(owner) = self.buried_by(sample.id).await? {
            let refusal = if owner == sample.consent {
                Refusal::Deleted
            } else {
                Refusal::NotYours
            };
            return Ok(Admission::Refused(refusal));
        }
        let held = sqlx::query("SELECT consent, sha256 FROM samples WHERE id = ?1")
            .bind(sample.id.to_string())
            .fetch_optional(&mut *self.0)
            .await?;
        if let Some(row) = held {
            let consent: Id = parsed(row.try_get("consent")?, "samples")?;
            let sha256: Sha256 = parsed(row.try_get("sha256")?, "samples")?;
            return Ok(if consent != sample.consent {
                Admission::Refused(Refusal::NotYours)
            } else if sha256 != sample.sha256 {
                Admission::Refused(Refusal::DifferentContent)
            } else {
                Admission::Present
            });
        }
        let Some(record) = self.standing(sample.consent).await? else {
            return Ok(Admission::Refused(Refusal::UnknownRecord));
        };
        Ok(if record.granted.is_empty() {
            Admission::Refused(Refusal::Withdrawn)
        } else if record.holds_until < sample.week {
            Admission::Refused(Refusal::Expired(record.holds_until))
        } else if !sample.purposes.is_subset(&record.granted) {
            Admission::Refused(Refusal::NotGranted)
        } else {
            Admission::Open
        })
    }

    /// Notes a sample that was admitted in this same transaction.
    pub(crate) async fn insert_sample(
        &mut self,
        sample: &NewSample,
        bytes: u64,
    ) -> Result<(), DatabaseError> {
        sqlx::query(
            "INSERT INTO samples (id, consent, bytes, sha256, week) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(sample.id.to_string())
        .bind(sample.consent.to_string())
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .bind(sample.sha256.to_string())
        .bind(sample.week.to_string())
        .execute(&mut *self.0)
        .await?;
        for purpose in sample.purposes.iter() {
            sqlx::query("INSERT INTO sample_purposes (sample, purpose) VALUES (?1, ?2)")
                .bind(sample.id.to_string())
                .bind(purpose.as_str())
                .execute(&mut *self.0)
                .await?;
        }
        Ok(())
    }

    /// Deletes a sample of `consent`; an id that is not known is buried too, so that an upload still
    /// under way finds its grave.
    pub(crate) async fn delete_sample(
        &mut self,
        sample: Id,
        consent: Id,
    ) -> Result<Result<(), Refusal>, DatabaseError> {
        let id = sample.to_string();
        if let Some(owner) = self.buried_by(sample).await? {
            return Ok(if owner == consent {
                Ok(())
            } else {
                Err(Refusal::NotYours)
            });
        }
        let owner: Option<String> = sqlx::query_scalar("SELECT consent FROM samples WHERE id = ?1")
            .bind(&id)
            .fetch_optional(&mut *self.0)
            .await?;
        if owner
            .as_ref()
            .is_some_and(|owner| *owner != consent.to_string())
        {
            return Ok(Err(Refusal::NotYours));
        }
        let no_object = owner.is_none();
        sqlx::query(
            "INSERT INTO withdrawals (sample, purpose)
             SELECT sample, purpose FROM sample_purposes WHERE sample = ?1",
        )
        .bind(&id)
        .execute(&mut *self.0)
        .await?;
        sqlx::query("DELETE FROM samples WHERE id = ?1")
            .bind(&id)
            .execute(&mut *self.0)
            .await?;
        sqlx::query("INSERT INTO tombstones (sample, consent, object_gone) VALUES (?1, ?2, ?3)")
            .bind(&id)
            .bind(consent.to_string())
            .bind(no_object)
            .execute(&mut *self.0)
            .await?;
        Ok(Ok(()))
    }

    /// Whether a row says that `sample` is held.
    pub(crate) async fn holds(&mut self, sample: Id) -> Result<bool, DatabaseError> {
        let row = sqlx::query("SELECT 1 FROM samples WHERE id = ?1")
            .bind(sample.to_string())
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(row.is_some())
    }

    /// Notes that the objects of deleted samples are gone.
    pub(crate) async fn objects_are_gone(&mut self, samples: &[Id]) -> Result<(), DatabaseError> {
        for sample in samples {
            sqlx::query("UPDATE tombstones SET object_gone = 1 WHERE sample = ?1")
                .bind(sample.to_string())
                .execute(&mut *self.0)
                .await?;
        }
        Ok(())
    }

    /// The record whose sample was deleted under this id.
    async fn buried_by(&mut self, sample: Id) -> Result<Option<Id>, DatabaseError> {
        let owner: Option<String> =
            sqlx::query_scalar("SELECT consent FROM tombstones WHERE sample = ?1")
                .bind(sample.to_string())
                .fetch_optional(&mut *self.0)
                .await?;
        owner.map(|owner| parsed(&owner, "tombstones")).transpose()
    }
}

impl Database {
    /// Deleted samples whose objects may still lie there; those of one record, or of all.
    pub(crate) async fn objects_to_remove(
        &self,
        consent: Option<Id>,
    ) -> Result<Vec<Id>, DatabaseError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT sample FROM tombstones
             WHERE object_gone = 0 AND (?1 IS NULL OR consent = ?1)",
        )
        .bind(consent.map(|consent| consent.to_string()))
        .fetch_all(&self.readers)
        .await?;
        ids.iter().map(|id| parsed(id, "tombstones")).collect()
    }

    /// The ids of all samples that are held.
    pub(crate) async fn held_samples(&self) -> Result<HashSet<Id>, DatabaseError> {
        let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM samples")
            .fetch_all(&self.readers)
            .await?;
        ids.iter().map(|id| parsed(id, "samples")).collect()
    }
}
